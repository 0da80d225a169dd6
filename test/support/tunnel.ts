// A TCP connection with somebody in the middle, who can let it go dead without closing it, as a mobile network does.

import { connect, createServer, type Socket } from 'node:net'

export interface Tunnel extends AsyncDisposable {
  /** Where it begins: ws://127.0.0.1:PORT */
  readonly ws: string
  /** Connections that are open on the far side. */
  readonly open: number
  /** Nothing is forwarded any more, and nobody is told. */
  freeze(): void
  /** The connections of now end without a word; new ones are forwarded again. */
  cut(): void
}

export async function tunnel(address: string): Promise<Tunnel> {
  const { hostname, port } = new URL(address)
  const ends = new Set<Socket>()
  let far = 0
  let frozen = false
  const forward = (from: Socket, to: Socket) => {
    ends.add(from)
    from.on('data', (bytes) => {
      if (!frozen) to.write(bytes)
    })
    from.on('error', () => from.destroy())
    // A dead network tells nobody of an end either.
    from.on('close', () => {
      ends.delete(from)
      if (!frozen) to.destroy()
    })
  }
  const server = createServer((near) => {
    const out = connect(Number(port), hostname)
    far += 1
    out.on('close', () => {
      far -= 1
    })
    forward(near, out)
    forward(out, near)
  })
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', () => listening.resolve())
  await listening.promise
  const at = server.address()
  if (at === null || typeof at === 'string') throw new Error('tunnel: it has no port')
  const cut = () => {
    frozen = false
    for (const end of [...ends]) end.destroy()
  }
  return {
    ws: `ws://127.0.0.1:${at.port}`,
    get open() {
      return far
    },
    freeze() {
      frozen = true
    },
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
    },
  }
}
