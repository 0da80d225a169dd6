// Numbers of messages, packed: 32 of one conversation that stand side by side share a row, with a bit for each.

import type { MessagePlace, NumberedMessage } from './ports.ts'

/** As many as a number of SQLite's and a bitwise operation of ours have bits for. */
export const ROW = 32

/** `seq` is that of its first place, taken or not. */
export interface MessageRow extends MessagePlace {
  /** The number of its first place: a multiple of 32. */
  readonly first: number
  /** A bit for each place that is taken, the first one the lowest. */
  places: number
}

/** The row that this number is of; undefined: no message has it. */
export function rowWith(rows: readonly MessageRow[], id: number): MessageRow | undefined {
  const [at, first] = [id % ROW, id - (id % ROW)]
  for (const row of rows) if (row.first === first && ((row.places >>> at) & 1) === 1) return row
  return undefined
}

/** The message has its place from now on. Returns the row that is new with it; undefined: one was there. */
export function addTo(rows: MessageRow[], { id, scene, peer, seq }: NumberedMessage): MessageRow | undefined {
  const [first, start] = [id - (id % ROW), seq - (id % ROW)]
  const bit = 1 << (id % ROW)
  for (const row of rows) {
    if (row.first !== first || row.seq !== start || row.peer !== peer || row.scene !== scene) continue
    row.places = (row.places | bit) >>> 0
    return undefined
  }
  const fresh: MessageRow = { first, scene, peer, seq: start, places: bit >>> 0 }
  rows.push(fresh)
  return fresh
}

export function* messagesOf({ first, scene, peer, seq, places }: MessageRow): Iterable<NumberedMessage> {
  for (let at = 0; at < ROW; at++) if (((places >>> at) & 1) === 1) yield { id: first + at, scene, peer, seq: seq + at }
}
