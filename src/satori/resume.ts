// Where each bot's events go on for a client that comes back with the `sn` of the last one it got.

import type { Bot } from '../broker/bot.ts'
import type { Cursor, Journal } from '../broker/ports.ts'
import { positionAfter, positionOf } from './sn.ts'

export interface Place {
  readonly cursor: Cursor
  /** Events that are gone; 0 where nobody can tell how many. Undefined: none. */
  readonly lost: number | undefined
}

/**
 * The `sn` is of one bot's event. The others go on by its time: with what came since, and at the same moment, so that
 * they may tell something twice, but leave nothing out. Empty: the client begins anew.
 */
export function places(bots: readonly Bot[], sn: number | undefined): ReadonlyMap<Bot, Place> {
  const found = new Map<Bot, Place>()
  if (sn === undefined) return found
  const heard = bots.find((bot) => positionOf(bot.journal, sn) !== undefined)
  const at = heard && positionOf(heard.journal, sn)
  const time = at === undefined ? undefined : heard?.journal.at(at)?.time
  for (const bot of bots)
    if (bot === heard && at !== undefined)
      found.set(bot, placeAt(bot.journal, (at + 1) as Cursor)) // the cast: right after `at`
    else found.set(bot, placeOf(bot.journal, time))
  return found
}

function placeAt(journal: Journal, next: Cursor): Place {
  const missed = journal.missed(next)
  return missed === 0 ? { cursor: next, lost: undefined } : { cursor: journal.first, lost: missed }
}

function placeOf(journal: Journal, time: number | undefined): Place {
  if (time === undefined) return { cursor: journal.first, lost: 0 }
  return { cursor: positionAfter(journal, time), lost: undefined }
}
