// Files that clients have given us to send: kept for a while, bounded, and read again by the links that stand for them.

import { Buffer } from 'node:buffer'
import { SatoriError } from './call.ts'
import { PLATFORM } from './qq.ts'

export interface Upload {
  readonly bytes: Uint8Array
  readonly type: string
  readonly name: string | undefined
}

/** Milliseconds for which a file is kept, and bytes of all of them together. */
export const KEPT = { time: 600_000, bytes: 128 * 1024 * 1024 } as const

const SWEEP = 60_000

const PREFIX = '_tmp/'
/** What a file costs beside its bytes: names, and its place in the table. */
const OVERHEAD = 1_024
const costOf = ({ bytes, name = '', type }: Upload) => bytes.length + 2 * (name.length + type.length) + OVERHEAD

export class Uploads {
  readonly #kept = new Map<string, Upload & { readonly until: number }>()
  readonly #now: () => number
  readonly #sweep: number
  #bytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param now in milliseconds. @param sweep how often (ms) it is looked for files whose time is over. */
  constructor(now: () => number = () => performance.now(), sweep = SWEEP) {
    this.#now = now
    this.#sweep = sweep
  }

  /** What all of them take. */
  get bytes(): number {
    return this.#bytes
  }

  /** The link that stands for it. The oldest files give way. @throws SatoriError when it can never fit. */
  keep(selfId: string, upload: Upload): string {
    const cost = costOf(upload)
    if (cost > KEPT.bytes) throw new SatoriError(413, `file: found ${cost} bytes, want at most ${KEPT.bytes}`)
    this.#expire(KEPT.bytes - cost)
    const key = crypto.randomUUID()
    this.#kept.set(key, { ...upload, until: this.#now() + KEPT.time })
    this.#bytes += cost
    // Also where nobody asks for one any more, memory is given back.
    this.#timer ??= setInterval(() => this.#expire(KEPT.bytes), this.#sweep)
    this.#timer.unref?.()
    return `internal:${PLATFORM}/${selfId}/${PREFIX}${key}`
  }

  /** @param path of the link, after the account: `_tmp/KEY`. */
  get(path: string): Upload | undefined {
    this.#expire(KEPT.bytes)
    return path.startsWith(PREFIX) ? this.#kept.get(path.slice(PREFIX.length)) : undefined
  }

  clear(): void {
    this.#kept.clear()
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#bytes = 0
  }

  /** What is too old goes, and of the others as many of the oldest as it takes. */
  #expire(room: number): void {
    const now = this.#now()
    for (const [key, upload] of this.#kept) {
      if (upload.until > now && this.#bytes <= room) return
      this.#kept.delete(key)
      this.#bytes -= costOf(upload)
    }
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

const INTERNAL = /^internal:[^/]+\/[^/]+\/(.+)$/
const DATA = /^data:([^,]*?)(;base64)?,/i

/** What an implementation can read: links of ours and data as base64, everything else as it is. */
export function readable(src: string, uploads: Uploads): string {
  const internal = INTERNAL.exec(src)?.[1]
  if (internal !== undefined) {
    const upload = uploads.get(internal)
    if (upload === undefined) throw new SatoriError(400, `src: ${src} leads nowhere: uploads are kept for ten minutes`)
    return base64(upload.bytes)
  }
  const data = DATA.exec(src.slice(0, 256))
  if (data === null) return src
  const rest = src.slice(data[0].length)
  return data[2] === undefined ? base64(Buffer.from(decoded(rest))) : `base64://${rest.trim()}`
}

/** Characters of all that one message brings along. */
const MOST_BROUGHT = 128 * 1024 * 1024

/** The same for one message, in which one upload may stand a thousand times. @throws SatoriError beyond a bound. */
export function readableWithin(uploads: Uploads, most = MOST_BROUGHT): (src: string) => string {
  let brought = 0
  return (src) => {
    const found = readable(src, uploads)
    brought += found.length
    if (brought <= most) return found
    throw new SatoriError(
      413,
      `content: what its src bring along is more than ${most} characters; send several messages`,
    )
  }
}

const base64 = (bytes: Uint8Array) => `base64://${Buffer.from(bytes).toString('base64')}`

/** A percent sign that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
