// Clients come back over real sockets: after a cut, after a silence, with a newer link beside the old one.

import { expect, test } from 'bun:test'
import { Application } from '../support/application.ts'
import { Client, type Frame } from '../support/client.ts'
import { numbered, numberIn } from '../support/crowd.ts'
import { EAGER, outside } from '../support/gateway.ts'
import { type Bed, BRISK, testbed } from '../support/testbed.ts'
import { tunnel } from '../support/tunnel.ts'

const isMe = (frame: Frame) => frame['self_client'] === true
const isResume = (frame: Frame) => frame['meta_event_type'] === 'resume'
const appId = (frame: Frame) => (frame['client'] as { app_id: string }).app_id
const numbers = (client: Client) => client.heard.map(numberIn).filter((n) => n > 0)
const hears = (client: Client, n: number) => client.next((_, raw) => numberIn(raw) === n)
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } })
const away = (bed: Bed) => bed.gateway.until(({ bots }) => bots[0]?.waiting.away === 1)
const says = (bed: Bed, from: number, to: number) => {
  for (let n = from; n <= to; n++) bed.bot.send(numbered(n))
}

/** Resolves with the position of a PING that came after event number `n`. */
function confirms(client: Client, n: number): Promise<number> {
  return new Promise((resolve) => {
    // Bun tells of PINGs, after everything that came before them; its types do not.
    const listen = client.socket.addEventListener as (what: string, then: (event: { data: unknown }) => void) => void
    listen.call(client.socket, 'ping', ({ data }) => {
      if (numbers(client).includes(n)) resolve(Number(String(data)))
    })
  })
}

test.each(['its token', 'the secret it was given'])(
  '[GOV7] cut off without a word, a client comes back with %s: its app_id, all that it missed in order, and then what is new',
  async (what) => {
    const own = what === 'its token'
    await using bed = await testbed({ config: { clients: [{ name: 'w', token: 'tw', resume: true }] } })
    await using wire = await tunnel(bed.gateway.address)
    const options = own ? bearer('tw') : {}
    const path = own ? '/' : '/?client_name=v&resume='
    await using first = await Client.connect(`${wire.ws}${path}${own ? '' : '1'}`, options)
    const { secret } = await first.next(isResume)
    expect(secret).toMatch(/./)
    const me = appId(await first.next(isMe))
    says(bed, 1, 3)
    await hears(first, 3)
    wire.cut()
    await away(bed)
    says(bed, 4, 1_000)
    await bed.gateway.until(({ bots }) => (bots[0]?.journal.entries ?? 0) > 1_000)

    if (!own) {
      const stranger = Client.connect(`${bed.gateway.ws}/?client_name=v&resume=${'x'.repeat(String(secret).length)}`)
      await expect(stranger).rejects.toThrow()
    }
    await using back = await Client.connect(`${wire.ws}${path}${own ? '' : secret}`, options)
    says(bed, 1_001, 1_003)
    expect(await back.next()).toMatchObject({ meta_event_type: 'lifecycle' })
    const resume = await back.next()
    expect(resume).toMatchObject({ meta_event_type: 'resume', recovered: true, lost: 0 })
    expect(resume['secret']).toBeUndefined()
    expect(resume['missed']).toBeGreaterThanOrEqual(997)
    await hears(back, 1_003)
    expect(appId(JSON.parse(back.heard.find((raw) => raw.includes('"self_client":true')) ?? '{}'))).toBe(me)
    // From the first that was not confirmed, which may be one that had arrived.
    const heard = numbers(back)
    expect(heard).toEqual(Array.from({ length: heard.length }, (_, i) => 1_003 - heard.length + 1 + i))
    expect(heard.length).toBeGreaterThanOrEqual(1_000)
  },
)

test('[GOV8] what a PONG has confirmed is not sent again, and what none has is, on every runtime', async () => {
  await using bed = await testbed({ config: { clients: [{ name: 'w', token: 'tw', resume: true }] } })
  await using wire = await tunnel(bed.gateway.address)
  await using first = await Client.connect(`${wire.ws}/`, bearer('tw'))
  await first.next(isMe)
  says(bed, 1, 3)
  const position = await confirms(first, 3)
  // Only when the answer to that one has arrived it is asked again.
  says(bed, 4, 4)
  const later = await confirms(first, 4)
  expect(later).toBeGreaterThan(position)
  wire.freeze()
  says(bed, 5, 5)
  await bed.gateway.until(({ bots }) => bots[0]?.sessions[0]?.pending === 0)
  wire.cut()
  await away(bed)
  await using back = await Client.connect(`${wire.ws}/`, bearer('tw'))
  expect((await back.next(isResume))['from']).toBeGreaterThanOrEqual(position)
  await hears(back, 5)
  expect(numbers(back).filter((n) => n < 4)).toEqual([])
})

