// Signs a macOS program for itself (ad hoc): what a build appends makes the runtime's own signature wrong, and macOS ends
// programs whose signature is.

import { createHash } from 'node:crypto'

const MACH_O_64 = 0xfeedfacf
const HEADER = 32
const SEGMENT = 0x19
const SIGNATURE = 0x1d
/** Blobs of a signature, big-endian. */
const SUPER_BLOB = 0xfade0cc0
const CODE_DIRECTORY = 0xfade0c02
const VERSION = 0x20400
/** By nobody's key, and made as linkers make them: Apple's tools may replace it. */
const FLAGS = 0x20002
const MAIN_PROGRAM = 1
const PAGE_BITS = 12
const PAGE = 1 << PAGE_BITS
const SHA256 = { type: 2, size: 32 }
/** Of one blob in a super blob, and of a code directory of this version, in bytes. */
const INDEX = 20
const DIRECTORY = 88
/** Segments end at a page of the processor; this is the greater of both kinds. */
const SEGMENT_PAGE = 0x4000

/** The same program with a signature that fits; `name`: what it is called in there. Throws when it has no room for one. */
export function signed(program: Buffer, name: string): Buffer {
  const { signature, text, linkedit } = commands(program)
  const limit = program.readUInt32LE(signature + 8)
  const identity = Buffer.from(`${name}\0`)
  const pages = Math.ceil(limit / PAGE)
  const length = INDEX + DIRECTORY + identity.length + pages * SHA256.size
  const size = Math.ceil(length / 16) * 16

  const code = Buffer.from(program.subarray(0, limit))
  code.writeUInt32LE(size, signature + 12)
  const fileSize = BigInt(limit + size) - code.readBigUInt64LE(linkedit + 40)
  code.writeBigUInt64LE(fileSize, linkedit + 48)
  const pageSize = BigInt(SEGMENT_PAGE)
  code.writeBigUInt64LE(((fileSize + pageSize - 1n) / pageSize) * pageSize, linkedit + 32)

  const blob = Buffer.alloc(size)
  const numbers = [
    ...[SUPER_BLOB, length, 1, 0, INDEX],
    ...[CODE_DIRECTORY, length - INDEX, VERSION, FLAGS, DIRECTORY + identity.length, DIRECTORY, 0, pages, limit],
  ]
  for (const [index, number] of numbers.entries()) blob.writeUInt32BE(number, index * 4)
  const directory = blob.subarray(INDEX)
  directory.set([SHA256.size, SHA256.type, 0, PAGE_BITS], 36)
  directory.writeBigUInt64BE(code.readBigUInt64LE(text + 40), 64)
  directory.writeBigUInt64BE(code.readBigUInt64LE(text + 48), 72)
  directory.writeBigUInt64BE(BigInt(MAIN_PROGRAM), 80)
  directory.set(identity, DIRECTORY)
  for (let page = 0; page < pages; page++) {
    const hash = createHash('sha256')
      .update(code.subarray(page * PAGE, (page + 1) * PAGE))
      .digest()
    directory.set(hash, DIRECTORY + identity.length + page * SHA256.size)
  }
  return Buffer.concat([code, blob])
}

/** Where the load commands stand that matter here. */
function commands(program: Buffer): { signature: number; text: number; linkedit: number } {
  if (program.readUInt32LE(0) !== MACH_O_64) throw new Error('no Mach-O program of 64 bits')
  const found = { signature: 0, text: 0, linkedit: 0 }
  let at = HEADER
  for (let left = program.readUInt32LE(16); left > 0; left--) {
    const command = program.readUInt32LE(at)
    const segment = command === SEGMENT ? program.toString('latin1', at + 8, at + 24).replace(/\0.*$/s, '') : ''
    if (command === SIGNATURE) found.signature = at
    if (segment === '__TEXT') found.text = at
    if (segment === '__LINKEDIT') found.linkedit = at
    at += program.readUInt32LE(at + 4)
  }
  for (const [what, place] of Object.entries(found)) if (place === 0) throw new Error(`it has no ${what}`)
  return found
}
