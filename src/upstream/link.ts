// One live connection to an implementation, whoever dialled: hands its frames to the bot, judges its silence, ends once.

import type { Seat, Upstream } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import { readUpstream } from '../onebot/frame.ts'
import { own } from '../onebot/object.ts'
import type { Socket, SocketEvents } from '../runtime/host.ts'
import { Silence } from './silence.ts'

export interface LinkOptions {
  readonly bot: Seat
  /** Where the implementation is, without secrets. */
  readonly peer: string
  readonly report: Report
  /** The connection is over; `refused`: the implementation does not like our token. Called once. */
  readonly ended: (end: { code: number; reason: string; refused: boolean }) => void
}

/** Close code of a connection that we give up ourselves. */
const GIVEN_UP = 1006
const POLICY = 1008
const WRONG_TOKEN = 1403
/** Bytes an implementation may leave unread: all clients together must not fill our memory through one that hangs. */
const MOST_UNREAD = 128 * 1024 * 1024
/** After this (ms) a connection that was closed in order is dropped. */
const GOODBYE = 2_000

export class ImplementationLink implements Upstream {
  readonly #options: LinkOptions
  readonly #socket: Socket
  readonly #silence: Silence
  /** What it said about our token. */
  #refusal: string | undefined
  #over = false

  constructor(socket: Socket, options: LinkOptions) {
    this.#socket = socket
    this.#options = options
    this.#silence = new Silence({
      interval: () => options.bot.heartbeat,
      dead: (ms) => this.redial(`silent for ${ms} ms, more than three of its heartbeats`),
      mute: () => options.report({ kind: 'upstream-mute', bot: options.bot.name, peer: options.peer }),
    })
  }

  send(text: string): boolean {
    return !this.#over && this.#socket.buffered < MOST_UNREAD && this.#socket.send(text)
  }

  redial(reason: string): void {
    this.close(1000, reason)
  }

  heard(text: string): void {
    if (this.#over) return
    this.#silence.broken()
    const { bot } = this.#options
    // NapCat and LLBot accept first and then say that they do not like the token: before they tell the account.
    if (!bot.online) this.#refusal ??= refusal(text)
    bot.received(text)
  }

  /** Ends it from our side: the bot is told now, the peer when it listens. */
  close(code: number, reason: string): void {
    if (this.#over) return
    this.#socket.close(code, reason)
    setTimeout(() => this.#socket.terminate(), GOODBYE).unref?.()
    this.over(GIVEN_UP, reason)
  }

  over(code: number, reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#silence.stop()
    this.#options.bot.lost(this, code, reason)
    const refused = this.#refusal !== undefined || code === POLICY
    this.#options.ended({ code, reason: this.#refusal ?? reason, refused })
  }
}

/** What a socket tells goes to the link that `opened` makes of it. */
export function linkEvents(opened: (socket: Socket) => ImplementationLink): SocketEvents {
  const decoder = new TextDecoder()
  let link: ImplementationLink | undefined
  return {
    open(socket) {
      link = opened(socket)
    },
    text: (_socket, text) => link?.heard(text),
    // Nobody should, but what is in it is text all the same.
    binary: (_socket, bytes) => link?.heard(decoder.decode(bytes)),
    close: (_socket, code, reason) => link?.over(code, reason),
  }
}

/** In its own words, when a frame says that our token is wrong. */
function refusal(text: string): string | undefined {
  const frame = readUpstream(text)
  if (frame.kind !== 'reply' || frame.token !== undefined || own(frame.reply, 'retcode') !== WRONG_TOKEN) return
  const words = own(frame.reply, 'message') || own(frame.reply, 'wording') || own(frame.reply, 'msg')
  return `it answered ${WRONG_TOKEN}${typeof words === 'string' ? `: ${words}` : ''}`
}
