// Bytes of WebSocket frames as no library would write them, and randomness that comes out the same in every run.

export interface FrameBits {
  opcode: number
  payload?: string | Buffer
  /** Default: set. */
  fin?: boolean
  /** Reserved bits, 1 to 7. */
  reserved?: number
  masked?: boolean
  /** Claims this length, whatever follows. */
  length?: bigint
}

export function wireFrame({
  opcode,
  payload = '',
  fin = true,
  reserved = 0,
  masked = true,
  length,
}: FrameBits): Buffer {
  const bytes = Buffer.from(payload)
  const size = length ?? BigInt(bytes.length)
  const head = Buffer.alloc(size < 126n ? 2 : size < 65_536n ? 4 : 10)
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  head[1] = (masked ? 0x80 : 0) | (size < 126n ? Number(size) : size < 65_536n ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(Number(size), 2)
  if (head.length === 10) head.writeBigUInt64BE(size, 2)
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), bytes])
}

/** Numbers in [0, 1), always the same ones for a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
