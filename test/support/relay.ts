// A cable between a client and a gateway that a test can cut, and plug in again.

import type { Socket, TCPSocketListener } from 'bun'
import { ownPort } from './port.ts'

interface Pair {
  other: Socket<Pair> | undefined
  waiting: Uint8Array[]
}

export class Relay implements AsyncDisposable {
  readonly #target: number
  readonly #sockets = new Set<Socket<Pair>>()
  #listener: TCPSocketListener<Pair>

  /** @param target the port on this machine to which everything goes. */
  constructor(target: number) {
    this.#target = target
    this.#listener = this.#listen(ownPort())
  }

  get port(): number {
    return this.#listener.port
  }

  /** Drops every connection, and refuses new ones until `plug`. */
  cut(): void {
    this.#listener.stop(true)
    for (const socket of this.#sockets) socket.terminate()
    this.#sockets.clear()
  }

  plug(): void {
    this.#listener = this.#listen(this.#listener.port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
  }

  #listen(port: number): TCPSocketListener<Pair> {
    return Bun.listen<Pair>({
      hostname: '127.0.0.1',
      port,
      socket: {
        open: (near) => {
          near.data = { other: undefined, waiting: [] }
          this.#sockets.add(near)
          void this.#dial(near)
        },
        data: (near, bytes) => {
          if (near.data.other === undefined) near.data.waiting.push(Uint8Array.from(bytes))
          else near.data.other.write(bytes)
        },
        close: (near) => {
          this.#sockets.delete(near)
          near.data?.other?.end()
        },
      },
    })
  }

  async #dial(near: Socket<Pair>): Promise<void> {
    near.data.other = await Bun.connect<Pair>({
      hostname: '127.0.0.1',
      port: this.#target,
      socket: {
        open: (far) => {
          this.#sockets.add(far)
          for (const bytes of near.data.waiting.splice(0)) far.write(bytes)
        },
        data: (_far, bytes) => void near.write(bytes),
        close: (far) => {
          this.#sockets.delete(far)
          near.end()
        },
      },
    })
  }
}
