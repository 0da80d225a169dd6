// Rounds in which gateway, implementation and clients are killed in turn under load: what comes back has missed nothing.

import { mortals } from '../../test/support/mortals.ts'
import { judge } from '../../test/support/verdict.ts'
import { type Check, equal, figure } from './checks.ts'

export interface EverybodyOptions {
  rounds: number
  say: (text: string) => void
}

const RATE = 2_000
const CALLS = 200
/** How long (ms) everybody lives between two deaths, at least. */
const LIFE = 1_000

export async function everybody({ rounds, say }: EverybodyOptions): Promise<Check[]> {
  const told = await mortals({ rounds, rate: RATE, calls: CALLS, life: LIFE, say })
  const { events, rate, again, calls, callRate, durable, unknown, wrong } = judge(told)
  for (const what of wrong) say(what)
  const name = (what: string) => `everybody: ${what}`
  return [
    figure(name('times each of them was killed'), rounds),
    figure(name('events'), events),
    figure(name(`events a second while the gateway was there (${RATE} are offered)`), rate),
    figure(name('events that came again, since they were not confirmed'), JSON.stringify(again)),
    figure(name('calls'), calls),
    figure(name(`calls a second while the gateway was there (${CALLS} are offered)`), callRate),
    figure(name('durable calls'), durable),
    figure(name('durable calls of unknown outcome'), unknown),
    equal(name('events lost, out of order or again without a reason, calls without one reply'), wrong.length, 0),
  ]
}
