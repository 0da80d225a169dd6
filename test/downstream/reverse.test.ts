// When a client that we dial is dialled, with a host that only counts.

import { expect, jest, test } from 'bun:test'
import { STRANGERS } from '../../src/broker/ports.ts'
import { reverseLink } from '../../src/downstream/reverse.ts'
import type { DialOptions, Host } from '../../src/runtime/host.ts'
import { type Bench, bench } from '../support/bot.ts'
import { timeStands } from '../support/time.ts'

timeStands()

/** A link for each of these shares of the jitter; the one with share s is dialled at `http://s`. */
function links(bed: Bench, shares: readonly number[]) {
  const dialled: string[] = []
  // The cast: of a host a link needs no more than this. Nobody answers.
  const host = {
    dial({ url }: DialOptions) {
      dialled.push(url)
      return new Promise(() => undefined)
    },
  } as unknown as Host
  const all = shares.map((share) =>
    reverseLink({
      entry: { url: `ws://${share}`, name: '', 'access-token': '', 'self-id': '', ca: '', insecure: false },
      key: `${share}`,
      guests: STRANGERS,
      bots: bed.bots,
      host,
      report: bed.facts.report,
      maxFrame: () => 1_000,
      breaker: () => ({ failures: 0, coolDown: 1 }),
      random: () => share,
    }),
  )
  return { dialled, all }
}

test('[LNK42] at the start each link waits for its own part of 300 ms', async () => {
  using bed = bench()
  const { dialled, all } = links(bed, [0, 0.5, 0.999])
  expect(dialled).toEqual([])
  jest.advanceTimersByTime(1)
  expect(dialled).toEqual(['ws://0'])
  jest.advanceTimersByTime(148)
  expect(dialled).toEqual(['ws://0'])
  jest.advanceTimersByTime(1)
  expect(dialled).toEqual(['ws://0', 'ws://0.5'])
  jest.advanceTimersByTime(150)
  expect(dialled).toEqual(['ws://0', 'ws://0.5', 'ws://0.999'])
  expect(all.map(({ status }) => status.state)).toEqual(['dialling', 'dialling', 'dialling'])
})

test('[LNK42] links that waited for the account do not go in the moment in which it is known', () => {
  using bed = bench()
  bed.bot.disown()
  const { dialled, all } = links(bed, [0.2, 0.8])
  jest.advanceTimersByTime(1_000)
  expect(all.map(({ status }) => status.state)).toEqual(['idle', 'idle'])
  bed.bot.identify('10001')
  bed.bots.changed()
  bed.bots.changed()
  expect(dialled).toEqual([])
  jest.advanceTimersByTime(60)
  expect(dialled).toEqual(['ws://0.2'])
  jest.advanceTimersByTime(180)
  expect(dialled).toEqual(['ws://0.2', 'ws://0.8'])
})

test('[LNK42] one that is stopped meanwhile is not dialled', async () => {
  using bed = bench()
  const { dialled, all } = links(bed, [0.5])
  const stopped = all[0]?.stop()
  jest.advanceTimersByTime(5_000)
  await stopped
  expect(dialled).toEqual([])
})
