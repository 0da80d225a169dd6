// Many clients made of little: raw TCP sockets that only count numbered events, so that the gateway is what takes the time.

import { createHash } from 'node:crypto'
import { milky } from './upstream.ts'

const NUMBER = '"post_type":"message","number":'
/** A numbered event as it is heard: its number has seven digits and stands right after this, which is near its start. */
const MARK = Buffer.from(milky ? '"real_id":' : NUMBER)
const NEAR = milky ? 192 : 128
const DIGITS = 7
/** An unasked-for PONG, masked with zeros. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])
const EMPTY = Buffer.alloc(0)

/** Event number `n`; `size` pads its text to that many bytes. */
export function numbered(n: number, size = 0): string {
  const start = `{"time":1700000000,"self_id":10001,${NUMBER}${1_000_000 + n},"message_type":"group","raw_message":"`
  return `${start}${'x'.repeat(Math.max(0, size - start.length - 2))}"}`
}

/** By this the text of event number `n` is known where it is heard. */
export const markOf = (n: number): string => `${MARK}${1_000_000 + n}`

/** The number of a numbered event; 0 for every other text. */
export function numberIn(text: string): number {
  const at = text.indexOf(MARK.toString())
  const number = at < 0 ? '' : text.slice(at + MARK.length, at + MARK.length + DIGITS)
  // Over Milky every message has a number there; those of others are shorter.
  return /^\d{7}$/.test(number) ? Number(number) - 1_000_000 : 0
}

export interface Member {
  /** Numbered events heard. */
  readonly count: number
  /** Number of the first and the latest of them. */
  readonly first: number
  readonly last: number
  /** All of them in order, when asked for. */
  readonly numbers: readonly number[]
  /** How often an event was not the one right after the one before. */
  readonly gaps: number
  /** SHA-1 of all their bytes, when asked for. */
  readonly digest: string
  /** Code of the close frame; 1006 when the connection ended without; undefined while it is open. */
  readonly code: number | undefined
  pause(): void
  resume(): void
  /** Says something nobody minds: a PONG. */
  poke(): void
  /** Ends the connection without a close frame. */
  end(): void
}

interface Counts {
  count: number
  first: number
  last: number
  gaps: number
  code: number | undefined
}

export interface Crowd extends AsyncDisposable {
  readonly members: readonly Member[]
  /** Resolves once all of these (default: everybody) have heard event number `n`, or have been closed. */
  heard(n: number, members?: readonly Member[]): Promise<void>
  /** Resolves once all of these are closed. */
  closed(members?: readonly Member[]): Promise<void>
}

export interface CrowdOptions {
  count: number
  /** They come in the order of `members`; otherwise several come at once, in any order. */
  inTurn?: boolean
  path?: string
  /** Keep a digest of all events: costs time. */
  digest?: boolean
  /** Keep the numbers of all events. */
  numbers?: boolean
}

export async function crowd(address: string, options: CrowdOptions): Promise<Crowd> {
  const { hostname, port } = new URL(address)
  let wake = Promise.withResolvers<void>()
  const news = () => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  const members: RawMember[] = []
  // One by one in small batches: the listener's backlog is not what these stories are about.
  while (members.length < options.count) {
    const batch = Math.min(options.inTurn ? 1 : 50, options.count - members.length)
    members.push(
      ...(await Promise.all(
        Array.from({ length: batch }, () => RawMember.join(hostname, Number(port), options, news)),
      )),
    )
  }
  const when = async (done: (member: Member) => boolean, of: readonly Member[]) => {
    while (!of.every(done)) await wake.promise
  }
  return {
    members,
    heard: (n, of = members) => when(({ last, code }) => last >= n || code !== undefined, of),
    closed: (of = members) => when(({ code }) => code !== undefined, of),
    async [Symbol.asyncDispose]() {
      for (const member of members) member.end()
    },
  }
}

class RawMember implements Member, Counts {
  count = 0
  first = 0
  last = 0
  gaps = 0
  code: number | undefined
  readonly numbers: number[] = []
  readonly #keeps: boolean
  readonly #news: () => void
  readonly #hash: ReturnType<typeof createHash> | undefined
  #socket: Bun.Socket | undefined
  #shaken = Promise.withResolvers<void>()
  #open = false
  #rest: Buffer = EMPTY
  /** Pieces of a frame that is longer than what came so far, and the bytes they lack. */
  #pieces: Buffer[] = []
  #lacking = 0

  private constructor(news: () => void, { digest = false, numbers = false }: CrowdOptions) {
    this.#news = news
    this.#keeps = numbers
    this.#hash = digest ? createHash('sha1') : undefined
  }

  static async join(hostname: string, port: number, options: CrowdOptions, news: () => void) {
    const { path = '/' } = options
    const member = new RawMember(news, options)
    member.#socket = await Bun.connect({
      hostname,
      port,
      socket: {
        data: (_socket, bytes) => member.#data(bytes),
        close: () => member.#ended(1006),
        error: () => member.#ended(1006),
      },
    })
    member.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
    await member.#shaken.promise
    return member
  }

  get digest(): string {
    return this.#hash?.copy().digest('hex') ?? ''
  }
  pause(): void {
    this.#socket?.pause()
  }
  resume(): void {
    this.#socket?.resume()
  }
  poke(): void {
    this.#socket?.write(PONG)
  }
  end(): void {
    this.#socket?.terminate()
  }

  #ended(code: number): void {
    this.code ??= code
    this.#shaken.resolve()
    this.#news()
  }

  #data(chunk: Buffer): void {
    if (this.#lacking > 0) {
      this.#pieces.push(Buffer.from(chunk))
      this.#lacking -= chunk.length
      if (this.#lacking > 0) return
      this.#rest = Buffer.concat(this.#pieces)
      this.#pieces = []
    } else this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (!this.#open && !this.#shake()) return
    const before = this.last
    this.#frames()
    if (this.last !== before) this.#news()
  }

  #shake(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end < 0) {
      this.#rest = Buffer.from(this.#rest)
      return false
    }
    this.#open = this.#rest.toString('latin1', 0, end).startsWith('HTTP/1.1 101')
    this.#rest = this.#rest.subarray(end + 4)
    this.#shaken.resolve()
    return this.#open
  }

  /** Everything whole in `#rest`; what remains is copied, since Bun uses the buffer again. */
  #frames(): void {
    const bytes = this.#rest
    let at = 0
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1] ?? 0
      const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10)
      if (bytes.length < start) break
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
      if (bytes.length < start + length) {
        // Big frames are put together once, when all of it is there.
        this.#lacking = start + length - bytes.length
        break
      }
      this.#frame((bytes[at] ?? 0) & 0x0f, bytes.subarray(start, start + length))
      at = start + length
    }
    const rest = at === bytes.length ? EMPTY : Buffer.from(bytes.subarray(at))
    if (this.#lacking > 0) {
      this.#pieces = [rest]
      this.#rest = EMPTY
    } else this.#rest = rest
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === 8) return this.#ended(payload.length >= 2 ? payload.readUInt16BE(0) : 1005)
    const at = payload.subarray(0, NEAR).indexOf(MARK)
    if (at < 0) return
    let n = 0
    for (let i = 0; i < DIGITS; i++) n = n * 10 + (payload[at + MARK.length + i] ?? 0) - 48
    n -= 1_000_000
    if (this.count === 0) this.first = n
    else if (n !== this.last + 1) this.gaps += 1
    this.count += 1
    if (this.#keeps) this.numbers.push(n)
    this.last = n
    this.#hash?.update(payload)
  }
}
