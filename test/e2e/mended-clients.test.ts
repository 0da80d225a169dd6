// What the Go version did to its clients, and must not come back.

import { describe, expect, test } from 'bun:test'
import { Client, type Frame } from '../support/client.ts'
import { groupMessage, ok } from '../support/implementation.ts'
import { knock } from '../support/knock.ts'
import { lacks } from '../support/system.ts'
import { testbed } from '../support/testbed.ts'
import { milky, overOneBot } from '../support/upstream.ts'

test('[MND4] clients that make their first call together are all served', async () => {
  await using bed = await testbed({ bot: { answer: (frame) => ok(frame, frame.params['who']) } })
  const clients = await Promise.all(Array.from({ length: 150 }, () => bed.client()))
  const replies = await Promise.all(clients.map((client, who) => client.call('get_status', { who }, '1')))
  for (const [who, reply] of replies.entries())
    expect(reply).toMatchObject({ retcode: 0, ...(!milky && { data: who }), echo: '1' })
})

test('[MND5] an echo may be any JSON value and comes back as it was written; none stays none', async () => {
  await using bed = await testbed({ bot: { answer: (frame) => ok(frame, 'own') } })
  const client = await bed.client('/api')
  const echoes = [
    '1',
    '-0',
    '1.0',
    '1e21',
    '9007199254740993',
    'null',
    'true',
    '""',
    '"a\\nb"',
    '"a#b"',
    '"\\u4f60好\\ud83d\\ude00"',
    '{"seq":1}',
    '{ "b" : 2, "a" : [ 1 , null ] }',
    '[1,"a",null,{"b":1e21}]',
  ]
  for (const action of ['get_status', 'get_online_clients', 'set_client_name']) {
    for (const echo of echoes) {
      client.send(`{"action":"${action}","echo":${echo}}`)
      expect(await client.text()).toEndWith(`"echo":${echo}}`)
    }
    client.send(`{"action":"${action}"}`)
    expect(await client.text()).not.toContain('"echo"')
  }
})

test('[MND6] params, frames and values of the wrong kind get a reply, and the link goes on', async () => {
  await using bed = await testbed({ bot: { answer: (frame) => ok(frame, { app_name: 'alive' }) } })
  const client = await bed.client()
  const frames = [
    '{"action":"get_status","params":[],"echo":1}',
    'null',
    '{"action":"send_broadcast_data","params":{"clients":[{"client_name":"a"}],"data":{"an":"object"}},"echo":1}',
    '{"action":"send_broadcast_data","params":{"clients":"a","data":"x"},"echo":1}',
    '{"action":"set_client_name","params":{"name":["a"]},"echo":1}',
    '{"action":null,"echo":1}',
  ]
  for (const frame of frames) {
    client.send(frame)
    expect([frame, await client.next(({ retcode }) => retcode !== undefined)]).toMatchObject([
      frame,
      { status: 'failed', retcode: 1400, msg: expect.stringMatching(/./) },
    ])
    expect(await client.call('get_version_info')).toMatchObject({ data: { app_name: 'alive' } })
  }
})

overOneBot('no frame of a client or an implementation goes over Milky')(
  '[MND7] bytes pass untouched in both directions',
  async () => {
    await using bed = await testbed()
    const client = await bed.client()
    const inside =
      '"z":1,"a":2,"big":7672696335120716277,"float":1.0,"exp":1e21,"neg":-0, "html":"<a href=\\"x\\">&amp;\\u003c</a>", "slash":"\\/","nul":"\\u0000","emoji":"\\ud83d\\ude00😀"'
    const event = `{"post_type":"notice","notice_type":"x","self_id":10001,"time":1,${inside} }`
    bed.bot.send(event)
    expect(await client.text(({ notice_type }) => notice_type === 'x')).toBe(event)
    client.send(`{ "params":{${inside}}, "action":"send_msg","echo":"mine"}`)
    const { raw, echo } = await bed.bot.next()
    expect(raw).toBe(`{ "params":{${inside}}, "action":"send_msg","echo":${JSON.stringify(echo)}}`)
    bed.bot.send(`{"data":{${inside}},"echo":${JSON.stringify(echo)}, "status":"ok","retcode":0}`)
    expect(await client.text(({ retcode }) => retcode === 0)).toBe(
      `{"data":{${inside}},"echo":"mine", "status":"ok","retcode":0}`,
    )
  },
)

