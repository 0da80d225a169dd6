// Plugs together what an operator looks at and steers with: counts, charts, taps, the admin API.

import type { Context, Hono, MiddlewareHandler } from 'hono'
import { alertRoutes } from './admin/alerts.ts'
import { adminApi } from './admin/api.ts'
import { botRoutes } from './admin/bots.ts'
import { callRoutes } from './admin/calls.ts'
import { clientRoutes } from './admin/clients.ts'
import { type ConfigFile, configRoutes } from './admin/config.ts'
import { healthRoutes } from './admin/health.ts'
import { liveRoutes } from './admin/live.ts'
import type { Route } from './admin/route.ts'
import { sandboxRoutes } from './admin/sandbox.ts'
import { Streams } from './admin/streams.ts'
import { Alerts, testAlerts } from './alerts/alerts.ts'
import type { Bots } from './broker/bots.ts'
import type { Guests } from './broker/ports.ts'
import type { Presence } from './broker/presence.ts'
import type { Report } from './broker/status.ts'
import type { Config } from './config/schema.ts'
import { shown } from './config/shown.ts'
import type { Patience } from './lib/backoff.ts'
import { callsShown } from './observe/calls.ts'
import { History } from './observe/history.ts'
import type { MetricSources } from './observe/metric.ts'
import type { Metrics } from './observe/metrics.ts'
import { type Overview, type OverviewOptions, overview } from './observe/overview.ts'
import { type Portrait, Portraits } from './observe/portrait.ts'
import { Recent } from './observe/recent.ts'
import { Tallies } from './observe/tallies.ts'
import { Taps } from './observe/taps.ts'
import type { HostEnv } from './runtime/host.ts'

export interface OperatorOptions extends Pick<OverviewOptions, 'links' | 'allotments' | 'storage' | 'reverse'> {
  readonly bots: Bots
  readonly guests: Guests
  readonly report: Report
  readonly config: () => Config
  readonly file: ConfigFile | undefined
  /** Where it keeps its files; absent: nothing is written. */
  readonly dataDir: string | undefined
  /** For alerts that do not arrive, and milliseconds between two looks for what is wrong; tests cannot wait. */
  readonly patience: Patience | undefined
  readonly lookEvery?: number | undefined
  /** The lines of the log; absent: none are kept. */
  readonly recent: Recent | undefined
  readonly version: string
  /** Where the simulated bot of the sandbox is steered. */
  readonly simulator: string | undefined
  readonly embedded: MetricSources['embedded']
  readonly policy: MetricSources['policy']
  /** How often each fact happened, and the number of the presence. */
  readonly counted: () => Pick<OverviewOptions, 'facts'> & { readonly presence: Presence }
}

export interface Doors {
  readonly guard: MiddlewareHandler<HostEnv>
  readonly status: (c: Context<HostEnv>) => Response | Promise<Response>
  readonly qrcode: (c: Context<HostEnv>) => Response | Promise<Response>
}

export class Operator {
  readonly #options: OperatorOptions
  readonly #since = Date.now()
  readonly #tallies = new Tallies()
  readonly #taps = new Taps()
  readonly #portraits = new Portraits()
  readonly #streams = new Streams()
  readonly #history: History
  readonly #alerts: Alerts
  #metrics: Promise<Metrics> | undefined

