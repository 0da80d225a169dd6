// The one description of the config: every key with its default, its meaning in two languages, and what it accepts.

import * as v from 'valibot'
import { onlyReads } from './action-names.ts'
import { clients, defaults, pools, settings } from './client-schema.ts'
import { about, certificates, filled, key, name, port, secret, shownToken, TIMER, webSocket } from './fields.ts'
import { knownByName, poolsKnown, settingsOnce, tokensApart } from './governance-rules.ts'
import { account, address, choice, duration, flag, place, size, text, whole } from './leaf.ts'
import { breaker, rateLimit } from './limit-schema.ts'
import { alerts, metrics } from './observe-schema.ts'
import { certificateWithKey, closedToStrangers, notItself, orderedRange, reachable, uniqueNames } from './rules.ts'
import { satori } from './satori-schema.ts'
import { implementation, upstreams } from './upstream-schema.ts'

const log = v.pipe(
  v.strictObject({
    'force-new': key(flag(), false, about('a new log file at every start', '每次启动都新建日志文件')),
    level: key(
      choice('trace', 'debug', 'info', 'warn', 'error'),
      'info',
      about('least important level to log', '日志级别'),
    ),
    aging: key(
      duration(),
      '24h',
      about('start a new file after this long; 0 never does', '日志文件的使用时长，0 为不更换'),
    ),
    colorful: key(flag(), true, about('colours on the console', '控制台彩色输出')),
    dir: key(place(), 'logs', about('folder of the log files; empty writes none', '日志文件夹，留空则不写文件')),
  }),
  v.metadata(about('logging', '日志')),
)

const tls = v.pipe(
  v.strictObject({
    cert: key(place(), '', about('PEM file of the certificate', '证书的 PEM 文件')),
    key: key(place(), '', about('PEM file of its private key', '私钥的 PEM 文件')),
  }),
  certificateWithKey(),
  v.metadata(about('serve https and wss', '启用 https 和 wss')),
)

const http = v.pipe(
  v.strictObject({
    host: key(
      filled('an IP address or a host name'),
      '127.0.0.1',
      about('address to listen on; 0.0.0.0 is all of them and needs a token', '监听地址，0.0.0.0 为全部（需要 token）'),
    ),
    port: key(port(), 8080, about('port to listen on', '监听端口')),
    'access-token': shownToken(
      secret(
        'what clients show; empty: external-access-token counts',
        '客户端使用的 token，留空则用 external-access-token',
      ),
    ),
    'allow-anonymous': key(
      flag(),
      false,
      about('listen beyond this machine without a token', '允许无 token 监听本机以外的地址'),
    ),
    'open-discovery': key(
      flag(),
      false,
      about('get_ws_port and get_online_clients need no token', 'get_ws_port 和 get_online_clients 无需 token'),
    ),
    'allowed-hosts': key(
      v.array(filled('a host name')),
      [],
      about('names besides IPs and localhost that a Host header may bear', '除 IP 和 localhost 外允许的 Host'),
    ),
    'allowed-origins': key(
      v.array(text({ wanted: 'an origin such as https://example.com', pattern: /^[a-z][a-z0-9+.-]*:\/\/[^/]+$/i })),
      [],
      about('origins of web pages that may connect', '允许连接的网页来源'),
    ),
    tls: v.optional(tls, {}),
  }),
  v.metadata(about('where clients connect', '客户端的连接地址')),
)

const admin = v.pipe(
  v.strictObject({
    token: shownToken(secret('empty: generated and kept in data-dir', '留空则自动生成，保存在 data-dir')),
  }),
  v.metadata(about('status and administration', '状态与管理')),
)

const rangePort = v.pipe(
  v.strictObject({
    enabled: key(flag(), false, about('take ports of this range only', '只使用此范围内的端口')),
    start: key(port(1), 8100, about('first port', '起始端口')),
    end: key(port(1), 8110, about('last port, inclusive', '结束端口（包含）')),
  }),
  orderedRange(),
  v.metadata(about('ports for get_ws_port', 'get_ws_port 分配的端口')),
)

const webSocketSection = v.pipe(
  v.strictObject({
    timeout: key(
      duration(TIMER),
      '15s',
      about('how long an allotted port waits for its client', '分配的端口等待客户端的时间'),
    ),
    'range-port': v.optional(rangePort, {}),
    'max-frame': key(size({ min: 1024, max: 2 ** 30 }), '64MiB', about('longest frame accepted', '单帧最大长度')),
  }),
  v.metadata(about('WebSocket links', 'WebSocket 连接')),
)

const reverse = v.strictObject({
  name: name(),
  url: key(webSocket(), '', about('where to connect', '连接的地址')),
  'access-token': shownToken(secret('the token it asks for', '它要求的 token')),
  'self-id': key(account(), '', about('of which bot; empty or 0: the first', '所属机器人，留空或 0 为第一个')),
  ...certificates,
  ...settings,
})

const post = v.strictObject({
  name: name(),
  url: key(address('http', 'https'), '', about('where to post events', '上报地址')),
  secret: key(text(), '', secret('signs X-Signature', '用于 X-Signature 签名')),
  timeout: key(duration(TIMER), '10s', about('how long to wait for the answer', '等待响应的时间')),
  'retries-interval': key(duration(TIMER), '1500ms', about('first pause before trying again', '首次重试前的间隔')),
  'max-retries': v.optional(
    v.pipe(
      whole({ wanted: 'a whole number', min: 0 }),
      v.metadata(about('give an event up after so many; left out: never', '重试次数上限，不填则不限')),
    ),
  ),
  ...settings,
})

