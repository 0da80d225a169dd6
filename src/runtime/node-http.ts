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

/** An upgrade request as the handlers see it. Undefined when its target or a header makes no sense. */
export function requestOf(incoming: IncomingMessage, scheme: 'http' | 'https'): Request | undefined {
  try {
    const headers = new Headers()
    for (const [name, values] of Object.entries(incoming.headersDistinct)) {
      for (const value of values ?? []) headers.append(name, value)
    }
    const url = new URL(`${scheme}://${incoming.headers.host ?? 'localhost'}${incoming.url}`)
    return new Request(url, { method: incoming.method ?? 'GET', headers })
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
