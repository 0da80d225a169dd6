// Keeps a connection to an implementation that we dial: again and again, with the token, for as long as it takes.

import type { Seat } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import type { Patience } from '../lib/backoff.ts'
import { maskText } from '../lib/mask.ts'
import { Redial } from '../lib/redial.ts'
import { DialError, type DialOptions, type Host } from '../runtime/host.ts'
import { ImplementationLink, type LinkOptions, linkEvents } from './link.ts'

export interface DialUpstreamOptions extends Pick<DialOptions, 'url' | 'tls'> {
  readonly bot: Seat
  readonly accessToken: string
  /** Bytes; asked anew for each connection. */
  readonly maxFrame: () => number
  readonly host: Host
  readonly report: Report
  readonly patience?: Patience | undefined
  /** Milliseconds that the first dial waits. Default: none. */
  readonly after?: number | undefined
}

export interface DialledUpstream {
  /** Dials no more, and closes the connection there is; clients are not told. */
  stop(): Promise<void>
}

/** A handshake that is not answered for this long (ms) is given up. */
const HANDSHAKE = 15_000

export function dialUpstream(options: DialUpstreamOptions): DialledUpstream {
  const dialling = new Dialling(options)
  dialling.start()
  return dialling
}

class Dialling implements DialledUpstream {
  readonly #options: DialUpstreamOptions
  readonly #peer: string
  readonly #redial: Redial
  #link: ImplementationLink | undefined

  constructor(options: DialUpstreamOptions) {
    const { bot, report, patience, after } = options
    const peer = maskText(options.url)
    this.#options = options
    this.#peer = peer
    this.#redial = new Redial({
      dial: (stopped) => this.#dial(stopped),
      retry: ({ refused, ...retry }) =>
        report({ kind: refused ? 'upstream-refused' : 'upstream-retry', bot: bot.name, peer, ...retry }),
      ...{ patience, after },
    })
  }

  start(): void {
    this.#redial.start()
  }

  async stop(): Promise<void> {
    const over = this.#redial.stop()
    this.#link?.close(1000, 'the gateway is done with this link')
    await over
  }

  async #dial(signal: AbortSignal): Promise<void> {
    const { host, url, maxFrame, tls, accessToken } = this.#options
    try {
      await host.dial({
        url,
        maxFrame: maxFrame(),
        tls,
        timeout: HANDSHAKE,
        signal,
        headers: {
          'User-Agent': 'OneBot/11',
          ...(accessToken === '' ? {} : { Authorization: `Bearer ${accessToken}` }),
        },
        events: linkEvents((socket) => this.#opened(new ImplementationLink(socket, this.#linkOptions()))),
      })
    } catch (error) {
      if (!(error instanceof DialError)) throw error
      this.#redial.ended({ reason: error.message, refused: error.status === 401 || error.status === 403 })
    }
  }

  #linkOptions(): LinkOptions {
    const { bot, report } = this.#options
    return {
      bot,
      peer: this.#peer,
      report,
      ended: (end) => {
        this.#link = undefined
        this.#redial.ended(end)
      },
    }
  }

  #opened(link: ImplementationLink): ImplementationLink {
    this.#link = link
    this.#redial.opened()
    this.#options.bot.connected(link, this.#peer)
    return link
  }
}