test('[GOV8] with `ack: explicit` what `ack_event` has confirmed is not sent again, and no PING comes', async () => {
  await using bed = await testbed({ config: { clients: [{ name: 'w', token: 'tw', resume: { ack: 'explicit' } }] } })
  await using first = await Client.connect(`${bed.gateway.ws}/`, bearer('tw'))
  let pings = 0
  first.socket.addEventListener('ping', () => {
    pings += 1
  })
  await first.next(isMe)
  says(bed, 1, 4)
  const { seq } = await hears(first, 2)
  await hears(first, 4)
  expect(await first.call('ack_event', { seq: 1_000_000 })).toMatchObject({ status: 'failed', retcode: 1400 })
  expect(await first.call('ack_event', { seq })).toMatchObject({ status: 'ok' })
  await first.close()
  await away(bed)
  says(bed, 5, 5)
  await using back = await Client.connect(`${bed.gateway.ws}/`, bearer('tw'))
  await hears(back, 5)
  expect(numbers(back)).toEqual([3, 4, 5])
  expect(pings).toBe(0)
})

/** In a process of its own it takes as long as users wait. */
const SILENCE = outside ? 30_000 : 1_500

test('[GOV9] a link that has gone dead is given up when it answers no PING, and nothing is lost', async () => {
  const patience = outside ? {} : { patience: { ...EAGER, silence: SILENCE } }
  await using bed = await testbed({
    ...patience,
    config: { clients: [{ name: 'w', token: 'tw', resume: true }] },
  })
  await using wire = await tunnel(bed.gateway.address)
  await using first = await Client.connect(`${wire.ws}/`, bearer('tw'))
  await first.next(isMe)
  wire.freeze()
  const began = performance.now()
  says(bed, 1, 3)
  await away(bed)
  expect(performance.now() - began).toBeGreaterThanOrEqual(SILENCE)
  expect((await bed.gateway.status()).facts['session-away']).toBe(1)
  await using back = await Client.connect(`${bed.gateway.ws}/`, bearer('tw'))
  await hears(back, 3)
  expect(numbers(back)).toEqual([1, 2, 3])
  expect(numbers(first)).toEqual([])
  wire.cut()
})

test('[GOV9] a newer link takes over from a dead one at once, and from one that is well, which is closed with 4009', async () => {
  await using bed = await testbed({ config: { clients: [{ name: 'w', token: 'tw', resume: true }] } })
  await using wire = await tunnel(bed.gateway.address)
  await using dead = await Client.connect(`${wire.ws}/`, bearer('tw'))
  const me = appId(await dead.next(isMe))
  wire.freeze()
  says(bed, 1, 3)
  await bed.gateway.until(({ bots }) => (bots[0]?.journal.entries ?? 0) >= 3)

  await using second = await Client.connect(`${bed.gateway.ws}/`, bearer('tw'))
  await hears(second, 3)
  expect(numbers(second)).toEqual([1, 2, 3])
  await using third = await Client.connect(`${bed.gateway.ws}/`, bearer('tw'))
  expect(await second.closed).toMatchObject({ code: 4009 })
  says(bed, 4, 4)
  await hears(third, 4)
  expect(numbers(third).at(-1)).toBe(4)
  expect(numbers(second)).not.toContain(4)
  const { bots } = await bed.gateway.status()
  expect(bots[0]?.sessions.map(({ app_id }) => app_id)).toEqual([me])
  // What it asks for is answered to it, and to nobody else.
  bed.bot.answer = ({ echo }) => JSON.stringify({ status: 'ok', retcode: 0, data: null, echo })
  expect(await third.call('get_status')).toMatchObject({ status: 'ok' })
  wire.cut()
})

test('[GOV7] a link that we dial comes back in the same way', async () => {
  await using application = new Application()
  await using bed = await testbed({
    ...BRISK,
    config: { 'reverse-web-socket': [{ name: 'r', url: application.url, resume: true }] },
  })
  const first = await application.links.take()
  const me = appId(await first.next(isMe))
  says(bed, 1, 2)
  await hears(first, 2)
  application.drop()
  says(bed, 3, 4)
  const back = await application.links.take()
  expect(await back.next(isResume)).toMatchObject({ recovered: true, lost: 0 })
  await hears(back, 4)
  expect(numbers(back).slice(-2)).toEqual([3, 4])
  expect(appId(JSON.parse(back.heard.find((raw) => raw.includes('"self_client":true')) ?? '{}'))).toBe(me)
})
