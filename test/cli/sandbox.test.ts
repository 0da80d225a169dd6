// perpetua sandbox and perpetua simulate, each as a process of its own.

import { expect, test } from 'bun:test'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { client, reverseEndpoint } from '../simulator/bed.ts'
import { type Folder, folder } from '../support/folder.ts'
import { type Program, program } from '../support/program.ts'

const perpetua = (home: Folder, ...words: string[]) => program(words, { cwd: home.path })

/** Does what a line to copy says, as curl would. */
async function curl(it: Program, pattern: RegExp) {
  const [command] = await it.says(pattern)
  const words = command.trim().split(' ')
  const address = words.at(-1) ?? ''
  const body = words.flatMap((word, at) => (words[at - 1] === '-d' ? [word] : [])).join('&')
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const response = await fetch(address, body === '' ? {} : { method: 'POST', body, headers })
  expect(response.status).toBe(200)
  return response.json()
}

const HEARD = /curl .*\/simulator\/say/
const SENT = /curl .*\/simulator\/sent/

async function takenPort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port: String(port), [Symbol.dispose]: () => void server.close() }
}

test('[CLI19] sandbox: the three things it prints work, and nothing but logs is written', async () => {
  await using home = await folder()
  await using it = perpetua(home, 'sandbox', '--port', '0')
  const [, url = ''] = await it.says(/npx --yes wscat -c (\S+)/)
  using bot = await client(url)
  await bot.call('get_login_info')
  // Until the client is greeted there may be notices about itself.
  const said = await curl(it, HEARD)
  const heard = async () => {
    for (;;) {
      const event = await bot.next()
      if (event.post_type === 'message') return event
    }
  }
  expect(await heard()).toEqual(said)
  expect(await curl(it, /curl .*\/onebot\/v11\/send_group_msg/)).toMatchObject({ status: 'ok' } as never)
  expect(await curl(it, SENT)).toContainEqual(
    expect.objectContaining({ action: 'send_group_msg', params: expect.objectContaining({ message: 'hi' }) }) as never,
  )
  await it.says(/called action=send_group_msg/)
  it.signal('SIGINT')
  expect((await it.ended).code).toBe(0)
  expect(await home.list()).toEqual(['logs'])
})

test('[CLI20] sandbox and simulate: a taken port exits 3 and names --port', async () => {
  await using home = await folder()
  using taken = await takenPort()
  for (const command of ['sandbox', 'simulate']) {
    const { code, stderr } = await perpetua(home, command, '--port', taken.port).ended
    expect({ command, code }).toEqual({ command, code: 3 })
    expect(stderr).toContain(`--port: ${taken.port} is in use on 127.0.0.1; stop the other program, or set --port`)
  }
})

test('[CLI21] simulate: says where it listens and what clients call, and ends with exit 0', async () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    await using home = await folder()
    await using it = perpetua(home, 'simulate', '--port=0', '--self-id', '42', '--heartbeat', '0')
    const [, url = ''] = await it.says(/WebSocket +(ws:\S+)/)
    using bot = await client(url)
    expect(await bot.call('get_login_info')).toMatchObject({ data: { user_id: 42 } })
    expect(await curl(it, HEARD)).toEqual(await bot.next())
    expect(await curl(it, /curl .*\/send_group_msg/)).toMatchObject({ status: 'ok' } as never)
    expect(await curl(it, SENT)).toHaveLength(2)
    bot.socket.send(JSON.stringify({ action: 'nope\u001b[2J\n', params: { file: 'x'.repeat(100_000) } }))
    await it.says(/called action=send_group_msg params=\{"group_id":"123456789","message":"hi"\}/)
    const [line] = await it.says(/called action="nope.*\n/)
    expect(line.length).toBeLessThan(500)
    expect(line).not.toContain('\u001b')
    it.signal(signal)
    const { code, stdout } = await it.ended
    expect(code).toBe(0)
    expect(stdout).toContain('stopped')
    expect(await home.list()).toEqual([])
  }
})

test('[CLI22] simulate: token, reverse link, burst and rate work as options', async () => {
  await using home = await folder()
  await using endpoint = await reverseEndpoint()
  await using it = perpetua(
    home,
    ...['simulate', '--port', '0', '--token', 'hush', '--heartbeat', '0', '--message-size', '1KiB'],
    ...['--reverse', endpoint.url, '--reverse-token', 'psst', '--burst', '50', '--rate', '100'],
  )
  const { frames, headers } = await endpoint.links.take()
  expect(headers.get('authorization')).toBe('Bearer psst')
  await frames.take()
  const bursts = Array.from({ length: 50 }, (_, n) => n + 1)
  for (const n of [...bursts, 1, 2, 3]) {
    const { raw_message } = JSON.parse(await frames.take())
    expect(raw_message).toHaveLength(1024)
    expect(raw_message).toStartWith(`#${n} `)
  }
  const [, address = ''] = await it.says(/HTTP +(http:\/\/[^/]+)\//)
  expect((await fetch(`${address}/get_status`)).status).toBe(401)
  expect((await fetch(`${address}/get_status?access_token=hush`)).status).toBe(200)
  it.signal('SIGTERM')
  const { code, stdout, stderr } = await it.ended
  expect(code).toBe(0)
  expect(stdout + stderr).not.toMatch(/hush|psst/)
})

test('[CLI23] values that an option cannot have exit 2 and say what is wanted', async () => {
  await using home = await folder()
  const wrong = {
    'sandbox --port x': '--port: found "x", wanted a port 0-65535',
    'simulate --port 65536': '--port: found "65536", wanted a port 0-65535',
    'simulate --self-id 0': '--self-id: found "0", wanted a QQ number',
    'simulate --heartbeat 5': '--heartbeat: found "5", wanted a duration such as 5s',
    'simulate --reverse http://x': '--reverse: found "http://x", wanted an address that begins with ws://',
    'simulate --post ws://x': '--post: found "ws://x", wanted an address that begins with http://',
    'simulate --rate 0': '--rate: found "0", wanted a whole number from 1',
    'simulate --message-size big': '--message-size: found "big", wanted a size such as 64KiB',
    'simulate --toke x': 'unknown option --toke, did you mean --token?',
  }
  const runs = Object.entries(wrong).map(async ([words, complaint]) => {
    const { code, stdout, stderr } = await perpetua(home, ...words.split(' ')).ended
    expect({ words, code, stdout }).toEqual({ words, code: 2, stdout: '' })
    expect(stderr).toStartWith(`perpetua: ${complaint}`)
  })
  await Promise.all(runs)
  expect(await home.list()).toEqual([])
})
