// Where each bot's events go on for a client that comes back with the `sn` of the last one it got.

import type { Bot } from '../broker/bot.ts'
import type { Cursor, Journal } from '../broker/ports.ts'
import { lastBefore, positionAfter, positionOf } from './sn.ts'

export interface Place {
  readonly cursor: Cursor
  /** Events that are gone; 0 where nobody can tell how many. Undefined: none. */
  readonly lost: number | undefined
}

/** The time before which the client has got a bot's events, where the last one that it got, of any bot, is of `time`. */
export type Since = (bot: Bot, time: number) => number

/**
 * The `sn` is of one bot's event. The others go on by its time: with what came since, and at the same moment, and what
 * was late then, so that they may tell something twice, but leave nothing out. Empty: the client begins anew.
 */
export function places(
  bots: readonly Bot[],
  sn: number | undefined,
  since: Since = (_bot, time) => time,
): ReadonlyMap<Bot, Place> {
  const found = new Map<Bot, Place>()
  if (sn === undefined) return found
  // Two journals may have the same mark. Whose the number is does not show then: what either would leave out is told.
  const readings = bots.filter(({ journal }) => positionOf(journal, sn) !== undefined)
  for (const heard of readings.length > 0 ? readings : [undefined])
    for (const bot of bots) found.set(bot, earlier(found.get(bot), placeFor(bot, heard, sn, since)))
  return found
}

/** @param heard whose event it was; undefined: nobody knows. */
function placeFor(bot: Bot, heard: Bot | undefined, sn: number, since: Since): Place {
  const at = heard && positionOf(heard.journal, sn)
  if (heard === undefined || at === undefined) return placeOf(bot.journal, undefined)
  const next = (at + 1) as Cursor // the cast: right after `at`
  if (bot === heard) return placeAt(bot.journal, next)
  // Who was given nothing of it has been given nothing at all.
  const time = at < FIRST ? 0 : lastBefore(heard.journal, next)?.time
  return placeOf(bot.journal, time === undefined ? undefined : since(bot, time))
}

function earlier(one: Place | undefined, other: Place): Place {
  if (one === undefined) return other
  const cursor = Math.min(one.cursor, other.cursor) as Cursor // the cast: it is one of the two
  return { cursor, lost: one.lost ?? other.lost }
}

function placeAt(journal: Journal, next: Cursor): Place {
  const missed = journal.missed(next)
  return missed === 0 ? { cursor: next, lost: undefined } : { cursor: journal.first, lost: missed }
}

function placeOf(journal: Journal, time: number | undefined): Place {
  if (time === undefined) return { cursor: journal.first, lost: 0 }
  const cursor = positionAfter(journal, time)
  // What has gone before the oldest that is left may have been newer than that moment.
  const begun = journal.missed(FIRST) > 0 && cursor === journal.first && (journal.at(cursor)?.time ?? 0) > time
  return { cursor, lost: begun ? 0 : undefined }
}

/** Where every journal has begun. */
const FIRST = 1 as Cursor // the cast: see above
