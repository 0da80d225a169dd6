// The signature that macOS wants of a program, on a small one of our own.

import { expect, test } from 'bun:test'
import { signed } from '../../scripts/release/macho.ts'
import { sha256 } from '../support/release-host.ts'

/** As it comes out of a build: the old signature at its end, and bytes that it does not cover. */
function program(size: number): Buffer {
  const segment = (name: string, offset: number, length: number) => {
    const command = Buffer.alloc(72)
    command.writeUInt32LE(0x19, 0)
    command.writeUInt32LE(72, 4)
    command.write(name, 8)
    command.writeBigUInt64LE(BigInt(offset), 40)
    command.writeBigUInt64LE(BigInt(length), 48)
    return command
  }
  const signature = Buffer.alloc(16)
  for (const [index, number] of [0x1d, 16, size, 100].entries()) signature.writeUInt32LE(number, index * 4)
  const header = Buffer.alloc(32)
  header.writeUInt32LE(0xfeedfacf, 0)
  header.writeUInt32LE(3, 16)
  const start = Buffer.concat([
    header,
    segment('__TEXT', 0, 4096),
    segment('__LINKEDIT', 4096, size - 4096 + 100),
    signature,
  ])
  return Buffer.concat([start, Buffer.alloc(size - start.length, 'code'), Buffer.alloc(100, 'old')])
}

test('[SHP12] a macOS program bears a signature that covers all of it, page by page', () => {
  for (const size of [8192, 10_001]) {
    const bytes = signed(program(size), 'perpetua')
    expect(signed(program(size), 'perpetua').equals(bytes)).toBe(true)
    const at = 32 + 72 + 72
    const [offset, length] = [bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12)]
    expect([offset, offset + length]).toEqual([size, bytes.length])
    // The last segment holds it, and nothing lies behind.
    const linkedit = 32 + 72
    expect(Number(bytes.readBigUInt64LE(linkedit + 40) + bytes.readBigUInt64LE(linkedit + 48))).toBe(bytes.length)
    expect(Number(bytes.readBigUInt64LE(linkedit + 32)) % 0x4000).toBe(0)

    const blob = bytes.subarray(offset)
    expect([blob.readUInt32BE(0), blob.readUInt32BE(8), blob.readUInt32BE(12)]).toEqual([0xfade0cc0, 1, 0])
    const directory = blob.subarray(blob.readUInt32BE(16))
    expect(directory.readUInt32BE(0)).toBe(0xfade0c02)
    expect(directory.readUInt32BE(4)).toBe(blob.readUInt32BE(4) - blob.readUInt32BE(16))
    const [hashes, identity] = [directory.readUInt32BE(16), directory.readUInt32BE(20)]
    expect(directory.toString('latin1', identity, hashes)).toBe('perpetua\0')
    expect(directory.readUInt32BE(32)).toBe(size)
    const pages = directory.readUInt32BE(28)
    expect(pages).toBe(Math.ceil(size / 4096))
    for (let page = 0; page < pages; page++) {
      const covered = bytes.subarray(page * 4096, Math.min((page + 1) * 4096, size))
      expect(directory.toString('hex', hashes + page * 32, hashes + (page + 1) * 32)).toBe(sha256(covered))
    }
  }
})

test('[SHP12] what is no macOS program, or has no room for a signature, is not signed', () => {
  expect(() => signed(Buffer.alloc(64), 'perpetua')).toThrow('no Mach-O')
  const bare = program(8192)
  bare.writeUInt32LE(2, 16)
  expect(() => signed(bare, 'perpetua')).toThrow('it has no signature')
})
