// Where alerts arrive in tests: a web server that keeps what it was posted, and a mail server that keeps its letters.

import { createServer, type Socket } from 'node:net'
import { Inbox } from '../contract/witness.ts'

export interface Posted {
  readonly path: string
  readonly signature: string | null
  readonly body: Record<string, unknown>
}

export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly posted: Inbox<Posted>
  /** What it answers; 200 and nothing at first. */
  answer: () => Response
}

export function receiver(): Receiver {
  const posted = new Inbox<Posted>()
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const text = await request.text()
      const { pathname: path } = new URL(request.url)
      posted.push({ path, signature: request.headers.get('x-signature'), body: { ...JSON.parse(text), text_: text } })
      return one.answer()
    },
  })
  const one: Receiver = {
    url: `http://127.0.0.1:${server.port}`,
    posted,
    answer: () => new Response(),
    [Symbol.asyncDispose]: () => server.stop(true),
  }
  return one
}

export interface MailServer extends AsyncDisposable {
  readonly url: string
  readonly letters: Inbox<string>
}

/** As much SMTP as a letter needs. */
export async function mailServer(): Promise<MailServer> {
  const letters = new Inbox<string>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setEncoding('utf8').on('error', () => undefined)
    let [data, text] = [false, '']
    socket.write('220 test\r\n')
    socket.on('data', (chunk) => {
      text += chunk
      for (let end = text.indexOf('\r\n'); !data && end !== -1; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end)
        text = text.slice(end + 2)
        data = line === 'DATA'
        socket.write(data ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n')
      }
      const end = data ? text.indexOf('\r\n.\r\n') : -1
      if (end === -1) return
      letters.push(text.slice(0, end))
      ;[data, text] = [false, text.slice(end + 5)]
      socket.write('250 taken\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `smtp://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    letters,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
