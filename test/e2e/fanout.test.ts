import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { crowd, numbered } from '../support/crowd.ts'
import { native } from '../support/gateway.ts'
import { lacks, linux } from '../support/system.ts'
import { testbed } from '../support/testbed.ts'
import { milky, type Upstream } from '../support/upstream.ts'

/** Sends events `from` to `to`, in bursts between which the loop turns. */
async function speak(bot: Upstream, from: number, to: number, size: number): Promise<void> {
  for (let n = from; n <= to; n++) {
    bot.send(numbered(n, size))
    if (n % 200 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Node and Deno have no native publish: they prove the same with fewer. */
const MANY = native ? 200 : 20

/** Bytes of text that make a frame of 10 MiB: what was said by Milky stands in it twice. */
const BIG = (milky ? 5 : 10) * 1024 * 1024

/** Far more than any of these takes (ms), also where others keep the machine busy: a story that hangs shall end. */
const PATIENCE = 240_000

/** What somebody heard who missed nothing up to event `last`. */
const whole = (last: number) => ({ count: last, first: 1, last, gaps: 0, code: undefined })

test(
  '[LOAD1] [LOAD2] 200 clients hear 20,000 events in order, and one that stops reading meanwhile hears them afterwards',
  async () => {
    await using bed = await testbed()
    await using clients = await crowd(bed.gateway.address, { count: MANY, path: '/onebot/v11/ws' })
    const [stuck, ...others] = clients.members
    if (stuck === undefined) throw new Error('nobody came')
    stuck.pause()
    await speak(bed.bot, 1, 20_000, 500)
    await clients.heard(20_000, others)
    for (const member of others) expect(member).toMatchObject(whole(20_000))
    expect(stuck.last).toBeLessThan(20_000)
    expect((await bed.gateway.status()).bots[0]?.waiting.catchingUp).toBe(1)

    stuck.resume()
    await clients.heard(20_000, [stuck])
    await bed.gateway.until(({ bots }) => bots[0]?.waiting.catchingUp === 0)
    await speak(bed.bot, 20_001, 20_100, 500)
    await clients.heard(20_100)
    for (const member of clients.members) expect(member).toMatchObject(whole(20_100))
    expect(bed.gateway.facts.filter(({ kind }) => kind === 'publish-dropped')).toEqual([])
  },
  PATIENCE,
)

// Both wait for the gateway's 10 seconds: together.
test.concurrent(
  '[LOAD3] a client that is slower than the journal keeps events is closed with 4008 if it reads, and cut off if it does not',
  async () => {
    await using bed = await testbed({ config: { journal: { 'max-bytes': '1MiB' } } })
    await using clients = await crowd(bed.gateway.address, { count: 10 })
    const [late, dead, ...others] = clients.members
    if (late === undefined || dead === undefined) throw new Error('nobody came')
    late.pause()
    dead.pause()
    let [last, sessions, began] = [0, clients.members.length, 0]
    while (sessions > others.length) {
      // Until then both were there.
      if (sessions === clients.members.length) began = performance.now()
      await speak(bed.bot, last + 1, last + 200, 1000)
      last += 200
      await clients.heard(last, others)
      sessions = (await bed.gateway.status()).bots[0]?.sessions.length ?? sessions
    }
    for (const member of others) expect(member).toMatchObject(whole(last))

    late.resume()
    await clients.closed([late])
    // Everything up to where its socket was full: in order, from the first on.
    expect(late).toMatchObject({ first: 1, gaps: 0, count: late.last, code: 4008 })
    expect(late.last).toBeLessThan(last)

    // Without a close frame, since it takes nothing: what it says itself is answered with a reset.
    while (dead.code === undefined) {
      dead.poke()
      await Bun.sleep(50)
    }
    expect(dead).toMatchObject({ first: 1, gaps: 0, count: dead.last, code: 1006 })
    expect(performance.now() - began).toBeGreaterThan(9_900)
    expect(others.every(({ code }) => code === undefined)).toBe(true)
  },
  PATIENCE,
)

test.concurrent(
  '[LOAD11] clients that hold the room for big frames and take nothing give it back, and are told when they read',
  async () => {
    await using bed = await testbed()
    // Who came first is served first: these take all the room there is.
    await using stuck = await crowd(bed.gateway.address, { count: 7, inTurn: true })
    await using others = await crowd(bed.gateway.address, { count: 3 })
    for (const member of stuck.members) member.pause()
    bed.bot.send(numbered(1, BIG))
    // Their sockets still hold what they did not take; their room is somebody else's already.
    const { links } = await bed.gateway.until(({ bots }) => (bots[0]?.sessions.length ?? 10) <= 4)
    expect(links).toBe(10)
    // Two read at once, in time to be told; their room alone would not do for the others.
    const [quick, slow] = [stuck.members.slice(0, 2), stuck.members.slice(2)]
    for (const member of quick) member.resume()
    await others.heard(1)
    for (const member of others.members) expect(member).toMatchObject(whole(1))
    await stuck.closed(quick)
    for (const member of quick) expect(member).toMatchObject({ count: 1, gaps: 0, code: 4008 })
    for (const member of slow) member.resume()
    await stuck.closed(stuck.members.slice(0, 6))
  },
  PATIENCE,
)

test(
  '[LOAD4] 10 MiB frames to 50 clients, one of them stuck, take bounded memory and arrive byte for byte',
  async () => {
    await using bed = await testbed({ apart: true })
    await using clients = await crowd(bed.gateway.address, { count: 50, digest: true })
    const [stuck, ...others] = clients.members
    if (stuck === undefined) throw new Error('nobody came')
    stuck.pause()
    const image = Buffer.alloc(0.75 * BIG, 'a picture, more or less').toString('base64')
    const event = numbered(1).replace('"raw_message":"', `"raw_message":"${image}`)
    bed.bot.send(event)
    await clients.heard(1, others)
    const digest = milky ? others[0]?.digest : createHash('sha1').update(event).digest('hex')
    for (const member of others) expect(member).toMatchObject({ ...whole(1), digest })
    if (lacks(!linux, 'only Linux tells the most memory that a process had')) return
    // A copy of one of them for each client would be 500 MB.
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${bed.gateway.pid}/status`, 'utf8'))?.[1]) / 1024
    expect(peak).toBeLessThan(350)
  },
  PATIENCE,
)
