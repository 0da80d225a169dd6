// One HTTP request or WebSocket handshake with exactly these headers, and what was answered.

import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { HANDSHAKE } from '../contract/raw.ts'

export interface Answer {
  status: number
  /** Everything before the body, in lower case. */
  head: string
  body: string
}

/** `host: undefined` sends no such header. */
export type Headers = Record<string, string | undefined>

/** `upgrade`: as a WebSocket client would; the socket is dropped once it is open. */
export function knock(address: string, path: string, headers: Headers = {}, { upgrade = false } = {}): Promise<Answer> {
  const { hostname, port, host, protocol } = new URL(address)
  const all: Headers = { ...(upgrade ? HANDSHAKE : { connection: 'close' }), host, ...headers }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]))
  const options = { host: hostname, port: Number(port), rejectUnauthorized: false }
  const socket = protocol === 'https:' ? connectTls(options) : connect(options)
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk) => {
      text += chunk
      const answer = whole(text)
      if (answer === undefined) return
      resolve(answer)
      socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`${path}: closed after ${JSON.stringify(text)}`)))
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  })
}

/** Undefined: there is more to come. */
function whole(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = text.slice(0, end).toLowerCase()
  const status = Number(head.split(' ')[1])
  const rest = text.slice(end + 4)
  if (status === 101) return { status, head, body: '' }
  if (!/^transfer-encoding: chunked/m.test(head)) {
    const length = Number(/^content-length: (\d+)/m.exec(head)?.[1] ?? 0)
    return Buffer.byteLength(rest) < length ? undefined : { status, head, body: rest }
  }
  if (!rest.endsWith('0\r\n\r\n')) return undefined
  return { status, head, body: rest.replace(/(?:^|\r\n)[\da-f]+\r\n/gi, '') }
}
