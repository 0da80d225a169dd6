// Ports of their own: who gets one, who may use it, and when it is free again.

import { describe, expect, test } from 'bun:test'
import { startGateway } from '../../src/app.ts'
import { configOf } from '../../src/config/schema.ts'
import { openLog } from '../../src/observe/log.ts'
import { host as currentHost } from '../../src/runtime/current.ts'
import type { Host } from '../../src/runtime/host.ts'
import { Client } from '../support/client.ts'
import { ok } from '../support/implementation.ts'
import { knock } from '../support/knock.ts'
import { testbed } from '../support/testbed.ts'

const ask = async (address: string) =>
  (await (await fetch(`${address}/api/get_ws_port`)).json()) as { retcode: number; data: { port: number } }
const lease = async (address: string) => (await ask(address)).data.port
const at = (port: number) => `ws://127.0.0.1:${port}`

const opens = (port: number) =>
  knock(`http://127.0.0.1:${port}`, '/', {}, { upgrade: true }).then(
    ({ status }) => status,
    () => 'refused',
  )

function hold(port: number) {
  return Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } })
}

/** The first of `count` ports in a row that nobody uses, below those that systems give out by themselves. */
function freeRange(count: number): number {
  for (;;) {
    const start = 12_000 + Math.floor(Math.random() * 18_000)
    const held: ReturnType<typeof hold>[] = []
    try {
      for (let port = start; port < start + count; port++) held.push(hold(port))
      return start
    } catch {
      // Somebody has one of them.
    } finally {
      for (const one of held) one.stop(true)
    }
  }
}

describe('an allotted port', () => {
  test('[DSC8] serves one client, on any path; a second is refused with 409 before the upgrade', async () => {
    await using bed = await testbed({ bot: { answer: (frame) => ok(frame, { app_name: 'served' }) } })
    for (const path of ['/', '/onebot/v11/ws', '/any/path?at=all']) {
      const port = await lease(bed.gateway.address)
      const client = await Client.connect(`${at(port)}${path}`)
      expect((await client.event('notice.client_status'))['self_client']).toBe(true)
      for (const upgrade of [true, false]) {
        const second = await knock(`http://127.0.0.1:${port}`, path, {}, { upgrade })
        expect([second.status, JSON.parse(second.body)]).toMatchObject([409, { status: 'failed', retcode: 1409 }])
      }
      expect(await client.call('get_version_info')).toMatchObject({ data: { app_name: 'served' } })
      await client.close()
    }
  })

  test('[DSC9] of two that come at the same moment one is served', async () => {
    await using bed = await testbed()
    for (let round = 0; round < 10; round++) {
      const port = await lease(bed.gateway.address)
      const came = await Promise.allSettled([1, 2, 3].map(() => Client.connect(at(port))))
      const served = came.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      expect(served.length).toBe(1)
      expect(await served[0]?.next()).toMatchObject({ sub_type: 'connect' })
      await served[0]?.close()
    }
  })

  test('[DSC10] waits for its client though others look at it, and is closed when the client leaves', async () => {
    await using bed = await testbed()
    const port = await lease(bed.gateway.address)
    expect((await knock(`http://127.0.0.1:${port}`, '/')).status).toBe(426)
    const client = await Client.connect(at(port))
    await client.next()
    await client.close()
    await bed.gateway.until(({ allotments }) => allotments === 0)
    expect(await opens(port)).toBe('refused')
  })

  test('[DSC11] is taken back when nobody came in time, and kept while its client is connected', async () => {
    await using bed = await testbed({ config: { 'web-socket': { timeout: '3s' } } })
    const [used, unused] = [await lease(bed.gateway.address), await lease(bed.gateway.address)]
    await using client = await Client.connect(at(used))
    await bed.gateway.until(({ allotments }) => allotments === 1)
    expect(await opens(unused)).toBe('refused')
    expect(await opens(used)).toBe(409)
    expect(await client.call('get_online_clients')).toMatchObject({ data: [{ transport: 'allotment' }] })
  })

  test('[SEC2] needs the token like every other link', async () => {
    await using bed = await testbed({ config: { http: { 'access-token': 'secret' } } })
    const port = await lease(bed.gateway.address)
    const address = `http://127.0.0.1:${port}`
    expect((await knock(address, '/', {}, { upgrade: true })).status).toBe(401)
    expect((await knock(address, '/', { authorization: 'Bearer wrong' }, { upgrade: true })).status).toBe(403)
    // Refused ones have not used it up.
    await using client = await Client.connect(`${at(port)}/?access_token=secret`)
    expect(await client.next()).toMatchObject({ sub_type: 'connect' })
  })

  test('[DSC13] cannot be hoarded by one address', async () => {
    await using bed = await testbed()
    const answers = await Promise.all(Array.from({ length: 520 }, () => ask(bed.gateway.address)))
    expect(answers.filter(({ retcode }) => retcode === 0).length).toBe(512)
    expect(answers.find(({ retcode }) => retcode !== 0)).toMatchObject({ status: 'failed', retcode: 10001 })
    expect((await bed.gateway.status()).allotments).toBe(512)
  })
})

