// The questions of a first start, on a terminal.

import { expect, test } from 'bun:test'
import { parseConfig } from '../../src/config/load.ts'
import { type Folder, folder } from '../support/folder.ts'
import { type Program, program } from '../support/program.ts'

const ENTER = '\r'
const DOWN = '\u001b[B'
const CTRL_C = '\u0003'

/** As a person does: the text is there before Enter is pressed. */
async function answer(it: Program, text: string) {
  it.types(text)
  await it.says(new RegExp(RegExp.escape(text)))
  it.types(ENTER)
}

const init = (home: Folder) => program(['init'], { cwd: home.path, terminal: true })
const written = async (home: Folder) => parseConfig(await home.read('config', 'config.yml'), { file: 'F' }).config

test('[CLI16] on a terminal, a few questions make a config; Enter takes what is suggested', async () => {
  await using home = await folder()
  await using it = init(home)
  const questions = [
    /Which OneBot implementation[\s\S]*another/,
    /forward WebSocket address/,
    /Its access token/,
    /Who may connect[\s\S]*0\.0\.0\.0/,
    /Port/,
  ]
  for (const question of questions) {
    await it.says(question)
    it.types(ENTER)
  }
  await it.says(/Wrote config\/config\.yml/)
  expect((await it.ended).code).toBe(0)
  const config = await written(home)
  expect(config['ntqq-impl']).toMatchObject({
    'external-web-socket': 'ws://127.0.0.1:3001',
    'external-access-token': '',
  })
  expect(config.http).toMatchObject({ host: '127.0.0.1', port: 8080, 'access-token': '' })
})

test('[CLI16] answers that the config would refuse are asked again; a token is suggested where one is needed', async () => {
  await using home = await folder()
  await using it = init(home)
  await it.says(/Which OneBot implementation[\s\S]*another/)
  it.types(DOWN + DOWN + ENTER)
  await it.says(/forward WebSocket address/)
  await answer(it, 'http://x')
  await it.says(/wanted an address that starts with ws/)
  await it.says(/wanted[\s\S]*forward WebSocket address/)
  await answer(it, 'ws://10.0.0.2:6700/')
  await it.says(/Its access token/)
  it.types(ENTER)
  await it.says(/Who may connect[\s\S]*0\.0\.0\.0/)
  it.types(DOWN + ENTER)
  await it.says(/token that clients must show/)
  it.types(ENTER)
  await it.says(/Port for clients/)
  await answer(it, '80808')
  await it.says(/wanted a port[\s\S]*Port for clients/)
  await answer(it, '9000')
  expect((await it.ended).code).toBe(0)
  const config = await written(home)
  expect(config['ntqq-impl']['external-web-socket']).toBe('ws://10.0.0.2:6700/')
  expect(config.http).toMatchObject({
    host: '0.0.0.0',
    port: 9000,
    'access-token': expect.stringMatching(/^[\w-]{24}$/),
  })
})

test('[CLI16] who has no implementation may have one run here, and is asked for its login', async () => {
  await using home = await folder()
  await using it = init(home)
  await it.says(/run Lagrange here/)
  it.types(DOWN.repeat(5) + ENTER)
  await it.says(/The QQ number to log in as/)
  await answer(it, 'me')
  await it.says(/wanted a QQ number[\s\S]*The QQ number to log in as/)
  await answer(it, '10001')
  await it.says(/Its sign server/)
  await answer(it, 'https://sign.example/api')
  await it.says(/other machines too/)
  it.types(DOWN + ENTER)
  await it.says(/token that clients must show/)
  it.types(ENTER)
  await it.says(/Port for clients/)
  it.types(ENTER)
  expect((await it.ended).code).toBe(0)
  const config = await written(home)
  expect(config['ntqq-impl']).toMatchObject({
    mode: 'embedded',
    account: '10001',
    'external-web-socket': '',
    'sign-server-url': 'https://sign.example/api',
  })
  expect(config.http['access-token']).toMatch(/^[\w-]{24}$/)
})

test('[CLI16] the port suggested for clients is not the one that the implementation listens on', async () => {
  await using home = await folder()
  await using it = init(home)
  await it.says(/Which OneBot implementation[\s\S]*another/)
  it.types(DOWN + DOWN + DOWN + ENTER)
  await it.says(/forward WebSocket address[\s\S]*:8080/)
  it.types(ENTER)
  await it.says(/Its access token/)
  it.types(ENTER)
  await it.says(/Who may connect[\s\S]*0\.0\.0\.0/)
  it.types(ENTER)
  await it.says(/Port for clients[\s\S]*\(8090\)/)
  it.types(`8080${ENTER}`)
  await it.says(/this is perpetua's own[\s\S]*Port for clients/)
  it.types(ENTER)
  expect((await it.ended).code).toBe(0)
  expect((await written(home)).http.port).toBe(8090)
})

test('[CLI17] Ctrl-C at a question ends it cleanly, with nothing written', async () => {
  for (const words of [['init'], ['start']]) {
    await using home = await folder()
    await using it = program(words, { cwd: home.path, terminal: true })
    await it.says(/Which OneBot implementation[\s\S]*another/)
    it.types(ENTER)
    await it.says(/forward WebSocket address/)
    it.types(CTRL_C)
    await it.says(/nothing was written/)
    expect((await it.ended).code).toBe(0)
    expect(await home.list()).toEqual([])
  }
})

test('[LOG7] colours appear on a terminal, unless NO_COLOR or log.colorful say otherwise', async () => {
  await using home = await folder()
  await Bun.write(home.at('config', 'config.yml'), 'http: {port: 0}')
  const start = (env: Record<string, string>) =>
    program(['start'], {
      cwd: home.path,
      terminal: true,
      entry: 'test/cli/main.ts',
      env: { TERM: 'xterm-256color', ...env },
    })
  const coloured = async (env: Record<string, string>) => {
    await using it = start(env)
    await it.says(/started/)
    return it.output.includes('\u001b[')
  }
  expect(await coloured({})).toBe(true)
  expect(await coloured({ NO_COLOR: '1' })).toBe(false)
  expect(await coloured({ PERPETUA_LOG_COLORFUL: 'false' })).toBe(false)
})

test('[CLI18] a closed terminal window ends the gateway in order; SIGHUP on an open one reloads', async () => {
  await using home = await folder()
  await Bun.write(home.at('config', 'config.yml'), 'http: {port: 0}')
  await using it = program(['start'], { cwd: home.path, terminal: true, entry: 'test/cli/main.ts' })
  await it.says(/started/)
  await Bun.write(home.at('config', 'config.yml'), 'http: {port: 9001}')
  it.signal('SIGHUP')
  await it.says(/applied port=9001/)
  it.hangUp()
  expect((await it.ended).code).toBe(0)
  const [log = ''] = await home.list('logs')
  expect(await home.read('logs', log)).toMatch(/signal=SIGHUP\n.* stopped\n$/)
})
