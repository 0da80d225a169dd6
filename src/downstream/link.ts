// Dresses a socket as a link of the broker, and sees to it that a closed one really ends.

import type { Channel, Link, Transport } from '../broker/ports.ts'
import type { CircuitStatus } from '../lib/circuit.ts'
import type { AcceptedSocket, Socket } from '../runtime/host.ts'

/** A peer that does not take our close frame for this long (ms) is dropped without. */
const GOODBYE = 10_000

interface Kind {
  readonly transport: Transport
  /** Where the peer is, without secrets. */
  readonly peer: string
}

interface Accepted extends Kind {
  readonly channel: Channel
  readonly welcome: () => boolean
}

/** A link that came to us; frames for many leave by the channel of its listener. */
export function acceptedLink(socket: AcceptedSocket, { channel, welcome, ...kind }: Accepted): Link {
  return linkOf(socket, kind, {
    channel,
    welcome,
    subscribe: (topic) => socket.subscribe(topic),
    unsubscribe: (topic) => socket.unsubscribe(topic),
  })
}

/** A link that we dialled: it has no listener, and so is sent to by itself. */
export function dialledLink(
  socket: Socket,
  { circuit, ...kind }: Kind & { readonly circuit: () => CircuitStatus },
): Link {
  const link: Link = linkOf(socket, kind, { subscribe() {}, unsubscribe() {} })
  return Object.defineProperty(link, 'circuit', { get: circuit, enumerable: true })
}

type Topics = Pick<Link, 'channel' | 'welcome' | 'subscribe' | 'unsubscribe'>

function linkOf(socket: Socket, kind: Kind, topics: Topics): Link {
  return {
    ...kind,
    ...topics,
    whenBehind: 'close',
    get buffered() {
      return socket.buffered
    },
    get open() {
      return socket.open
    },
    send: (text) => socket.send(text),
    ping: (data) => socket.ping(data),
    close({ code, text }) {
      socket.close(code, text)
      setTimeout(() => socket.terminate(), GOODBYE).unref?.()
    },
  }
}
