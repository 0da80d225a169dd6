// The calls by curl and the commands to a running gateway, as the pages print them, at a gateway that runs.

import { expect, test } from 'bun:test'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commandLines } from '../../scripts/command-lines.ts'
import { readPage } from '../../scripts/markdown.ts'
import { Client } from '../support/client.ts'
import { folder } from '../support/folder.ts'
import { Implementation, ok } from '../support/implementation.ts'
import { program } from '../support/program.ts'

const DOCS = join(import.meta.dir, '../../docs')
/** The word that the pages have for it. */
const OPERATOR = 'TOKEN_OF_THE_OPERATOR'
/** A stream goes on for ever, and is cut after so long (s): what counts is how it was answered. */
const LOOK = 2

// The other language has the same blocks: see [DOC5].
const pages = (await readdir(DOCS)).filter((file) => file.endsWith('.md') && !file.includes('zh-CN'))
const blocks = await Promise.all(
  pages.map(async (file) => {
    const page = readPage(await readFile(join(DOCS, file), 'utf8'))
    return page.blocks.filter(({ language }) => language === 'sh').map(({ text }) => ({ file, text }))
  }),
)
const shells = blocks.flat()

async function running() {
  const stack = new AsyncDisposableStack()
  const home = stack.use(await folder())
  const bot = stack.use(new Implementation({ answer: (frame) => ok(frame, { user_id: 10001 }) }))
  await Bun.write(home.at('data/admin-token'), OPERATOR)
  const env = {
    PERPETUA_HTTP_PORT: '0',
    PERPETUA_ADMIN_TOKEN: OPERATOR,
    PERPETUA_NTQQ_IMPL_EXTERNAL_WEB_SOCKET: bot.url,
  }
  const gateway = stack.use(program(['start'], { cwd: home.path, env, as: 'perpetua' }))
  const [, port = ''] = await gateway.says(/started address=http:\/\/127\.0\.0\.1:(\d+)/)
  await gateway.says(/bot online/)
  const alice = stack.use(await Client.connect(`ws://127.0.0.1:${port}/onebot/v11/ws?client_name=alice`))
  return {
    port,
    alice,
    home,
    run: (words: string[]) =>
      stack.use(program(words, { cwd: home.path, env: { ...env, PERPETUA_HTTP_PORT: port }, as: 'perpetua' })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test.skipIf(Bun.which('curl') === null)('[DOC11] each call by curl is answered', async () => {
  await using place = await running()
  const calls = shells.flatMap(({ file, text }) =>
    text
      .split('\n')
      .filter((line) => /^curl .*127\.0\.0\.1:8080/.test(line))
      .map((line) => ({ file, line })),
  )
  expect(calls.length).toBeGreaterThan(10)
  const answers = await Promise.all(
    calls.map(async ({ file, line }) => {
      const own = line.replace('127.0.0.1:8080', `127.0.0.1:${place.port}`)
      const command = `${own} -s -o /dev/null -w '%{http_code}' --max-time ${LOOK}`
      const env = { ...process.env, TOKEN: OPERATOR }
      const child = Bun.spawn(['sh', '-c', command], { cwd: place.home.path, env, stdout: 'pipe', stderr: 'ignore' })
      return `${await new Response(child.stdout).text()} ${file}: ${line}`
    }),
  )
  // That no code waits to be scanned is what the page says of 404.
  const refused = answers.filter((answer) => !/^(?:200 |404 .*\/api\/qrcode )/.test(answer))
  expect(refused).toEqual([])
})

test('[DOC11] each command to a running gateway is answered', async () => {
  await using place = await running()
  const commands = shells.filter(({ file }) => file === 'operate.md').flatMap(({ text }) => commandLines(text))
  expect(commands.length).toBeGreaterThan(8)
  // Who is kicked is not there any more.
  const last = (words: string[]) => Number(words[0] === 'kick')
  for (const words of commands.toSorted((a, b) => last(a) - last(b))) {
    if (words[0] === 'tail') continue
    const { code, stdout, stderr } = await place.run(words).ended
    // The ids on the page are nobody's here.
    if (words[0] === 'retry' || words[0] === 'drop') expect(stderr).toContain(`no call "${words[1]}"`)
    else expect([words, code, stderr]).toEqual([words, 0, ''])
    if (words.includes('--json')) JSON.parse(stdout)
  }
  expect(await place.alice.closed).toMatchObject({ code: 4012 })
  const tail = place.run(commands.find(([name]) => name === 'tail') ?? [])
  await using bob = await Client.connect(`ws://127.0.0.1:${place.port}/onebot/v11/ws`)
  let shown = false
  const showing = tail.says(/send_group_msg/).then(() => {
    shown = true
  })
  while (!shown) await Promise.race([bob.call('send_group_msg', { group_id: 123456789, message: 'hi' }), showing])
  tail.signal('SIGINT')
  expect((await tail.ended).stderr).toBe('')
})
