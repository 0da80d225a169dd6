// A WebSocket client that costs as little as possible: bare TCP, frames are told by their headers, payloads are left alone.

import type { Socket } from 'bun'

/** Told for each frame: its payload's length, and the chunk in which it starts at `at` (perhaps at its very end). */
export type Heard = (length: number, chunk: Uint8Array, at: number) => void

export interface Client {
  readonly open: boolean
  /** A text frame of less than 64 KiB. */
  send(text: string): void
  /** Reads no more. */
  pause(): void
  resume(): void
  /** Drops the connection. */
  end(): void
}

export interface ConnectOptions {
  url: string
  heard: Heard
  closed?: () => void
}

const END_OF_HEADERS = '\r\n\r\n'

/** Resolves once the handshake is answered with 101. */
export async function connect({ url, heard, closed }: ConnectOptions): Promise<Client> {
  const { hostname, port, pathname, search, host } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let answered = ''
  let open = false
  const read = frames(heard)
  const data = (chunk: Uint8Array) => {
    if (open) return read(chunk)
    answered += Buffer.from(chunk).toString('latin1')
    const end = answered.indexOf(END_OF_HEADERS)
    if (end === -1) return
    if (!answered.startsWith('HTTP/1.1 101')) return reject(new Error(`${url}: answered ${answered.split('\r\n')[0]}`))
    open = true
    resolve()
    const rest = Buffer.from(answered.slice(end + END_OF_HEADERS.length), 'latin1')
    if (rest.length > 0) read(rest)
  }
  const socket: Socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(self) {
        self.write(
          `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==${END_OF_HEADERS}`,
        )
      },
      data: (_self, chunk) => data(chunk),
      close() {
        open = false
        reject(new Error(`${url}: closed during the handshake`))
        closed?.()
      },
      error() {},
    },
  })
  await promise
  return {
    get open() {
      return open
    },
    send(text) {
      socket.write(masked(text))
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.terminate(),
  }
}

/** Finds the frames in a stream of chunks. Servers do not mask, and nobody here fragments. */
function frames(heard: Heard): (chunk: Uint8Array) => void {
  /** Bytes of the frame begun that are still to come. */
  let missing = 0
  /** A header that was cut by the end of a chunk. */
  let cut: Uint8Array | undefined
  return (chunk) => {
    let bytes = chunk
    if (cut !== undefined) {
      bytes = Buffer.concat([cut, chunk])
      cut = undefined
    }
    let at = missing
    while (at < bytes.length) {
      const short = (bytes[at + 1] ?? 0) & 127
      const header = short < 126 ? 2 : short === 126 ? 4 : 10
      if (at + header > bytes.length) {
        cut = bytes.slice(at)
        missing = 0
        return
      }
      let length = short
      if (short > 125) {
        length = 0
        for (let index = at + 2; index < at + header; index++) length = length * 256 + (bytes[index] ?? 0)
      }
      heard(length, bytes, at + header)
      at += header + length
    }
    missing = at - bytes.length
  }
}

/** A mask of zeros leaves the text as it is, and is a mask all the same. */
function masked(text: string): Buffer {
  const payload = Buffer.from(text)
  const { length } = payload
  const header = length < 126 ? [0x81, 0x80 | length] : [0x81, 0xfe, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([...header, 0, 0, 0, 0]), payload])
}
