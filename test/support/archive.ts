// Makes archives byte by byte, also such as no archiver would make.

import { crc32, deflateRawSync, gzipSync } from 'node:zlib'

export interface Item {
  name: string
  body?: string | Uint8Array
  mode?: number
  /** As tar has it: '0' a file, '1' a hard link, '2' a symbolic link, '3' a device, '5' a folder. */
  type?: string
  /** Where a link leads. */
  link?: string
}

const bytesOf = (body: string | Uint8Array = '') => (typeof body === 'string' ? Buffer.from(body) : Buffer.from(body))

export function tar(items: Item[]): Buffer {
  const parts = items.flatMap(({ name, body, mode = 0o644, type = '0', link = '' }) => {
    const content = type === '0' ? bytesOf(body) : Buffer.alloc(0)
    const header = Buffer.alloc(512)
    header.write(name, 0, 100)
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
    header.write('0000000\0'.repeat(2), 108)
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write(`${'0'.repeat(11)}\0`, 136)
    header.write(' '.repeat(8), 148)
    header.write(type, 156)
    header.write(link, 157, 100)
    header.write('ustar\x0000', 257)
    const sum = header.reduce((all, byte) => all + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]
  })
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

export const tarGz = (items: Item[]): Buffer => gzipSync(tar(items))

const KINDS: Record<string, number> = { '0': 0o100_000, '2': 0o120_000, '3': 0o020_000, '5': 0o040_000 }

export function zip(items: Item[]): Buffer {
  const locals: Buffer[] = []
  const entries: Buffer[] = []
  let offset = 0
  for (const { name, body, mode = 0o644, type = '0', link } of items) {
    const content = bytesOf(link ?? body)
    const packed = deflateRawSync(content)
    const file = Buffer.from(name)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(20, 4)
    local.writeUInt16LE(0x800, 6)
    local.writeUInt16LE(8, 8)
    local.writeUInt32LE(crc32(content), 14)
    local.writeUInt32LE(packed.length, 18)
    local.writeUInt32LE(content.length, 22)
    local.writeUInt16LE(file.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE((3 << 8) | 20, 4)
    local.copy(entry, 6, 4, 28)
    entry.writeUInt32LE((((KINDS[type] ?? 0) | mode) << 16) >>> 0, 38)
    entry.writeUInt32LE(offset, 42)
    locals.push(local, file, packed)
    entries.push(entry, file)
    offset += local.length + file.length + packed.length
  }
  const directory = Buffer.concat(entries)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(items.length, 8)
  end.writeUInt16LE(items.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}
