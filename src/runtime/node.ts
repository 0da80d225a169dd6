// The host on Node and Deno: listeners by node:http behind @hono/node-server, sockets by `ws`.

import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { getRequestListener, type Http2Bindings, type HttpBindings } from '@hono/node-server'
import { plainAddress } from './frame.ts'
import type { Host, HostEnv, Listener, ListenOptions } from './host.ts'
import { dial } from './node-dial.ts'
import { within } from './node-http.ts'
import { spawn } from './node-spawn.ts'
import { publish, type Topics } from './node-topics.ts'
import { handshakes } from './node-upgrade.ts'

/** Handshakes that do not finish and requests that fall silent are cut after this long, as Bun does. */
const PATIENCE_MS = 12_000

const serverOptions = {
  headersTimeout: PATIENCE_MS,
  handshakeTimeout: PATIENCE_MS, // of TLS
  connectionsCheckingInterval: 2_000,
  // Java's HTTP client offers HTTP/2 with every first request; those are plain requests, bodies and all.
  shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket',
}

type Upgrade = HostEnv['Bindings']['upgrade']

const noHandshake: Upgrade = async () => undefined

async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, app, maxFrame, tls } = options
  const topics: Topics = new Map()
  const bindings = (incoming: IncomingMessage, upgrade: Upgrade) => ({
    incoming, // where @hono/node-ws looks for it
    peer: plainAddress(incoming.socket.remoteAddress),
    listener,
    upgrade,
    keepOpen: () => {
      incoming.socket.setTimeout(0)
    },
  })
  const answer = (request: Request, env: HttpBindings | Http2Bindings) =>
    // The cast: a server of HTTP/1 has no other requests.
    within(maxFrame, request, (whole) => app.fetch(whole, bindings(env.incoming as IncomingMessage, noHandshake)))
  // Left alone, the adapter replaces the global Request and Response.
  const adapter = getRequestListener(answer, { overrideGlobalObjects: false })
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    // The adapter takes capital letters in a host's name for a forgery.
    if (incoming.headers.host !== undefined) incoming.headers.host = incoming.headers.host.toLowerCase()
    void adapter(incoming, outgoing)
  }
  const server = tls
    ? createHttpsServer({ ...serverOptions, ...tls }, onRequest)
    : createHttpServer(serverOptions, onRequest)
  server.timeout = PATIENCE_MS
  const { begin, drop } = handshakes(options, topics, bindings)
  server.on('upgrade', (incoming, socket, head) => begin({ incoming, socket, head }))

  server.listen(port, host)
  await once(server, 'listening')
  const closed = once(server, 'close')
  const address = server.address()
  const listener: Listener = {
    host,
    port: typeof address === 'object' && address ? address.port : port,
    publish: (topic, text) => publish(topics.get(topic), text),
    async stop() {
      server.close()
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await drop()
      await closed
    },
  }
  return listener
}

export const nodeHost = { name: 'Deno' in globalThis ? 'deno' : 'node', listen, dial, spawn } satisfies Host
