// A listener with the routes the contract needs, and ways to get both ends of a connection to it.

import { once } from 'node:events'
import { Hono } from 'hono'
import type {
  AcceptedSocket,
  DialOptions,
  Host,
  HostEnv,
  Listener,
  ListenOptions,
  Socket,
} from '../../src/runtime/host.ts'
import { type RawPeer, rawClient } from './raw.ts'
import { Inbox, type Witness, witness } from './witness.ts'

export const MAX_FRAME = 1024 * 1024

export interface Bed extends AsyncDisposable {
  readonly host: Host
  readonly listener: Listener
  readonly url: string
  /** The owners of accepted sockets, in the order of their handshakes. */
  readonly accepted: Inbox<Witness<AcceptedSocket>>
  /** Paths of requests that were no handshakes, or no longer. */
  readonly refused: Inbox<string>
  /** Settles requests that wait at /gate, /kept-gate and /slow. */
  open(): void
  dial(options?: Partial<DialOptions>): Promise<Ends>
  raw(path?: string): Promise<RawEnds>
}

/** Both ends of one link. */
export interface Ends {
  near: Socket
  nearSees: Witness<Socket>
  far: AcceptedSocket
  farSees: Witness<AcceptedSocket>
}

/** An accepted socket and the wire it is on. */
export interface RawEnds {
  peer: RawPeer
  far: AcceptedSocket
  farSees: Witness<AcceptedSocket>
}

function routes({ accepted, refused }: Pick<Bed, 'accepted' | 'refused'>, gate: Promise<void>): Hono<HostEnv> {
  const app = new Hono<HostEnv>()
  app.onError((_error, c) => c.text('failed', 500))
  app.get('/peer', (c) => c.text(c.env.peer))
  app.get('/status/:status', (c) => {
    c.header('x-why', 'because')
    // The cast: the path of a test holds what the test put there.
    return c.text('refused', Number(c.req.param('status')) as 401)
  })
  app.post('/length', async (c) => c.text(String((await c.req.arrayBuffer()).byteLength)))
  app.get('/gate', async (c) => {
    await gate
    return c.text('late')
  })
  app.get('/kept-gate', async (c) => {
    c.env.keepOpen()
    await gate
    return c.text('late')
  })
  app.all('*', async (c) => {
    if (c.req.path === '/slow') await gate
    if (c.req.path === '/left') await once(c.req.raw.signal, 'abort')
    // A peer that sends "close" sees what happens when a callback closes its own socket.
    const owner = witness<AcceptedSocket>((socket, text) => {
      if (text === 'close') socket.close(4001, 'asked')
    })
    const response = await c.env.upgrade(c, owner.on)
    if (response) accepted.push(owner)
    else refused.push(c.req.path)
    return response ?? c.text('upgrade required', 426)
  })
  return app
}

export async function bed(host: Host, options: Partial<ListenOptions> = {}): Promise<Bed> {
  const accepted: Bed['accepted'] = new Inbox()
  const refused: Bed['refused'] = new Inbox()
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const app = routes({ accepted, refused }, gate)
  const listener = await host.listen({ host: '127.0.0.1', port: 0, maxFrame: MAX_FRAME, app, ...options })
  const url = `${options.tls ? 'wss' : 'ws'}://127.0.0.1:${listener.port}/`
  const welcome = async () => {
    const farSees = await accepted.take()
    return { farSees, far: await farSees.socket }
  }
  return {
    host,
    listener,
    url,
    accepted,
    refused,
    open,
    async dial(dialOptions = {}) {
      const nearSees = witness<Socket>()
      const near = await host.dial({
        url,
        headers: {},
        maxFrame: MAX_FRAME,
        timeout: 60_000,
        events: nearSees.on,
        ...dialOptions,
      })
      return { near, nearSees, ...(await welcome()) }
    },
    async raw(path) {
      const peer = await rawClient(listener.port, path)
      return { peer, ...(await welcome()) }
    },
    async [Symbol.asyncDispose]() {
      open()
      await listener[Symbol.asyncDispose]()
    },
  }
}
