// The metrics: each with its name, its meaning in two languages, and how it is read when somebody asks.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import type { Buckets } from './buckets.ts'
import type { Tallies } from './tallies.ts'

export interface MetricSources {
  readonly bots: Bots
  readonly tallies: Tallies
  readonly version: string
  /** Milliseconds since 1970. */
  readonly since: number
  readonly links: () => number
  readonly allotments: () => number
  /** How late timers come (ms). */
  readonly lag: () => number
  /** How the implementation fares that we run for this bot; undefined: we run none. */
  readonly embedded: (bot: Bot) => { readonly state: string } | undefined
  readonly policy: (bot: Bot) => PolicyState | undefined
}

/** What limits the calls of a bot. */
export interface PolicyState {
  readonly breakers: Readonly<Record<string, { readonly state: 'closed' | 'half-open' | 'open' }>>
  readonly limited: { readonly delayed: number; readonly refused: number; readonly broken: number }
}

export type Labels = Readonly<Record<string, string>>
export interface Sample {
  readonly value: number
  readonly labels?: Labels
  /** Where it differs: parts of a histogram. */
  readonly metricName?: string
}

export interface Metric {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly en: string
  readonly zh: string
  readonly labels: readonly string[]
  readonly read: (from: MetricSources) => Iterable<Sample>
}

type Type = Metric['type']
type Reader = Metric['read']

const metric = (name: string, type: Type, labels: readonly string[], [en, zh]: [string, string], read: Reader) =>
  ({ name: `perpetua_${name}`, type, labels, en, zh, read }) satisfies Metric

/** The label by which bots are told apart: the account, or the name while none is known. */
const idOf = ({ selfId, name }: Bot) => selfId ?? name

const eachBot = (value: (bot: Bot, from: MetricSources) => number | undefined): Reader =>
  function* (from) {
    for (const bot of from.bots.all()) {
      const found = value(bot, from)
      if (found !== undefined) yield { labels: { bot: idOf(bot) }, value: found }
    }
  }

const byBot = (of: (tallies: Tallies) => ReadonlyMap<string, ReadonlyMap<string, number>>, label: string): Reader =>
  function* (from) {
    for (const [name, counts] of of(from.tallies))
      for (const [key, value] of counts) yield { labels: { bot: named(name, from), [label]: key }, value }
  }

const counted = (of: (tallies: Tallies) => ReadonlyMap<string, number>): Reader =>
  function* (from) {
    for (const [name, value] of of(from.tallies)) yield { labels: { bot: named(name, from) }, value }
  }

/** Facts know a bot by its name. */
function named(name: string, { bots }: MetricSources): string {
  const bot = bots.all().find((one) => one.name === name)
  return bot === undefined ? name : idOf(bot)
}

function* histogram(name: string, labels: Labels, { bounds, counts, sum, count }: Buckets): Generator<Sample> {
  let total = 0
  for (const [at, bound] of bounds.entries()) {
    total += counts[at] ?? 0
    yield { metricName: `${name}_bucket`, labels: { ...labels, le: String(bound) }, value: total }
  }
  yield { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count }
  yield { metricName: `${name}_sum`, labels, value: sum }
  yield { metricName: `${name}_count`, labels, value: count }
}

