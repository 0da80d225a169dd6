// A config that changes under a running gateway: what it concerns changes, everything else stays.

import { expect, test } from 'bun:test'
import { Client } from '../support/client.ts'
import { groupMessage, Implementation } from '../support/implementation.ts'
import { testbed } from '../support/testbed.ts'

test('[REL1] links that a change does not concern stay open', async () => {
  await using bed = await testbed()
  await using client = await bed.client()
  await bed.gateway.apply({
    'ntqq-impl': { 'external-web-socket': bed.bot.url },
    'msg-expire-time': '5m',
    actions: { timeout: '5s' },
    'http-post': [],
  })
  bed.bot.send(groupMessage('still here'))
  expect(await client.event('message')).toMatchObject({ raw_message: 'still here' })
  expect(bed.bot.links.size).toBe(1)
})

test('[REL2] a new token counts for whoever comes from now on', async () => {
  await using bed = await testbed()
  await using client = await bed.client()
  await bed.gateway.apply({
    'ntqq-impl': { 'external-web-socket': bed.bot.url },
    http: { 'access-token': 'new' },
  })
  // Not by `rejects`: it stands in the way of the loop that a program's output needs.
  expect(String(await Client.connect(`${bed.gateway.ws}/`).catch((error: unknown) => error))).toContain('401')
  await using other = await Client.connect(`${bed.gateway.ws}/`, { headers: { Authorization: 'Bearer new' } })
  expect(await other.event('meta_event.lifecycle')).toBeDefined()
  bed.bot.send(groupMessage('x'))
  expect(await client.event('message')).toMatchObject({ raw_message: 'x' })
})

test('[REL3] another port: the new one serves, the old one takes nobody, its links stay', async () => {
  await using bed = await testbed()
  await using client = await bed.client()
  const free = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const port = Number(free.port)
  await free.stop(true)
  await bed.gateway.apply({ 'ntqq-impl': { 'external-web-socket': bed.bot.url }, http: { port } })
  await using other = await Client.connect(`ws://127.0.0.1:${port}/`)
  await other.next(({ self_client }) => self_client === true)
  expect(await fetch(bed.gateway.address).catch((error: unknown) => error)).toBeInstanceOf(Error)
  bed.bot.send(groupMessage('both'))
  for (const link of [client, other]) expect(await link.event('message')).toMatchObject({ raw_message: 'both' })
})

test('[REL4] a port that cannot be had leaves everything as it was', async () => {
  await using bed = await testbed()
  await using client = await bed.client()
  await using taken = new Implementation()
  const port = Number(new URL(taken.url).port)
  const change = bed.gateway.apply({ 'ntqq-impl': { 'external-web-socket': bed.bot.url }, http: { port } })
  await change.catch(() => {})
  expect((await fetch(bed.gateway.address)).status).toBe(200)
  bed.bot.send(groupMessage('here'))
  expect(await client.event('message')).toMatchObject({ raw_message: 'here' })
})

test('[REL5] another implementation: the old link closes, its clients are told to come again', async () => {
  await using bed = await testbed()
  await using client = await bed.client()
  await using next = new Implementation({ selfId: 10002 })
  await bed.gateway.apply({
    'ntqq-impl': { 'external-web-socket': next.url },
  })
  expect((await client.closed).code).toBe(1012)
  expect(await bed.bot.ended.take()).toBeNumber()
  await bed.gateway.until(({ bots }) => bots[0]?.self_id === '10002')
  await using again = await bed.client()
  next.send(groupMessage('from the other', 10002))
  expect(await again.event('message')).toMatchObject({ self_id: 10002 })
})

test('[REL6] reverse links and web hooks come and go with their entries', async () => {
  await using bed = await testbed()
  const heard: string[] = []
  let came = Promise.withResolvers<void>()
  const hook = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      heard.push(await request.text())
      came.resolve()
      came = Promise.withResolvers()
      return new Response(null, { status: 204 })
    },
  })
  const base = {
    'ntqq-impl': { 'external-web-socket': bed.bot.url },
  }
  await bed.gateway.apply({ ...base, 'http-post': [{ url: `http://127.0.0.1:${hook.port}/` }] })
  await bed.gateway.until(({ bots }) => bots[0]?.sessions.length === 1)
  bed.bot.send(groupMessage('posted'))
  while (!heard.some((text) => text.includes('posted'))) await came.promise
  await bed.gateway.apply(base)
  await bed.gateway.until(({ bots }) => bots[0]?.sessions.length === 0)
  await hook.stop(true)
})
