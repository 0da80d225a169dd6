// Writes .zip archives that are the same whenever they are made.

import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  readonly name: string
  readonly bytes: Uint8Array
  readonly executable: boolean
}

const UTF8 = 0x800
const DEFLATE = 8
const MADE_ON_UNIX = 3 << 8
const REGULAR = 0o100_000

/** `time`: of every entry, to two seconds, as the format has it; UTC. Files below 4 GiB. */
export function zip(entries: readonly ZipEntry[], time: Date): Buffer {
  const bodies: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  for (const { name, bytes, executable } of entries) {
    const packed = deflateRawSync(bytes, { level: 9 })
    const file = Buffer.from(name)
    const about = common(packed.length, bytes, file.length, time)
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), about, file])
    const central = Buffer.alloc(46)
    central.write('PK\u0001\u0002')
    central.writeUInt16LE(MADE_ON_UNIX | 20, 4)
    about.copy(central, 6)
    central.writeUInt32LE(((REGULAR | (executable ? 0o755 : 0o644)) << 16) >>> 0, 38)
    central.writeUInt32LE(offset, 42)
    bodies.push(local, packed)
    directory.push(central, file)
    offset += local.length + packed.length
  }
  const index = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\u0005\u0006')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(index.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...bodies, index, end])
}

/** What an entry's two headers share. */
function common(packed: number, bytes: Uint8Array, nameLength: number, time: Date): Buffer {
  const header = Buffer.alloc(26)
  header.writeUInt16LE(20, 0)
  header.writeUInt16LE(UTF8, 2)
  header.writeUInt16LE(DEFLATE, 4)
  header.writeUInt16LE((time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1), 6)
  header.writeUInt16LE(((time.getUTCFullYear() - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate(), 8)
  header.writeUInt32LE(crc32(bytes), 10)
  header.writeUInt32LE(packed, 14)
  header.writeUInt32LE(bytes.length, 18)
  header.writeUInt16LE(nameLength, 22)
  return header
}
