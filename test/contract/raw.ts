// WebSocket peers made of nothing but a TCP socket, to see what is really on the wire and to misbehave at will.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Inbox } from './witness.ts'

export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface WireFrame {
  opcode: number
  payload: Buffer
}

/** One TCP connection that speaks WebSocket frames once the handshake is over. */
export class RawPeer {
  readonly socket: Socket
  readonly frames = new Inbox<WireFrame>()
  /** The text of the peer's handshake, up to the empty line; empty when the connection ended before. */
  readonly head: Promise<string>
  readonly closed: Promise<void>
  readonly #masks: boolean
  #rest = Buffer.alloc(0)

  constructor(socket: Socket, side: 'client' | 'server') {
    this.socket = socket
    this.#masks = side === 'client'
    const { promise, resolve } = Promise.withResolvers<string>()
    this.head = promise
    this.closed = new Promise((done) => socket.once('close', () => done()))
    this.closed.then(() => resolve(''))
    let head: string | undefined
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      this.#rest = Buffer.concat([this.#rest, chunk as Buffer])
      if (head === undefined) {
        const end = this.#rest.indexOf('\r\n\r\n')
        if (end < 0) return
        head = this.#rest.toString('latin1', 0, end)
        this.#rest = this.#rest.subarray(end + 4)
        resolve(head)
      }
      for (let frame = this.#next(); frame; frame = this.#next()) this.frames.push(frame)
    })
  }

  /** A body that came after an HTTP head instead of frames. */
  get body(): string {
    return this.#rest.toString()
  }

  send(opcode: number, payload: string | Buffer = ''): void {
    this.socket.write(frame(opcode, Buffer.from(payload), this.#masks))
  }

  #next(): WireFrame | undefined {
    const bytes = this.#rest
    if (bytes.length < 2) return undefined
    const masked = (bytes[1]! & 0x80) !== 0
    const short = bytes[1]! & 0x7f
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
    const start = 2 + lengthBytes + (masked ? 4 : 0)
    if (bytes.length < start) return undefined
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
    if (bytes.length < start + length) return undefined
    const payload = Buffer.from(bytes.subarray(start, start + length))
    if (masked) for (let i = 0; i < length; i++) payload[i]! ^= bytes[start - 4 + (i % 4)]!
    this.#rest = bytes.subarray(start + length)
    return { opcode: bytes[0]! & 0x0f, payload }
  }
}

function frame(opcode: number, payload: Buffer, masked: boolean): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  // A mask of zeros changes nothing and is as good as any.
  return Buffer.concat(masked ? [head, Buffer.alloc(4), payload] : [head, payload])
}

export const HANDSHAKE = {
  host: 'localhost',
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** Sends `method path` with these headers and nothing else. */
export function request(port: number, line: string, headers: Record<string, string>, host = '127.0.0.1'): RawPeer {
  const socket = connect(port, host)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${line} HTTP/1.1\r\n${lines.join('')}\r\n`)
  return new RawPeer(socket, 'client')
}

/** A client whose handshake is done. */
export async function rawClient(port: number, path = '/', host?: string): Promise<RawPeer> {
  const peer = request(port, `GET ${path}`, HANDSHAKE, host)
  await peer.head
  return peer
}

export interface RawServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** The next connection, its handshake answered unless `mute`. */
  next(): Promise<RawPeer>
}

/** A server that accepts every handshake; `mute`: one that never answers. */
export async function rawServer({ mute = false } = {}): Promise<RawServer> {
  const peers = new Inbox<RawPeer>()
  const sockets = new Set<Socket>()
  const server = createServer(async (socket) => {
    sockets.add(socket)
    const peer = new RawPeer(socket, 'server')
    if (!mute) {
      const key = /^sec-websocket-key: (.*)$/im.exec(await peer.head)?.[1] ?? ''
      const accept = createHash('sha1').update(`${key.trim()}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      )
    }
    peers.push(peer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // The cast: a server on a TCP port has no other kind of address.
  const { port } = server.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${port}/`,
    port,
    next: () => peers.take(),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
