// Dials WebSockets with the client of the `ws` package.

import { WebSocket } from 'ws'
import { attempt, unusable } from './attempt.ts'
import type { DialOptions, Socket } from './host.ts'
import { bind, NodeSocket } from './node-socket.ts'

function connect({ url, headers, tls, maxFrame }: DialOptions): WebSocket {
  try {
    return new WebSocket(url, {
      headers,
      perMessageDeflate: false,
      maxPayload: maxFrame,
      ...(tls?.ca !== undefined && { ca: tls.ca }),
      rejectUnauthorized: !tls?.insecure,
    })
  } catch {
    throw unusable(url)
  }
}

export async function dial(options: DialOptions): Promise<Socket> {
  const { events } = options
  const raw = connect(options)
  const { verdict, opened, failed } = attempt(options, () => raw.terminate())
  raw.on('unexpected-response', (_request, { statusCode }) =>
    failed(`the peer answered ${statusCode}`, { status: statusCode }),
  )
  raw.on('error', (cause) => failed(cause.message, { cause }))
  raw.on('close', (code) => failed(`closed during the handshake (${code})`))
  raw.on('open', () => {
    const socket: NodeSocket = new NodeSocket(raw, events.drain && (() => events.drain?.(socket)))
    bind(raw, socket, events)
    opened(socket)
  })
  return verdict
}
