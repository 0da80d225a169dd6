// A simulator and clients of it, for tests that wait for facts.

import { bunHost } from '../../src/runtime/bun.ts'
import { type AcceptedSocket, DialError, type Socket } from '../../src/runtime/host.ts'
import { type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts'
import { Inbox } from '../contract/witness.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
type Json = any

export interface Client extends Disposable {
  readonly socket: Socket
  /** Texts of frames, meta events left out. */
  readonly frames: Inbox<string>
  readonly closed: Promise<{ code: number }>
  next(): Promise<Json>
  /** Sends this text; what comes next. */
  ask(frame: string): Promise<Json>
  /** The reply, and what came before it. */
  call(action: string, params?: object): Promise<Json>
}

const isMeta = (text: string) => text.includes('"post_type":"meta_event"')

export async function client(url: string, headers: Record<string, string> = {}, meta = false): Promise<Client> {
  const frames = new Inbox<string>()
  const { promise: closed, resolve } = Promise.withResolvers<{ code: number }>()
  const socket = await bunHost.dial({
    url,
    headers,
    maxFrame: 64 * 1024 * 1024,
    timeout: 60_000,
    events: {
      text: (_socket, text) => {
        if (meta || !isMeta(text)) frames.push(text)
      },
      close: (_socket, code) => resolve({ code }),
    },
  })
  const next = async () => JSON.parse(await frames.take())
  const ask = (frame: string) => {
    socket.send(frame)
    return next()
  }
  return {
    socket,
    frames,
    closed,
    next,
    ask,
    call: (action, params) => ask(JSON.stringify({ action, params })),
    [Symbol.dispose]: () => socket.terminate(),
  }
}

/** The HTTP status with which a handshake is refused; 101: it is not. */
export async function handshake(url: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  try {
    using _ = await client(url, headers)
    return 101
  } catch (error) {
    if (error instanceof DialError) return error.status
    throw error
  }
}

export async function simulated(options: SimulatorOptions = {}) {
  const sim = await startSimulator({ heartbeat: 0, ...options })
  const bot = await client(sim.url, options.token ? { authorization: `Bearer ${options.token}` } : {})
  await sim.linked()
  return {
    sim,
    bot,
    control: (path: string, body?: string | object, headers: Record<string, string> = {}) =>
      fetch(`${sim.address}/simulator/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers,
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    async [Symbol.asyncDispose]() {
      bot[Symbol.dispose]()
      await sim[Symbol.asyncDispose]()
    },
  }
}

/** A client's reverse endpoint: the handshakes' headers, and the links. */
export async function reverseEndpoint() {
  const { Hono } = await import('hono')
  const links = new Inbox<{ headers: Headers; socket: AcceptedSocket; frames: Inbox<string> }>()
  const app = new Hono<import('../../src/runtime/host.ts').HostEnv>()
  app.get('*', async (c) => {
    const frames = new Inbox<string>()
    const { headers } = c.req.raw
    const upgraded = await c.env.upgrade(c, {
      open: (socket) => links.push({ headers: new Headers(headers), socket, frames }),
      text: (_socket, text) => frames.push(text),
      close: () => {},
    })
    return upgraded ?? c.text('no', 400)
  })
  const listener = await bunHost.listen({ host: '127.0.0.1', port: 0, app, maxFrame: 1024 * 1024 })
  return {
    url: `ws://127.0.0.1:${listener.port}/reverse`,
    links,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  }
}