const reverses = v.pipe(
  v.array(reverse),
  uniqueNames(),
  knownByName(),
  v.metadata(about('clients that perpetua dials itself', '反向 WebSocket 客户端')),
)
const posts = v.pipe(
  v.array(post),
  uniqueNames(),
  knownByName(),
  v.metadata(about('web hooks that events are posted to', 'HTTP POST 上报')),
)

const actions = v.pipe(
  v.strictObject({
    timeout: key(duration(TIMER), '60s', about('how long an action may take', '动作的超时时间')),
    timeouts: v.optional(
      v.pipe(
        v.record(v.string(), duration(TIMER)),
        v.metadata(
          about(
            'other times for single actions: {upload_group_file: 10m}',
            '单个动作的超时时间：{upload_group_file: 10m}',
          ),
        ),
      ),
      {},
    ),
    'rate-limited-interval': key(
      duration({ max: TIMER.max }),
      '500ms',
      about('pause between _rate_limited actions', '_rate_limited 动作之间的间隔'),
    ),
    hold: key(
      duration({ max: TIMER.max }),
      '30s',
      about(
        'how long actions wait while the implementation is away; 0: 1503 at once',
        'OneBot 实现离线时动作的等待时间，0 为立即返回 1503',
      ),
    ),
    resend: key(
      choice('reads', 'always'),
      'reads',
      about(
        'which actions in flight are sent again when the implementation was lost; always may do things twice',
        'OneBot 实现断线时重新发送哪些未完成的动作；always 可能导致重复执行',
      ),
    ),
    coalesce: key(
      flag(),
      true,
      about('the same reads at the same time are asked once', '同时发出的相同读取动作只请求一次'),
    ),
    cache: v.optional(
      v.pipe(
        v.record(v.string(), duration(TIMER)),
        onlyReads(),
        v.metadata(
          about(
            'how long answers of reads are given again: {get_group_list: 5s}',
            '读取类动作结果的缓存时间：{get_group_list: 5s}',
          ),
        ),
      ),
      {},
    ),
  }),
  v.metadata(about('OneBot actions', 'OneBot 动作')),
)

const journal = v.pipe(
  v.strictObject({
    'max-bytes': key(size({ min: 1024 }), '64MiB', about('memory for events kept', '事件缓存的内存上限')),
    persist: key(
      flag(),
      false,
      about('keep events and sessions in data-dir across restarts', '将事件和会话保存到 data-dir，重启后仍可用'),
    ),
  }),
  v.metadata(about('events kept for clients that are behind', '为落后的客户端保留的事件')),
)

export const schema = v.pipe(
  v.strictObject({
    log: v.optional(log, {}),
    'data-dir': key(
      place('a folder'),
      'data',
      about("perpetua's own files; one running gateway each", '数据文件夹，同时只能被一个实例使用'),
    ),
    'ntqq-impl': v.optional(implementation, {}),
    upstreams: v.optional(upstreams, []),
    http: v.optional(http, {}),
    admin: v.optional(admin, {}),
    'web-socket': v.optional(webSocketSection, {}),
    'reverse-web-socket': v.optional(reverses, []),
    'http-post': v.optional(posts, []),
    'msg-expire-time': key(duration({ min: 1 }), '30m', about('how long events are kept', '事件保留时间')),
    actions: v.optional(actions, {}),
    journal: v.optional(journal, {}),
    clients: v.optional(clients, []),
    defaults: v.optional(defaults, {}),
    pools: v.optional(pools, {}),
    'rate-limit': v.optional(rateLimit, {}),
    breaker: v.optional(breaker, {}),
    satori: v.optional(satori, {}),
    metrics: v.optional(metrics, {}),
    alerts: v.optional(alerts, {}),
  }),
  closedToStrangers(),
  reachable(),
  notItself(),
  tokensApart(),
  settingsOnce(),
  poolsKnown(),
  // An entry with an empty url is a place left to fill in. It goes last: rules count entries as they were written.
  v.transform((config) => ({
    ...config,
    'reverse-web-socket': config['reverse-web-socket'].filter(({ url }) => url !== ''),
    'http-post': config['http-post'].filter(({ url }) => url !== ''),
    satori: { ...config.satori, webhooks: config.satori.webhooks.filter(({ url }) => url !== '') },
  })),
)

/** The config as the program uses it: every key present, durations in milliseconds, sizes in bytes. */
export type Config = v.InferOutput<typeof schema>
/** The config as it may be written: everything optional, durations and sizes as text. */
export type ConfigInput = v.InferInput<typeof schema>
export type LogConfig = Config['log']
export type ReverseConfig = Config['reverse-web-socket'][number]
export type PostConfig = Config['http-post'][number]
export type WebhookConfig = Config['satori']['webhooks'][number]
/** What an entry says about a client; absent: not said, so that a pool's or everybody's settings count. */
export type ClientSettings = Config['defaults']
export type PoolConfig = Config['pools'][string]
/** One bucket: `rate` per second, times in milliseconds. */
export type LimitConfig = Config['rate-limit']['bot'][string] | NonNullable<ClientSettings['rate-limit']>[string]
/** Buckets by class of actions (send, manage, read, file, all) or by the name of an action. */
export type LimitsConfig = Readonly<Record<string, LimitConfig>>
export type AlertsConfig = Config['alerts']
export type AlertTarget = AlertsConfig['to'][number]
export type { FilterConfig } from './filter.ts'

/** A complete config from the given keys; throws on wrong ones. Files are read by load.ts, which says where. */
export const configOf = (input: ConfigInput = {}): Config => v.parse(schema, input)
