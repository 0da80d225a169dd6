// What goes wrong again and again, as lines that are few and leave nothing out.

import { limit } from './limit.ts'
import type { Fields } from './line.ts'
import type { Facts, Log } from './log.ts'

/** A fact that somebody else can cause at will is said once in this time (ms), with the number of times. */
export const THROTTLE = 5_000

/** Refusals for one reason must not hide those for another: somebody mends a token, and then has the path wrong. */
export function byStatus(log: Log) {
  const logs = new Map<number, Facts>()
  return (status: number) => {
    const thin = logs.get(status) ?? limit(log, THROTTLE)
    logs.set(status, thin)
    return thin
  }
}

interface Retry {
  readonly reason: string
  readonly tries: number
  readonly inMs: number
}

/** What fails again and again is worth a line at first and whenever it fails differently, and a reminder now and then. */
export function retries(log: Log) {
  const before = new Map<string, string>()
  return (fact: string, peer: string, { tries, inMs, ...status }: Retry, fields: Fields) => {
    const reason = reasonOf(status.reason, peer)
    const news = tries % 10 === 1 || before.get(peer) !== reason
    before.set(peer, reason)
    log[news ? 'warn' : 'debug'](fact, { ...fields, reason, in: seconds(inMs) })
  }
}

/** Who keeps losing events is told of at once, and then now and then with all that it has lost since. */
export function losses(log: Log) {
  const since = new Map<string, { missed: number }>()
  return (fact: string, missed: number, fields: Fields) => {
    const key = JSON.stringify([fact, fields])
    const known = since.get(key)
    if (known !== undefined) {
      known.missed += missed
      return
    }
    const sum = { missed }
    const say = () => {
      if (sum.missed === 0) return since.delete(key)
      log.warn(fact, { ...fields, missed: sum.missed })
      sum.missed = 0
      return setTimeout(say, THROTTLE).unref?.()
    }
    since.set(key, sum)
    say()
  }
}

/** The address stands beside it. */
export const reasonOf = (reason: string, peer: string) => reason.replace(`dial ${peer}: `, '')
export const seconds = (ms: number) => `${(ms / 1000).toFixed(1)}s`
