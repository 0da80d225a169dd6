// The worked configs of the pages about traffic governance, each byte as printed, in the file that their first line names.

import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readPage } from '../../scripts/markdown.ts'
import { parseConfig } from '../../src/config/load.ts'
import { Client } from '../support/client.ts'
import { folder } from '../support/folder.ts'
import { Implementation, ok } from '../support/implementation.ts'
import { program } from '../support/program.ts'

const DOCS = join(import.meta.dir, '../../docs')
const PAGES = ['clients', 'resume', 'balancing', 'rate-limits', 'health', 'routing', 'discovery']

const pages = await Promise.all(
  PAGES.map(async (name) => ({ name, page: readPage(await readFile(join(DOCS, `${name}.md`), 'utf8')) })),
)
// The other language has the same configs: see [DOC6].
const configs = pages.flatMap(({ name, page: { blocks } }) =>
  blocks
    .filter(({ language }) => language === 'yaml')
    .map(({ text }, index) => [index === 0 ? name : `${name}, ${index + 1}`, text] as const),
)

/** A folder with this config, and the program in it: at a port that is free, before an implementation that is there. */
async function settled(text: string) {
  const stack = new AsyncDisposableStack()
  const home = stack.use(await folder())
  await Bun.write(home.at('config/config.yml'), text)
  const bot = stack.use(new Implementation({ answer: (frame) => ok(frame, { user_id: 10001 }) }))
  const { config } = parseConfig(text, { file: 'config/config.yml' })
  const dials = config['ntqq-impl']['external-web-socket'] !== ''
  const env = {
    PERPETUA_HTTP_PORT: '0',
    ...(dials && { PERPETUA_NTQQ_IMPL_EXTERNAL_WEB_SOCKET: bot.url }),
  }
  return {
    config,
    dials,
    run: (...words: string[]) => stack.use(program(words, { cwd: home.path, env, as: 'perpetua' })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test.each(configs)('[DOC7] %s: it starts as printed, and serves its clients', async (_name, text) => {
  await using place = await settled(text)
  const { config, dials } = place
  const check = await place.run('check').ended
  expect([check.code, check.stderr]).toEqual([0, ''])
  expect(check.stdout).toContain('config/config.yml is fine.')
  expect(check.stdout).not.toContain('Note:')

  const running = place.run()
  const [, address = ''] = await running.says(/started address=http(\S+)/)
  if (dials) {
    await running.says(/bot online/)
    const tokens = config.clients.map(({ token }) => token).filter(Boolean)
    // Whoever has no token of its own shows the one of all, if there is one.
    for (const token of new Set([...tokens, config.http['access-token']])) {
      const headers: Record<string, string> = token === '' ? {} : { Authorization: `Bearer ${token}` }
      await using client = await Client.connect(`ws${address}/onebot/v11/ws`, { headers })
      expect(await client.call('get_login_info')).toMatchObject({ status: 'ok', data: { user_id: 10001 } })
    }
  }
  running.signal('SIGTERM')
  const { code } = await running.ended
  expect(code).toBe(0)
  expect(running.output).not.toMatch(/^\S+ error /m)
})

test('[DOC7] a call that is not allowed is refused in the words of the page', async () => {
  await using place = await settled(configs.find(([name]) => name === 'clients')?.[1] ?? '')
  const running = place.run()
  const [, address = ''] = await running.says(/started address=http(\S+)/)
  await running.says(/bot online/)
  await using client = await Client.connect(`ws${address}/onebot/v11/ws?access_token=TOKEN_OF_WORKER_1`)
  const shown = JSON.parse(pages[0]?.page.blocks.find(({ language }) => language === 'json')?.text ?? '')
  expect(await client.call('send_group_msg', { group_id: 1, message: 'hi' }, 1)).toMatchObject(shown)
})

test('[DOC7] what `perpetua check` says of clients is as the page shows it', async () => {
  await using place = await settled(configs.find(([name]) => name === 'clients')?.[1] ?? '')
  const { stdout } = await place.run('check').ended
  const shown = pages[0]?.page.blocks.find(({ language }) => language === 'text')?.text ?? ''
  const words = (lines: string) => lines.split('\n').map((line) => line.trim().replace(/ {2,}/g, '  '))
  expect(words(stdout)).toEqual(expect.arrayContaining(words(shown).filter(Boolean)))
})

test('[DOC7] the lines of the log that the pages show are such as the program writes', async () => {
  const source = await readFile(join(DOCS, '../src/observe/status-log.ts'), 'utf8')
  const lines = pages
    .flatMap(({ page }) => page.blocks.filter(({ language }) => language === 'text'))
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => /^(?:debug|info|warn|error) /.test(line))
  expect(lines.length).toBeGreaterThan(10)
  for (const line of lines) {
    const [, fact = ''] = /^\w+ +(.+?) \w+=/.exec(line) ?? []
    // One of them is put together of two.
    const parts = source.includes(`'${fact}'`) ? [fact] : fact.split(': ')
    for (const part of parts) expect(source).toContain(part)
  }
})
