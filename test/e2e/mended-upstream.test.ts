// What the Go version did when its implementation misbehaved or went away, and must not come back.

import { describe, expect, test } from 'bun:test'
import type { Status } from '../../src/broker/status.ts'
import { OPCODE, rawClient } from '../contract/raw.ts'
import { Client, type Frame } from '../support/client.ts'
import { gateway } from '../support/gateway.ts'
import { groupMessage, heartbeat, lifecycle, now, ok } from '../support/implementation.ts'
import { type Bed, BRISK, testbed } from '../support/testbed.ts'
import { milky, overOneBot, restarted, upstream } from '../support/upstream.ts'

/** Both sides still work: an event comes, a call is answered. */
async function works({ bot, gateway: running }: Bed, client: Client): Promise<void> {
  await running.until(({ bots }) => bots[0]?.online === true)
  const text = crypto.randomUUID()
  bot.send(groupMessage(text))
  await client.next(({ raw_message }) => raw_message === text)
  client.send({ action: 'get_group_list', echo: text })
  const action = await bot.next()
  bot.send(ok(action, [{ group_name: text }]))
  expect(await client.next(({ echo }) => echo === text)).toMatchObject({ retcode: 0, data: [{ group_name: text }] })
}

const facts = async ({ gateway: running }: Bed, kind: Status['kind']) => (await running.status()).facts[kind] ?? 0

test('[MND1] an implementation that closes, drops or restarts is dialled again; clients stay', async () => {
  await using bed = await testbed(BRISK)
  const client = await bed.client()
  const ends = [
    () => bed.bot.close(1000),
    () => bed.bot.close(1011, 'internal error'),
    () => bed.bot.drop(),
    async () => {
      await bed.bot.stop()
      bed.bot.start()
    },
  ]
  for (const end of ends) {
    await bed.bot.handshakes.take()
    await end()
    expect(await client.next(({ status }) => status !== undefined && !(status as Frame)['online'])).toMatchObject({
      meta_event_type: 'heartbeat',
    })
    await works(bed, client)
  }
  // The very same link as before.
  expect(client.heard.filter((text) => text.includes('"lifecycle"')).length).toBe(1)
})

describe('[MND2] a frame that is nothing is dropped and counted, and disturbs nobody', () => {
  const garbage = [
    '',
    'not json',
    '{',
    '[]',
    '[{"post_type":"message"}]',
    'null',
    '5',
    '"text"',
    'true',
    '{}',
    '\u0000',
  ]
  const unknown = ['"nobody"', '5', '-1.5e3', 'null', '{"a":1}', '[1]', 'true', '""'].map(
    (echo) => `{"status":"ok","retcode":0,"data":null,"echo":${echo}}`,
  )
  const nested = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  const ofReplies = overOneBot('Milky answers calls where they were made, over HTTP')
  for (const [story, what, frames, fact] of [
    [test, 'garbage', [...garbage, nested], 'upstream-garbage'],
    [ofReplies, 'replies that nobody asked for', [...unknown, '{"status":"ok","retcode":0}'], 'reply-unknown'],
  ] as const)
    story(`[MND2] ${what}`, async () => {
      await using bed = await testbed()
      const client = await bed.client()
      for (const [index, frame] of frames.entries()) {
        bed.bot.raw(frame)
        await works(bed, client)
        expect([frame.slice(0, 50), await facts(bed, fact)]).toEqual([frame.slice(0, 50), index + 1])
      }
      // No link was lost over it, on either side.
      expect([bed.bot.links.size, bed.bot.handshakes.left.length]).toEqual([1, 1])
    })
})

