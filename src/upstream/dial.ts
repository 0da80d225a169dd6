// Keeps a connection to an implementation that we dial: again and again, with the token, for as long as it takes.

import type { Seat } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import { Backoff, type Patience } from '../lib/backoff.ts'
import { maskText } from '../lib/mask.ts'
import { DialError, type DialOptions, type Host } from '../runtime/host.ts'
import { ImplementationLink, linkEvents } from './link.ts'

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
/** The pause after a refused token (ms), unless told otherwise. */
const REFUSED = 60_000

export function dialUpstream(options: DialUpstreamOptions): DialledUpstream {
  const dialling = new Dialling(options)
  dialling.start()
  return dialling
}

class Dialling implements DialledUpstream {
  readonly #options: DialUpstreamOptions
  readonly #peer: string
  readonly #backoff: Backoff
  readonly #stopped = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #link: ImplementationLink | undefined
  #attempt: Promise<void> = Promise.resolve()
  /** Said once, until it connects. */
  #refusalTold = false

  constructor(options: DialUpstreamOptions) {
    this.#options = options
    this.#peer = maskText(options.url)
    this.#backoff = new Backoff(options.patience)
  }

  start(): void {
    const { after = 0 } = this.#options
    if (after === 0) this.dial()
    else this.#timer = setTimeout(() => this.dial(), after)
  }

  dial(): void {
    this.#attempt = this.#try()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    clearTimeout(this.#timer)
    this.#link?.close(1000, 'the gateway is done with this link')
    await this.#attempt
  }

  async #try(): Promise<void> {
    const { host, url, maxFrame, tls, accessToken } = this.#options
    try {
      await host.dial({
        url,
        maxFrame: maxFrame(),
        tls,
        timeout: HANDSHAKE,
        signal: this.#stopped.signal,
        headers: {
          'User-Agent': 'OneBot/11',
          ...(accessToken === '' ? {} : { Authorization: `Bearer ${accessToken}` }),
        },
        events: linkEvents((socket) => this.#opened(new ImplementationLink(socket, this.#linkOptions()))),
      })
    } catch (error) {
      if (!(error instanceof DialError)) throw error
      this.#again(error.message, error.status === 401 || error.status === 403)
    }
  }

  #linkOptions() {
    const { bot, report } = this.#options
    return {
      bot,
      peer: this.#peer,
      report,
      ended: ({ code, reason, refused }: { code: number; reason: string; refused: boolean }) => {
        this.#link = undefined
        this.#again(reason === '' ? `closed with ${code}` : reason, refused)
      },
    }
  }

  #opened(link: ImplementationLink): ImplementationLink {
    this.#link = link
    this.#backoff.opened()
    this.#options.bot.connected(link, this.#peer)
    return link
  }

  #again(reason: string, refused: boolean): void {
    if (this.#stopped.signal.aborted) return
    const { bot, report, patience } = this.#options
    const pause = this.#backoff.next()
    const inMs = refused ? Math.max(pause, patience?.refused ?? REFUSED) : pause
    const about = { bot: bot.name, peer: this.#peer, reason, inMs }
    if (!refused) report({ kind: 'upstream-retry', ...about, tries: this.#backoff.tries })
    else if (!this.#refusalTold) report({ kind: 'upstream-refused', ...about })
    this.#refusalTold = refused
    this.#timer = setTimeout(() => this.dial(), inMs)
  }
}