describe('[MND13] strangers', () => {
  test('[MND13] are refused before the upgrade, whatever way clients spell the token', async () => {
    await using bed = await testbed({ config: { http: { 'access-token': 'secret' } } })
    const status = async (headers: Record<string, string>, path = '/') =>
      (await knock(bed.gateway.address, path, headers, { upgrade: true })).status
    expect([await status({}), await status({ authorization: 'Bearer no' })]).toEqual([401, 403])
    for (const authorization of ['secret', 'Bearer secret', 'Token secret'])
      expect(await status({ authorization })).toBe(101)
    expect(await status({}, '/?access_token=secret')).toBe(101)
    // /api is no hole either: what comes by a proxy is a stranger.
    expect((await knock(bed.gateway.address, '/api/get_ws_port', { 'x-real-ip': '192.0.2.1' })).status).toBe(401)
    const posted = await fetch(`${bed.gateway.address}/onebot/v11/send_msg`, { method: 'POST', body: '{}' })
    expect(posted.status).toBe(401)
    expect(bed.bot.actions.left).toEqual([])
  })

  test.skipIf(lacks(process.platform === 'darwin', 'macOS has no 127.0.0.2'))(
    '[MND13] from elsewhere find nobody listening, unless the configuration says so',
    async () => {
      const elsewhere = (address: string) => address.replace('127.0.0.1', '127.0.0.2')
      const answers = (address: string) =>
        knock(elsewhere(address), '/').then(
          () => true,
          () => false,
        )
      await using bed = await testbed()
      expect(await answers(bed.gateway.address)).toBe(false)
      const { data } = (await (await fetch(`${bed.gateway.address}/api/get_ws_port`)).json()) as {
        data: { port: number }
      }
      expect(await answers(`http://127.0.0.1:${data.port}`)).toBe(false)
      await using wide = await testbed({ config: { http: { host: '0.0.0.0', 'access-token': 'secret' } } })
      expect(await answers(wide.gateway.address.replace('0.0.0.0', '127.0.0.1'))).toBe(true)
    },
  )
})

test('[MND15] a port accepts its client before it is told, three hundred times', async () => {
  await using bed = await testbed()
  const seen: number[] = []
  const come = async () => {
    const response = await fetch(`${bed.gateway.address}/api/get_ws_port`)
    const { data } = (await response.json()) as { data: { port: number } }
    seen.push(data.port)
    const client = await Client.connect(`ws://127.0.0.1:${data.port}/`)
    expect(await client.next()).toMatchObject({ sub_type: 'connect' })
    return client
  }
  const clients: Client[] = []
  while (clients.length < 300) clients.push(...(await Promise.all(Array.from({ length: 10 }, come))))
  expect(new Set(seen).size).toBe(300)
  await Promise.all(clients.map((client) => client.close()))
  await bed.gateway.until(({ allotments }) => allotments === 0)
})

test('[MND16] a second client on an allotted port is refused, and the first is none the worse for it', async () => {
  await using bed = await testbed()
  const watcher = await bed.client()
  const response = await fetch(`${bed.gateway.address}/api/get_ws_port`)
  const { data } = (await response.json()) as { data: { port: number } }
  await using first = await Client.connect(`ws://127.0.0.1:${data.port}/`)
  await first.event('notice.client_status')
  const second = await Client.connect(`ws://127.0.0.1:${data.port}/`).catch(String)
  expect(second).toContain('409')
  bed.bot.send(groupMessage('still there'))
  expect(await first.event('message')).toMatchObject({ raw_message: 'still there' })
  expect(await watcher.call('get_online_clients')).toMatchObject({
    data: [{ transport: 'forward' }, { transport: 'allotment' }],
  })
  await first.close()
  await watcher.next(({ online }) => online === false)
  expect((await watcher.call('get_online_clients'))['data']).toHaveLength(1)
})

test('[MND20] a failure is status failed with a retcode of its kind, and its text in msg, message and wording', async () => {
  await using bed = await testbed()
  await bed.client('/?client_name=taken')
  const client = await bed.client()
  const events = await bed.client('/event')
  const failures: [Client, string, unknown, number][] = [
    [client, 'set_client_name', {}, 1400],
    [client, 'set_client_name', { name: 'taken' }, 1409],
    [client, 'send_broadcast_data', { clients: [{ client_name: 'nobody' }], data: '' }, 1404],
    [client, 'send_broadcast_data_callback', { client: { app_id: 'x' }, uuid: 'u', data: '' }, 1404],
    [client, 'set_restart', { delay: -1 }, 1400],
    [events, 'get_status', {}, 1403],
  ]
  for (const [who, action, params, retcode] of failures) {
    const reply = await who.call(action, params)
    expect(reply).toEqual({
      status: 'failed',
      retcode,
      data: null,
      msg: expect.stringMatching(/\w{4,}.* \w{4,}/),
      message: reply['msg'],
      wording: reply['msg'],
      echo: reply['echo'],
    })
  }
})

test('[MND21] taking your own name again is fine, and so is being named among clients without a name', async () => {
  await using bed = await testbed()
  const [first, second] = [await bed.client(), await bed.client(), await bed.client()]
  for (const name of ['one', 'one', 'one'])
    expect(await first.call('set_client_name', { name })).toMatchObject({ status: 'ok' })
  expect(await second.call('set_client_name', { name: 'two' })).toMatchObject({ status: 'ok' })
  const { data } = await first.call('get_online_clients')
  expect((data as Frame[]).map((client) => client['client_name'])).toEqual(['one', 'two', undefined])
})
