// perpetua's official Java SDK at a real gateway.

import { expect, test } from 'bun:test'
import { groupMessage, heartbeat } from '../support/implementation.ts'
import { testbed } from '../support/testbed.ts'
import { JavaSdk } from './java-sdk.ts'
import { BOT, GROUP, talk, USER } from './talk.ts'
import type { Fields } from './wire.ts'

const TOKEN = 'bare-token'
const config = { http: { 'access-token': TOKEN } }

const kind = (postType: string, type: string) => (event: Fields) =>
  event['post_type'] === postType && event[`${postType}_type`] === type

test('[IOP11] the Java SDK finds its port without a token, connects with a bare one, and understands every event', async () => {
  const spoken = talk()
  await using bed = await testbed({ config, bot: spoken })
  expect(await JavaSdk.onlineClients(bed.gateway.address)).toEqual([])
  bed.bot.send(heartbeat(200))
  await using sdk = await JavaSdk.start(bed.gateway.address, TOKEN)
  await sdk.hears(kind('meta_event', 'lifecycle'))
  await sdk.hears(kind('meta_event', 'heartbeat'))
  await sdk.hears((event) => kind('notice', 'client_status')(event) && event['self_client'] === true)

  bed.bot.send(groupMessage('ping', BOT, 11))
  const { message_id, group_id, user_id } = await sdk.hears(kind('message', 'group'))
  const message = [
    { type: 'reply', data: { id: message_id } },
    { type: 'at', data: { qq: user_id } },
    { type: 'text', data: { text: 'pong' } },
  ]
  const sent = sdk.request('send_group_msg', { group_id, message, auto_escape: false })
  const { text, messageId, params } = await spoken.said.take()
  expect(text).toBe('[reply][at]pong')
  expect(params).toEqual({ group_id: GROUP, message, auto_escape: false })
  expect(user_id).toBe(USER)
  expect(await sent).toEqual({ message_id: messageId })
  await sdk.hears(kind('meta_event', 'heartbeat'))
  expect(sdk.dropped).toEqual([])
})

test('[IOP12] two Java SDKs name themselves, and broadcast and answer each other', async () => {
  await using bed = await testbed({ config, bot: talk() })
  await using alice = await JavaSdk.start(bed.gateway.address, TOKEN)
  await using bob = await JavaSdk.start(bed.gateway.address, TOKEN)
  expect(alice.port).not.toBe(bob.port)
  await alice.request('set_client_name', { name: 'alice' })
  await bob.request('set_client_name', { name: 'bob' })
  const online = await alice.onlineClients()
  expect(online).toMatchObject([{ client_name: 'alice' }, { client_name: 'bob' }])

  // To everybody online: the sender is one of them and hears nothing.
  const { uuid } = await alice.request('send_broadcast_data', { clients: online, data: '{"你":"好"}' })
  const broadcast = await bob.hears(kind('distributed', 'broadcast'))
  expect(broadcast).toMatchObject({ uuid, data: '{"你":"好"}', client: { client_name: 'alice' } })
  await bob.request('send_broadcast_data_callback', { client: broadcast['client'], uuid, data: 'heard' })
  const first = await alice.hears(({ post_type }) => post_type === 'distributed')
  expect(first).toMatchObject({ distributed_type: 'broadcast_callback', uuid, data: 'heard' })
  expect(first['client']).toMatchObject({ client_name: 'bob' })
  await expect(alice.request('set_client_name', { name: 'bob' })).rejects.toThrow('1409')
  expect([alice.dropped, bob.dropped]).toEqual([[], []])
})

test('[IOP13] a Java SDK that goes without a word is gone at once, and leaves its name and port', async () => {
  await using bed = await testbed({ config, bot: talk() })
  await using alice = await JavaSdk.start(bed.gateway.address, TOKEN)
  const bob = await JavaSdk.start(bed.gateway.address, TOKEN)
  await bob.request('set_client_name', { name: 'bob' })
  await bob.leave()
  const notice = await alice.hears((event) => kind('notice', 'client_status')(event) && event['online'] === false)
  expect(notice).toMatchObject({ client: { client_name: 'bob' }, self_client: false })
  await bed.gateway.until(({ allotments }) => allotments === 1)
  await expect(fetch(`http://127.0.0.1:${bob.port}/`)).rejects.toThrow()
  await alice.request('set_client_name', { name: 'bob' })
})

test('[IOP14] a Java SDK with a wrong token learns it from the handshake', async () => {
  await using bed = await testbed({ config, bot: talk() })
  await expect(JavaSdk.start(bed.gateway.address, 'wrong')).rejects.toThrow('status 403')
  await expect(JavaSdk.start(bed.gateway.address, '')).rejects.toThrow('status 401')
})
