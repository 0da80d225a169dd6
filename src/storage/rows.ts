// Batches of events as rows: packed, with a checksum, and read again only if they are whole.

import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import type { Packed } from '../broker/journal.ts'
import { FileTrouble } from './trouble.ts'

/** Columns as SQLite gives them; what stands in them may be anything after an accident. */
export type Row = Readonly<Record<string, unknown>>

/** The values of a row of `events`, in the order of its columns. */
export function rowOf({ first, times, sizes, to, texts }: Packed): SQLInputValue[] {
  const [ages, lengths] = [bytesOf(times), bytesOf(sizes)]
  const addressees = to.size === 0 ? null : JSON.stringify(Array.from(to, ([at, names]) => [at, ...names]))
  return [first, ages, lengths, addressees, texts, checksum(texts, lengths, ages, addressees)]
}

/** @throws FileTrouble for a row that is not as it was written. */
export function packedOf({ first, times, sizes, addressees, texts, checksum: sum }: Row): Packed {
  const [ages, lengths, bytes] = [blob(times), blob(sizes), blob(texts)]
  const names = typeof addressees === 'string' ? addressees : null
  if (typeof first !== 'number' || sum !== checksum(bytes, lengths, ages, names))
    throw new FileTrouble('damaged', 'events in it are not as they were written')
  return {
    first,
    times: new Float64Array(ages.slice().buffer),
    sizes: new Uint32Array(lengths.slice().buffer),
    to: addresseesOf(names),
    texts: bytes,
  }
}

/** All of them, in order, one at a time. */
export function* allRows(database: DatabaseSync): Iterable<Packed> {
  for (const row of database.prepare('SELECT * FROM events ORDER BY first').iterate()) yield packedOf(row)
}

function addresseesOf(names: string | null): Packed['to'] {
  if (names === null) return new Map()
  const found: [number, ...string[]][] = JSON.parse(names) // its checksum says that we wrote it
  return new Map(found.map(([at, ...to]) => [at, new Set(to)]))
}

const checksum = (texts: Uint8Array, sizes: Uint8Array, times: Uint8Array, addressees: string | null): number =>
  crc32(addressees ?? '', crc32(times, crc32(sizes, crc32(texts))))

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength)

function blob(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new FileTrouble('damaged', `found ${value === null ? 'nothing' : `a ${typeof value}`} where bytes should be`)
}