/** Sums that are told for each group of sessions. */
function* sessions(from: MetricSources): Generator<Sample> {
  for (const bot of from.bots.all()) {
    const counts = new Map<string, number>()
    for (const { link, flow } of bot.sessions.all()) {
      const key = `${link.transport} ${flow.state}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const [key, value] of counts) {
      const [transport = '', state = ''] = key.split(' ')
      yield { labels: { bot: idOf(bot), transport, state }, value }
    }
  }
}

/** The largest of all sessions that have yet to get something, those that are away left out. */
function worst(bot: Bot, of: (lag: { events: number; since: number }) => number): number {
  let most = 0
  for (const session of bot.sessions.all()) {
    const lag = session.flow.state === 'away' ? undefined : bot.members.fanout.lag(session)
    if (lag !== undefined) most = Math.max(most, of(lag))
  }
  return most
}

const unread = (bot: Bot) =>
  [...bot.sessions.all()].reduce(
    (sum, { link }) => sum + (link.open && Number.isFinite(link.buffered) ? link.buffered : 0),
    0,
  )

const age = (time: number | undefined) => (time === undefined ? 0 : Math.max(0, Date.now() - time) / 1_000)

const BREAKER = { closed: 0, 'half-open': 1, open: 2 } as const

export const METRICS: readonly Metric[] = [
  metric('info', 'gauge', ['version'], ['always 1, with the version', '恒为 1，附版本号'], ({ version }) => [
    { labels: { version }, value: 1 },
  ]),
  metric('uptime_seconds', 'gauge', [], ['since the start', '启动至今的时间'], ({ since }) => [{ value: age(since) }]),
  metric(
    'bot_online',
    'gauge',
    ['bot'],
    ['1: connected, and its account is known', '1 表示已连接且账号已知'],
    eachBot(({ online }) => Number(online)),
  ),
  metric(
    'upstream_connects_total',
    'counter',
    ['bot'],
    ['connections to implementations', '与 OneBot 实现建立连接的次数'],
    counted(({ connects }) => connects),
  ),
  metric(
    'upstream_losses_total',
    'counter',
    ['bot'],
    ['connections lost', '连接断开的次数'],
    counted(({ losses }) => losses),
  ),
  metric(
    'upstreams_failing',
    'gauge',
    ['bot'],
    [
      'implementations of the account that are connected and fail: offline, or their calls do',
      '已连接但不可用的 OneBot 实现数：账号离线，或动作持续失败',
    ],
    eachBot(({ sources }) => sources.upstreams.filter(({ failing }) => failing !== null).length),
  ),
  metric(
    'embedded_state',
    'gauge',
    ['bot', 'state'],
    [
      '1 for the state of the implementation that perpetua runs itself',
      'perpetua 自行运行的 OneBot 实现的状态，当前状态为 1',
    ],
    function* ({ bots, embedded }) {
      for (const bot of bots.all()) {
        const state = embedded(bot)?.state
        if (state !== undefined) yield { labels: { bot: idOf(bot), state }, value: 1 }
      }
    },
  ),
  metric(
    'events_total',
    'counter',
    ['bot', 'post_type'],
    ['events that came', '收到的事件'],
    byBot(({ events }) => events, 'post_type'),
  ),
  metric(
    'deliveries_total',
    'counter',
    ['bot'],
    ['events handed to clients', '发给客户端的事件'],
    eachBot(({ members }) => members.traffic.events),
  ),
  metric(
    'delivered_bytes_total',
    'counter',
    ['bot'],
    ['their bytes', '其字节数'],
    eachBot(({ members }) => members.traffic.bytes),
  ),
  metric(
    'lanes',
    'gauge',
    ['bot'],
    ['groups of clients in step that get identical bytes', '接收相同内容的同步客户端分组数'],
    eachBot(({ members }) => members.fanout.lanes),
  ),
  metric(
    'sessions',
    'gauge',
    ['bot', 'transport', 'state'],
    ['clients, by transport and by how they follow the events', '客户端数，按传输方式和状态'],
    sessions,
  ),
  metric('links', 'gauge', [], ['open links of clients', '客户端连接数'], ({ links }) => [{ value: links() }]),
  metric('allotments', 'gauge', [], ['allotted ports', '已分配的端口数'], ({ allotments }) => [
    { value: allotments() },
  ]),
  metric(
    'pending_bytes',
    'gauge',
    ['bot'],
    ['bytes that clients have not read yet', '客户端尚未读取的字节数'],
    eachBot(unread),
  ),
  metric(
    'lag_events',
    'gauge',
    ['bot'],
    ['events that the slowest client has yet to get', '最慢的客户端落后的事件数'],
    eachBot((bot) => worst(bot, ({ events }) => events)),
  ),
  metric(
    'lag_seconds',
    'gauge',
    ['bot'],
    ['how long the first of them has waited', '其中最早的事件已等待的时间'],
    eachBot((bot) => worst(bot, ({ since }) => age(since))),
  ),
  metric(
    'journal_entries',
    'gauge',
    ['bot'],
    ['events kept', '缓存的事件数'],
    eachBot(({ journal }) => journal.entries),
  ),
  metric(
    'journal_bytes',
    'gauge',
    ['bot'],
    ['memory that they take', '其占用的内存'],
    eachBot(({ journal }) => journal.bytes),
  ),
  metric(
    'journal_age_seconds',
    'gauge',
    ['bot'],
    ['age of the oldest of them', '最早一条的存在时间'],
    eachBot(({ journal }) => age(journal.at(journal.first)?.time)),
  ),
  metric(
    'actions_total',
    'counter',
    ['bot', 'action', 'retcode'],
    [
      'actions that ended; of many names or retcodes, some count as other or -1',
      '已结束的动作；名称或返回码过多时计入 other 或 -1',
    ],
    function* (from) {
      for (const { bot, action, retcodes } of from.tallies.actions.values())
        for (const [retcode, value] of retcodes)
          yield { labels: { bot: named(bot, from), action, retcode: String(retcode) }, value }
    },
  ),
  metric('action_seconds', 'histogram', ['bot', 'action'], ['how long they took', '动作耗时'], function* (from) {
    for (const { bot, action, seconds } of from.tallies.actions.values())
      yield* histogram('perpetua_action_seconds', { bot: named(bot, from), action }, seconds)
  }),
  metric(
    'calls_in_flight',
    'gauge',
    ['bot'],
    ['actions that wait for their reply', '等待回复的动作数'],
    eachBot(({ waiting }) => waiting.replies),
  ),
  metric(
    'calls_waiting',
    'gauge',
    ['bot'],
    ['actions that wait to be sent', '等待发送的动作数'],
    eachBot(({ waiting }) => waiting.waiting),
  ),
  metric(
    'calls_held',
    'gauge',
    ['bot'],
    ['1: actions wait since none can be sent', '1 表示动作因无法发送而等待'],
    eachBot(({ waiting }) => Number(waiting.held)),
  ),
  metric(
    'calls_total',
    'counter',
    ['bot', 'how'],
    [
      'actions that did not simply go up: held, shared, limited, timeout',
      '未直接发出的动作：held、shared、limited、timeout',
    ],
    byBot(({ calls }) => calls, 'how'),
  ),
  metric(
    'rate_limited_total',
    'counter',
    ['bot', 'how'],
    ['actions that limits or breakers delayed or refused', '被限流或熔断推迟、拒绝的动作'],
    function* ({ bots, policy }) {
      for (const bot of bots.all())
        for (const [how, value] of Object.entries(policy(bot)?.limited ?? {}))
          yield { labels: { bot: idOf(bot), how }, value }
    },
  ),
  metric(
    'breaker_state',
    'gauge',
    ['bot', 'class'],
    ['circuit breaker: 0 closed, 1 half-open, 2 open', '熔断器状态：0 关闭，1 半开，2 打开'],
    function* ({ bots, policy }) {
      for (const bot of bots.all())
        for (const [kind, { state }] of Object.entries(policy(bot)?.breakers ?? {}))
          yield { labels: { bot: idOf(bot), class: kind }, value: BREAKER[state] }
    },
  ),
  metric('pool_members', 'gauge', ['bot', 'pool'], ['clients in a pool', '池中的客户端数'], function* ({ bots }) {
    for (const bot of bots.all())
      for (const { name, members } of bot.members.fanout.pools.status)
        yield { labels: { bot: idOf(bot), pool: name }, value: members }
  }),
  metric(
    'pool_waiting',
    'gauge',
    ['bot', 'pool'],
    ['events of a pool that nobody has taken yet', '池中尚无人处理的事件数'],
    function* ({ bots }) {
      for (const bot of bots.all())
        for (const { name, waiting } of bot.members.fanout.pools.status)
          yield { labels: { bot: idOf(bot), pool: name }, value: waiting }
    },
  ),
  metric(
    'drops_total',
    'counter',
    ['bot', 'reason'],
    ['events, replies and calls that were lost, by reason', '丢弃的事件、回复和调用，按原因'],
    byBot(({ drops }) => drops, 'reason'),
  ),
  metric(
    'resumes_total',
    'counter',
    ['bot', 'result'],
    ['clients that came back: complete, or lost events', '恢复连接的客户端：complete 为完整，lost 为有丢失'],
    byBot(({ resumes }) => resumes, 'result'),
  ),
  metric(
    'refusals_total',
    'counter',
    ['status'],
    ['requests and links refused, by HTTP status', '被拒绝的请求和连接，按 HTTP 状态码'],
    function* ({ tallies }) {
      for (const [status, value] of tallies.refusals) yield { labels: { status }, value }
    },
  ),
  metric('event_loop_lag_seconds', 'gauge', [], ['how late the last timer came', '事件循环延迟'], ({ lag }) => [
    { value: lag() / 1_000 },
  ]),
  metric('resident_memory_bytes', 'gauge', [], ['memory of the process', '进程内存'], () => [
    { value: process.memoryUsage.rss() },
  ]),
]
