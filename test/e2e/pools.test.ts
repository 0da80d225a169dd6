// Members of a pool on real sockets: each event is one member's, whoever is slow, away or killed.

import { expect, test } from 'bun:test'
import type { ConfigInput } from '../../src/config/schema.ts'
import type { Client } from '../support/client.ts'
import { crowd, type Member, numbered, numberIn } from '../support/crowd.ts'
import { folder } from '../support/folder.ts'
import { groupMessage, heartbeat } from '../support/implementation.ts'
import { program } from '../support/program.ts'
import type { Returner } from '../support/returner.ts'
import { lacks, windows } from '../support/system.ts'
import { type Bed, testbed } from '../support/testbed.ts'
import { milky } from '../support/upstream.ts'

type PoolInput = NonNullable<ConfigInput['pools']>[string]

const NAMES = ['a', 'b', 'c', 'd']
const crew = (pool: PoolInput, names = NAMES): ConfigInput => ({
  clients: names.map((name, i) => ({ name, token: `token-${name}`, pool: 'crew', weight: names.length - i })),
  pools: { crew: pool },
})
const come = (bed: Bed, name: string) => bed.client('/', { headers: { Authorization: `Bearer token-${name}` } })
const numbers = (client: Client) => client.heard.map(numberIn).filter((n) => n > 0)
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
const sorted = (all: readonly number[]) => all.toSorted((one, other) => one - other)
const dispatched = (bed: Bed, count: number) =>
  bed.gateway.until(({ bots }) => {
    const [pool] = bots[0]?.pools ?? []
    return pool?.dispatched === count && pool.waiting === 0
  })

/** A message in group `n`; by its text it is known. */
const inGroup = (n: number, group: number) =>
  numbered(n).replace('"message_type":"group"', `"message_type":"group","group_id":${group}`)

const EVENTS = 60
const GROUPS = 12

/** What must be true of who got what, beyond that each event is one member's; shares in the order of the weights 4, 3, 2, 1. */
const STRATEGIES: [PoolInput & { strategy: string }, (shares: number[][]) => void][] = [
  [{ strategy: 'round-robin' }, (shares) => expect(shares.map(({ length }) => length)).toEqual([24, 18, 12, 6])],
  [{ strategy: 'random' }, (shares) => expect(shares.flat()).toHaveLength(EVENTS)],
  [{ strategy: 'least-pending' }, (shares) => expect(shares.every(({ length }) => length > 0)).toBe(true)],
  [
    { strategy: 'hash', by: 'group_id' },
    (shares) => {
      const owners = Map.groupBy(
        shares.keys().flatMap((at) => (shares[at] ?? []).map((n) => [n % GROUPS, at])),
        ([g]) => g,
      )
      for (const [, of] of owners) expect(new Set(of.map(([, at]) => at)).size).toBe(1)
    },
  ],
  [{ strategy: 'priority' }, (shares) => expect(shares[0]).toHaveLength(EVENTS)],
]

test.each(STRATEGIES)(
  '[GOV10] %j: each event goes to one of four members, in order; meta events and `client_status` to all',
  async (pool, more) => {
    await using bed = await testbed({ config: crew(pool) })
    const members = await Promise.all(NAMES.map((name) => come(bed, name)))
    for (const n of upTo(EVENTS)) bed.bot.send(inGroup(n, n % GROUPS))
    await dispatched(bed, EVENTS)
    if (!milky) bed.bot.send(heartbeat(4_321))
    await using last = await bed.client('/?client_name=guest')
    for (const member of members) {
      if (!milky) await member.next((frame) => frame['interval'] === 4_321)
      await member.next(({ client }) => (client as { client_name?: string } | undefined)?.client_name === 'guest')
    }
    const shares = members.map(numbers)
    expect(sorted(shares.flat())).toEqual(upTo(EVENTS))
    for (const share of shares) expect(share).toEqual(sorted(share))
    more(shares)
    // Who is in no pool gets everything.
    bed.bot.send(numbered(EVENTS + 1))
    await last.next((_, raw) => numberIn(raw) === EVENTS + 1)
  },
)