test('[MND3] a reply for a client that has left is dropped and counted', async () => {
  await using bed = await testbed()
  const stays = await bed.client()
  const port = Number(new URL(bed.gateway.address).port)
  for (const leave of ['in order', 'without a word']) {
    const leaves = await rawClient(port)
    leaves.send(OPCODE.text, '{"action":"get_group_list","echo":"left"}')
    const action = await bed.bot.next()
    if (leave === 'in order') leaves.send(OPCODE.close, Buffer.from([0x03, 0xe8]))
    else leaves.socket.resetAndDestroy()
    await bed.gateway.until(({ bots }) => bots[0]?.sessions.length === 1)
    bed.bot.send(ok(action))
    // And once more: by now it is one that nobody asked for. Over Milky none can come.
    bed.bot.send(ok(action))
    await works(bed, stays)
    const { waiting } = (await bed.gateway.status()).bots[0] ?? {}
    expect(waiting).toMatchObject({ replies: 0 })
  }
  expect([await facts(bed, 'reply-orphaned'), await facts(bed, 'reply-unknown')]).toEqual([2, milky ? 0 : 2])
})

describe('[MND14] the token is shown from the first dial on, and HTTP is up whatever the implementation does', () => {
  test('[MND14] with the right token', async () => {
    await using bot = upstream({ token: 'secret' })
    await using running = await gateway({ 'ntqq-impl': bot.own })
    await running.until(({ bots }) => bots[0]?.online === true)
    // One handshake was made, and it was accepted.
    expect((await bot.handshakes.take()).get('authorization')).toBe('Bearer secret')
    expect(bot.handshakes.left).toEqual([])
  })

  test('[MND14] with a wrong one, with nobody there, and with somebody who never says a word', async () => {
    await using wants = upstream({ token: 'secret' })
    await using gone = upstream()
    await gone.stop()
    await using mute = upstream({ first: [] })
    for (const own of [{ ...wants.own, 'external-access-token': '' }, gone.own, mute.own]) {
      await using running = await gateway({ 'ntqq-impl': own })
      const online = await fetch(`${running.address}/api/get_online_clients`)
      expect(await online.json()).toEqual({ status: 'ok', retcode: 0, data: [], version: expect.any(Number) })
      await using client = await Client.connect(running.ws)
      expect(await client.call('get_online_clients')).toMatchObject({ status: 'ok', data: [{ transport: 'forward' }] })
    }
  })
})

test('[MND18] set_restart waits for its delay and restarts an implementation that runs by itself', async () => {
  await using bed = await testbed(BRISK)
  await bed.bot.handshakes.take()
  const client = await bed.client()
  const since = performance.now()
  expect(await client.call('set_restart', { delay: 500 })).toMatchObject({ status: 'async', retcode: 1 })
  await restarted(bed.bot)
  expect(performance.now() - since).toBeGreaterThan(490)
  await works(bed, client)
})

test('[MND19] whatever we say ourselves is in seconds', async () => {
  // In milliseconds, as some implementations have it.
  const first = [lifecycle(), heartbeat(300)].map((text) => text.replace(/"time":(\d+)/, '"time":$1000'))
  await using bed = await testbed({ bot: milky ? {} : { first } })
  const alice = await bed.client('/?client_name=alice')
  const bob = await bed.client('/?client_name=bob')
  const { data } = await alice.call('send_broadcast_data', { clients: [{ client_name: 'bob' }], data: 'x' })
  const { uuid } = data as { uuid: string }
  await bob.call('send_broadcast_data_callback', { client: { client_name: 'alice' }, uuid, data: 'y' })
  await alice.event('distributed')
  await bob.close()
  await alice.next(({ online }) => online === false)
  // Over Milky it is ten seconds away, and ours all the same.
  if (!milky) await alice.event('meta_event')
  const said = [...alice.heard, ...bob.heard]
    .map((text): Frame => JSON.parse(text))
    .filter(({ time }) => time !== undefined)
  const kinds = new Set(
    said.map((frame) => frame['meta_event_type'] ?? frame['notice_type'] ?? frame['distributed_type']),
  )
  expect([...kinds].sort()).toEqual(['broadcast', 'broadcast_callback', 'client_status', 'heartbeat', 'lifecycle'])
  for (const { time } of said) {
    expect(Number.isInteger(time)).toBe(true)
    expect(Math.abs(Number(time) - now())).toBeLessThan(10)
  }
})
