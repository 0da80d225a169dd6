// Dresses a socket as a link of the broker, and sees to it that a closed one really ends.

import type { Closing } from '../broker/closing.ts'
import type { Channel, Link, Transport } from '../broker/ports.ts'
import type { AcceptedSocket, Socket } from '../runtime/host.ts'

/** A peer that does not take our close frame for this long (ms) is dropped without. */
const GOODBYE = 10_000

interface Kind {
  readonly transport: Transport
  /** Where the peer is, without secrets. */
  readonly peer: string
}

/** A link that came to us; frames for many leave by the channel of its listener. */
export function acceptedLink(socket: AcceptedSocket, kind: Kind & { readonly channel: Channel }): Link {
  return {
    ...common(socket, kind),
    // Spread copies values, and these change.
    get buffered() {
      return socket.buffered
    },
    get open() {
      return socket.open
    },
    channel: kind.channel,
    subscribe: (topic) => socket.subscribe(topic),
    unsubscribe: (topic) => socket.unsubscribe(topic),
  }
}

/** A link that we dialled: it has no listener, and so is sent to by itself. */
export function dialledLink(socket: Socket, kind: Kind): Link {
  return {
    ...common(socket, kind),
    get buffered() {
      return socket.buffered
    },
    get open() {
      return socket.open
    },
    subscribe() {},
    unsubscribe() {},
  }
}

function common(socket: Socket, { transport, peer }: Kind) {
  return {
    transport,
    peer,
    whenBehind: 'close' as const,
    send: (text: string) => socket.send(text),
    close({ code, text }: Closing) {
      socket.close(code, text)
      setTimeout(() => socket.terminate(), GOODBYE).unref?.()
    },
  }
}