test('[GOV11] a member that does not read is passed over, and nothing is lost', async () => {
  const names = ['slow', 'b', 'c', 'd']
  await using bed = await testbed({
    config: {
      clients: names.map((name) => ({ name, pool: 'crew' })),
      pools: { crew: { strategy: 'round-robin' } },
    },
  })
  const crowds = await Promise.all(
    names.map((name) => crowd(bed.gateway.ws, { count: 1, path: `/?client_name=${name}`, numbers: true })),
  )
  const members = crowds.flatMap(({ members: [one] }) => (one === undefined ? [] : [one]))
  const [slow, ...others] = members as [Member, ...Member[]] // there are four
  await bed.gateway.until(({ bots }) => bots[0]?.pools?.[0]?.members === names.length)
  slow.pause()
  const count = 600
  for (const n of upTo(count)) bed.bot.send(numbered(n, 64 * 1024))
  await dispatched(bed, count)
  const got = (of: readonly Member[]) => of.reduce((sum, { count: one }) => sum + one, 0)
  const before = slow.count
  // Most of it is done by those who read.
  while (got(others) < count / 2) await Bun.sleep(5)
  expect(slow.count).toBe(before)
  slow.resume()
  while (got(members) < count) await Bun.sleep(5)
  expect(sorted(members.flatMap((one) => one.numbers))).toEqual(upTo(count))
  for (const one of members) expect(one.numbers).toEqual(sorted(one.numbers))
  expect(slow.count).toBeLessThan(count / 4)
  for (const one of crowds) await one[Symbol.asyncDispose]()
})

test('[GOV11] with nobody there events wait, and go to who comes, in order', async () => {
  await using bed = await testbed({ config: crew({ strategy: 'round-robin' }, ['a', 'b']) })
  const first = await come(bed, 'a')
  await first.close()
  for (const n of upTo(50)) bed.bot.send(numbered(n))
  await bed.gateway.until(({ bots }) => (bots[0]?.pools?.[0]?.waiting ?? 0) >= 50)
  const back = await come(bed, 'b')
  while (numbers(back).length < 50) await Bun.sleep(5)
  expect(numbers(back)).toEqual(upTo(50))
  expect((await bed.gateway.status()).facts['pool-empty']).toBe(1)
})

test.skipIf(lacks(windows, 'Windows has no signals that a program could be stopped by'))(
  '[GOV12] acked: what a member killed with -9 had not confirmed goes to another, in order, before anything newer',
  async () => {
    const config = crew({ strategy: 'priority', dispatch: 'acked', resume: true }, ['a', 'b'])
    await using bed = await testbed({ config })
    await using home = await folder()
    const notes = home.at('notes')
    await Bun.write(notes, '')
    await Bun.write(home.at('address'), `${bed.gateway.ws} 0`)
    const wish: Returner = {
      name: 'a',
      token: 'token-a',
      ack: 'ping',
      address: home.at('address'),
      notes,
      calls: 0,
      since: 0,
    }
    await using member = program([JSON.stringify(wish)], { cwd: home.path, entry: 'test/support/returner.ts' })
    await using other = await come(bed, 'b')
    const noted = async (text: string) => {
      while (!(await home.read('notes')).includes(`${text}\n`)) await Bun.sleep(5)
    }
    await bed.gateway.until(({ bots }) => bots[0]?.pools?.[0]?.members === 2)
    bed.bot.send(groupMessage('one'))
    await noted('event one')
    await noted('confirmed one')
    // It is well as far as anybody can tell, but it does nothing any more.
    member.signal('SIGSTOP')
    for (const n of upTo(20)) bed.bot.send(groupMessage(`job ${n}`))
    await dispatched(bed, 21)
    member.signal('SIGKILL')
    await bed.gateway.until(({ bots }) => bots[0]?.pools?.[0]?.members === 1)
    bed.bot.send(groupMessage('new'))
    await other.next((frame) => frame['raw_message'] === 'new')
    const heard = other.heard.map((raw): unknown => JSON.parse(raw).raw_message).filter((text) => text !== undefined)
    expect(heard.filter((text) => text !== 'one')).toEqual([...upTo(20).map((n) => `job ${n}`), 'new'])
    expect((await bed.gateway.status()).bots[0]?.pools?.[0]).toMatchObject({ members: 1, waiting: 0 })
    expect(await home.read('notes')).not.toContain('event job')
  },
)
