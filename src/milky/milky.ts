// Keeps a connection to an implementation that speaks Milky: probed, its events opened, and again for as long as it takes.

import type { MessageNumbers, Seat } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import type { Patience } from '../lib/backoff.ts'
import { maskText } from '../lib/mask.ts'
import { Redial } from '../lib/redial.ts'
import type { DialOptions, Host } from '../runtime/host.ts'
import { MilkyApi, MilkyError } from './api.ts'
import type { Hook } from './hooks.ts'
import { MilkyLink } from './link.ts'
import { MemoryNumbers } from './memory.ts'
import { socketSource } from './socket-source.ts'
import { type OpenSource, SourceError } from './source.ts'
import { sseSource } from './sse-source.ts'

export interface MilkyUpstreamOptions {
  readonly seat: Seat
  /** http:// or https://, with a path where there is one. */
  readonly url: string
  /** '' when it wants none. With `webhook` it is also what the implementation must show us. */
  readonly accessToken: string
  readonly events: 'websocket' | 'sse' | 'webhook'
  readonly tls?: DialOptions['tls']
  /** Bytes; asked anew for each connection. */
  readonly maxFrame: () => number
  readonly host: Host
  readonly report: Report
  readonly patience?: Patience | undefined
  /** Milliseconds that the first dial waits. Default: none. */
  readonly after?: number | undefined
  /** Default: numbers of messages are kept in memory, and mean nothing after a restart. */
  readonly store?: MessageNumbers | undefined
  /** The session at QQ has ended; for whoever runs the implementation. */
  readonly offline?: ((reason: string) => void) | undefined
  /** Milliseconds between two heartbeats. Default: 10 s. */
  readonly beat?: number | undefined
}

const BEAT = 10_000
/** A first call that is not answered for this long (ms) is given up. */
const FIRST_ANSWER = 15_000

export function milkyUpstream(options: MilkyUpstreamOptions): MilkyUpstream {
  const upstream = new MilkyUpstream(options)
  upstream.start()
  return upstream
}

export class MilkyUpstream {
  readonly #options: MilkyUpstreamOptions
  readonly #base: string
  readonly #peer: string
  readonly #redial: Redial
  readonly #store: MessageNumbers
  #link: MilkyLink | undefined

  constructor(options: MilkyUpstreamOptions) {
    const { seat, url, report, patience, after, store } = options
    const peer = maskText(url)
    this.#options = options
    this.#base = url.replace(/\/+$/, '')
    this.#peer = peer
    this.#store = store ?? new MemoryNumbers()
    this.#redial = new Redial({
      dial: (stopped) => this.#dial(stopped),
      retry: ({ refused, ...retry }) =>
        report({ kind: refused ? 'upstream-refused' : 'upstream-retry', bot: seat.name, peer, ...retry }),
      ...{ patience, after },
    })
  }

  /** Where its events may be posted; undefined: it is not told to post them. */
  get hook(): Hook | undefined {
    const { events, accessToken, seat } = this.#options
    if (events !== 'webhook') return undefined
    return {
      accessToken,
      account: () => seat.selfId,
      heard: (text) => {
        this.#link?.heard(text)
        return this.#link !== undefined
      },
    }
  }

  start(): void {
    this.#redial.start()
  }

  /** Dials no more, and ends the connection there is; clients are not told. */
  async stop(): Promise<void> {
    const over = this.#redial.stop()
    this.#link?.close(1000, 'the gateway is done with this link')
    await over
    this.#store.close()
  }

  async #dial(stopped: AbortSignal): Promise<void> {
    const { accessToken, tls } = this.#options
    const api = new MilkyApi({ base: this.#base, accessToken, tls })
    const give = () => api.close('the gateway is stopping')
    stopped.addEventListener('abort', give, { once: true })
    let opened = false
    try {
      const link = await this.#greeted(api)
      const on = {
        opened: () => {
          opened = true
          this.#opened(link)
        },
        heard: (text: string) => link.heard(text),
        ended: (end: { code: number; reason: string; refused: boolean }) => link.over(end),
      }
      link.source = await this.#opener(api)(on, stopped)
    } catch (error) {
      if (!(error instanceof MilkyError || error instanceof SourceError)) throw error
      // The link that was never opened ends nobody.
      api.close(error.message)
      if (!opened) this.#redial.ended({ reason: error.message, refused: error.refused })
    } finally {
      stopped.removeEventListener('abort', give)
    }
  }

  /** Who it is, and what: nothing can be made of its events before that is known. */
  async #greeted(api: MilkyApi): Promise<MilkyLink> {
    const { seat, report, offline = () => undefined, beat = BEAT } = this.#options
    const { impl_name: name } = await api.call('get_impl_info', {}, FIRST_ANSWER)
    const { uin, nickname } = await api.call('get_login_info', {}, FIRST_ANSWER)
    if (!Number.isSafeInteger(uin) || uin <= 0)
      throw new SourceError(`get_login_info: uin: found ${JSON.stringify(uin) ?? 'nothing'}, wanted a number`)
    return new MilkyLink({
      ...{ api, seat, report, offline, beat },
      selfId: uin,
      nickname: String(nickname ?? ''),
      implementation: String(name ?? ''),
      numbers: this.#store,
      peer: this.#peer,
      ended: (end) => {
        api.close(end.reason)
        this.#link = undefined
        this.#redial.ended(end)
      },
    })
  }

  #opener(api: MilkyApi): OpenSource {
    const { events, accessToken, maxFrame, host, tls } = this.#options
    switch (events) {
      case 'websocket':
        return socketSource({ base: this.#base, accessToken, maxFrame, host, tls })
      case 'sse':
        return sseSource(api.wire, maxFrame)
      case 'webhook':
        // They come to us: there is nothing to open.
        return async (on) => {
          on.opened()
          return { close: () => undefined }
        }
      default:
        return events satisfies never
    }
  }

  #opened(link: MilkyLink): void {
    this.#link = link
    this.#redial.opened()
    link.open()
  }
}
