// The HTTP that Node's adapter leaves undone: answers to refused upgrades, and a limit for bodies of unknown length.

import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

const WEBSOCKET_KEY = /^[+/0-9A-Za-z]{22}==$/

/** Whether a request may be answered with 101 (RFC 6455, 4.2.1). */
export function isHandshake({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    WEBSOCKET_KEY.test(headers['sec-websocket-key'] ?? '') &&
    headers['sec-websocket-version'] === '13'
  )
}

/** The first of the subprotocols that a handshake asks for. */
const FIRST_PROTOCOL = /^\s*([\w!#$%&'*+.^`|~-]+)\s*(?:,|$)/

/** Leaves the one subprotocol that would be chosen, or none where the list makes no sense: `ws` refuses such by itself. */
export function chooseProtocol({ headers }: IncomingMessage): void {
  const first = FIRST_PROTOCOL.exec(headers['sec-websocket-protocol'] ?? '')?.[1]
  if (first === undefined) delete headers['sec-websocket-protocol']
  else headers['sec-websocket-protocol'] = first
}

/** Calls `left` once the peer of a handshake that waits has gone; nothing it has sent is taken. Returns what ends it. */
export function watchPeer(socket: Duplex, left: () => void): () => void {
  // The end shows only to who reads; with bytes before it, it waits behind them.
  const look = () => {
    if (socket.readableLength === 0) socket.read()
  }
  const watched = { readable: look, end: left, close: left }
  for (const [event, listener] of Object.entries(watched)) socket.on(event, listener)
  return () => {
    for (const [event, listener] of Object.entries(watched)) socket.off(event, listener)
  }
}

/** What a handshake asks for, with or without the address of its host before the path. */
const TARGET = /^(?:https?:\/\/[^/?#]*)?(\/.*)$/is

/**
 * An upgrade request as the handlers see it; `signal`: its peer has left. Undefined when its target or a header makes no
 * sense, or it names no host, which Node asks for only where nothing is upgraded.
 */
export function requestOf(
  incoming: IncomingMessage,
  scheme: 'http' | 'https',
  signal: AbortSignal,
): Request | undefined {
  const { httpVersion, method = 'GET', url: target = '' } = incoming
  const { host = httpVersion === '1.0' ? 'localhost' : undefined } = incoming.headers
  const path = TARGET.exec(target)?.[1]
  if (host === undefined || path === undefined) return undefined
  try {
    const headers = new Headers()
    for (const [name, values] of Object.entries(incoming.headersDistinct)) {
      for (const value of values ?? []) headers.append(name, value)
    }
    return new Request(new URL(`${scheme}://${host}${path}`), { method, headers, signal })
  } catch {
    return undefined
  }
}

/** Writes a whole response to the socket of an upgrade that was refused, and closes it. */
export async function answer(socket: Duplex, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer())
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`]
  for (const [name, value] of response.headers) {
    if (name !== 'content-length' && name !== 'connection') lines.push(`${name}: ${value}`)
  }
  lines.push(`content-length: ${body.length}`, 'connection: close', '', '')
  socket.end(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body]))
}

/** Runs `handle` on a request whose body may have at most `limit` bytes; 413 when it has more. */
export async function within(
  limit: number,
  request: Request,
  handle: (request: Request) => Response | Promise<Response>,
): Promise<Response> {
  const tooLong = () => new Response(null, { status: 413, headers: { connection: 'close' } })
  if (Number(request.headers.get('content-length') ?? 0) > limit) return tooLong()
  if (!request.headers.has('transfer-encoding') || !request.body) return handle(request)
  let size = 0
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      size += chunk.byteLength
      if (size > limit) controller.error(new RangeError(`body too long: more than ${limit} bytes`))
      else controller.enqueue(chunk)
    },
  })
  // Built from its parts: the adapter's own request object cannot be copied by the Request constructor.
  const { url, method, headers, signal } = request
  const init = { method, headers, signal, body: request.body.pipeThrough(counted), duplex: 'half' }
  const response = await handle(new Request(url, init))
  return size > limit ? tooLong() : response
}