  constructor(options: OperatorOptions) {
    this.#options = options
    const sent = () => options.bots.all().reduce((sum, { members }) => sum + members.traffic.events, 0)
    this.#history = new History({ tallies: this.#tallies, sent })
    this.#history.start()
    const { bots, config, embedded, policy, report, dataDir, patience, lookEvery } = options
    this.#alerts = new Alerts({
      settings: () => config().alerts,
      watched: () => ({ bots: bots.all(), embedded, policy }),
      folder: dataDir,
      report,
      patience,
      every: lookEvery,
    })
  }

  readonly report: Report = (status) => {
    this.#tallies.report(status)
    this.#taps.report(status)
    this.#portraits.report(status)
    this.#alerts.report(status)
  }

  overview(): Overview & { readonly sandbox: boolean } {
    return { ...this.#overview(), sandbox: this.simulator !== undefined }
  }

  #overview(): Overview {
    return overview({
      ...this.#options,
      ...this.#options.counted(),
      since: this.#since,
      portraits: this.#portraits,
      lag: this.#history.lag,
    })
  }

  /** Where the simulated bot is steered; undefined: none is behind us. */
  get simulator(): string | undefined {
    return (
      this.#options.simulator ??
      this.#options.bots
        .all()
        .map((bot) => steering(this.#portraits.of(bot)))
        .find(Boolean)
    )
  }

  /** The admin API, the health checks and the metrics, to be mounted at the root. */
  api({ guard, status, qrcode }: Doors): Hono<HostEnv> {
    const { bots, guests, report, config, file, version, recent = new Recent() } = this.#options
    const seen = () => this.overview().bots
    const routes: Route[] = [
      {
        method: 'get',
        path: '/api/status',
        summary: 'Bots, clients, journals, calls and how often each fact happened',
        query: { wait: 'waits so long (30s) for a change of who is there', version: 'the presence of the last answer' },
        answer: { type: 'object' },
        handle: status,
      },
      {
        method: 'get',
        path: '/api/qrcode',
        summary: 'The code to scan while the implementation that perpetua runs waits for a login; else 404',
        answer: { media: 'image/png', means: 'the code' },
        handle: qrcode,
      },
      ...clientRoutes({ bots, guests, report, seen }),
      ...botRoutes({ bots, seen, look: (bot) => this.#portraits.look(bot) }),
      ...callRoutes({ bots, report, shown: (filter) => callsShown(bots, filter) }),
      ...alertRoutes({
        incidents: () =>
          this.#alerts.incidents.map(({ since, words: _words, ...one }) => ({
            ...one,
            since: Math.floor(since / 1_000),
          })),
        test: () => testAlerts(config().alerts.to),
      }),
      ...configRoutes({ shown: () => shown(config()), file }),
      ...liveRoutes({
        streams: this.#streams,
        tap: (filter, sink) => this.#taps.add({ ...filter, bot: this.#nameOf(filter.bot) }, sink),
        seconds: (watcher) => this.#history.watch(watcher),
        changes: (watcher) => this.#options.counted().presence.watch(watcher),
        statusText: () => this.#statusText(),
        chart: (step) => this.#history.chart(step),
        log: recent,
      }),
      ...sandboxRoutes({ simulator: () => this.simulator }),
      ...healthRoutes({ bots, open: () => config().metrics.open, metrics: () => this.#openMetrics() }),
    ]
    return adminApi({ routes, guard, version })
  }

  /** Another token opens the door: who looks on must show it. */
  renewed(): void {
    this.#streams.stop()
  }

  async stop(): Promise<void> {
    this.#streams.stop()
    this.#taps.stop()
    this.#history.stop()
    await this.#alerts.stop()
  }

  /** Facts know a bot by its name, people by its account. */
  #nameOf(wish: string | undefined): string | undefined {
    return this.#options.bots.all().find(({ selfId }) => selfId !== undefined && selfId === wish)?.name ?? wish
  }

  #status = { at: Number.NEGATIVE_INFINITY, version: 0, text: '' }
  /** Made once for all who watch, and anew where somebody came or went. */
  #statusText(): string {
    const now = performance.now()
    const { version } = this.#options.counted().presence
    if (now - this.#status.at > 500 || version !== this.#status.version)
      this.#status = { at: now, version, text: JSON.stringify(this.overview()) }
    return this.#status.text
  }

  #openMetrics(): Promise<Metrics> {
    const { bots, version, links, allotments, embedded, policy } = this.#options
    const lag = () => this.#history.lag
    this.#metrics ??= import('./observe/metrics.ts').then(({ metrics }) =>
      metrics({ bots, tallies: this.#tallies, version, since: this.#since, links, allotments, lag, embedded, policy }),
    )
    return this.#metrics
  }
}

/** What a simulator calls itself, and where one is to be steered that runs by itself: on this machine only. */
const SIMULATOR = 'perpetua-simulator'

function steering({ name, peer, lost }: Portrait): string | undefined {
  if (name !== SIMULATOR || peer === null || lost !== null) return undefined
  const place = /^ws:\/\/((?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?)\//i.exec(peer)?.[1]
  return place === undefined ? undefined : `http://${place}/simulator`
}