test('[DSC14] where the system has no port or no file left, that is 10001, too', async () => {
  let asked = 0
  const host: Host = {
    ...currentHost,
    listen: (options) =>
      asked++ === 0 ? currentHost.listen(options) : Promise.reject(new Error('EMFILE: too many open files')),
  }
  const config = configOf({ http: { port: 0 }, admin: { token: 'a' }, log: { dir: '', level: 'error' } })
  await using running = await startGateway({ config, host, log: openLog(config.log) })
  const said = 'get_ws_port: no port to be had: EMFILE: too many open files'
  const refused = { status: 'failed', retcode: 10001, msg: said, message: said, wording: said }
  expect(await ask(running.address)).toMatchObject(refused)
})

test('[DSC17] a frame beyond the limit closes the link of an allotted port with 1009, as it does everywhere', async () => {
  await using bed = await testbed({ config: { 'web-socket': { 'max-frame': '64KiB' } } })
  await using client = await Client.connect(at(await lease(bed.gateway.address)))
  await client.event('notice.client_status')
  client.send(JSON.stringify({ action: 'send_msg', params: { group_id: 1, message: 'x'.repeat(32 * 1024) }, echo: 1 }))
  bed.bot.send(ok(await bed.bot.next()))
  expect(await client.next(({ echo }) => echo === 1)).toMatchObject({ retcode: 0 })
  client.send(JSON.stringify({ action: 'send_msg', params: { message: 'x'.repeat(64 * 1024) } }))
  expect(await client.closed).toMatchObject({ code: 1009 })
})

describe('a range of ports', () => {
  test('[DSC14] is handed out once each, and again when a port has become free; none free is 10001', async () => {
    const start = freeRange(5)
    const range = { enabled: true, start, end: start + 4 }
    await using bed = await testbed({ config: { 'web-socket': { timeout: '2s', 'range-port': range } } })
    // Somebody else's port in the middle is passed over.
    const other = hold(start + 2)
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(bed.gateway.address)))
    const ports = answers.flatMap(({ retcode, data }) => (retcode === 0 ? [data.port] : [])).sort()
    expect(ports).toEqual([start, start + 1, start + 3, start + 4])
    for (const failed of answers.filter(({ retcode }) => retcode !== 0))
      expect(failed).toMatchObject({ status: 'failed', retcode: 10001, msg: expect.stringContaining('range-port') })
    other.stop(true)

    const client = await Client.connect(at(start + 3))
    await client.next()
    expect(await lease(bed.gateway.address)).toBe(start + 2)
    expect((await ask(bed.gateway.address)).retcode).toBe(10001)
    await client.close()
    await bed.gateway.until(({ allotments }) => allotments < 5)
    expect(await lease(bed.gateway.address)).toBe(start + 3)
    // The others by and by: nobody came.
    await bed.gateway.until(({ allotments }) => allotments === 0)
    expect(await lease(bed.gateway.address)).toBe(start)
  })
})

test('[DSC16] a port that is being opened when the gateway stops is closed again', async () => {
  const gate = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<number>()
  let first = true
  const host: Host = {
    ...currentHost,
    async listen(options) {
      if (first) {
        first = false
        return currentHost.listen(options)
      }
      asked.resolve()
      await gate.promise
      const listener = await currentHost.listen(options)
      opened.resolve(listener.port)
      return listener
    },
  }
  const config = configOf({ http: { port: 0 }, 'web-socket': { timeout: '1h' }, log: { dir: '', level: 'error' } })
  const running = await startGateway({ config, host, log: openLog(config.log) })
  const answer = ask(running.address).catch(() => undefined)
  await asked.promise
  await running.stop()
  gate.resolve()
  const port = await opened.promise
  while ((await opens(port)) !== 'refused') await Bun.sleep(1)
  await answer
})
