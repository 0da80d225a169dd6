// The one description of the config: every key with its default, its meaning in two languages, and what it accepts.

import * as v from 'valibot'
import { type About, account, address, choice, duration, flag, size, text, whole } from './leaf.ts'
import { certificateWithKey, closedToStrangers, notItself, orderedRange, reachable, uniqueNames } from './rules.ts'

const about = (en: string, zh: string) => ({ en, zh }) satisfies About
const secret = (en: string, zh: string) => ({ en, zh, secret: true }) satisfies About

/** A key that may be left out. The default is written as a user would write it. */
function key<I, O>(schema: v.GenericSchema<I, O>, fallback: NoInfer<I>, meaning: About) {
  return v.optional(v.pipe(schema, v.metadata({ ...meaning })), () => fallback)
}

// A timer holds 2^31-1 ms at most; beyond that it fires at once.
const TIMER = { min: 1, max: 576 * 3_600_000 }
const port = (min = 0) => whole({ wanted: `a port ${min}-65535`, min, max: 65_535 })
const webSocket = () => address('ws', 'wss')
const filled = (wanted: string) => text({ wanted, pattern: /\S/ })
const name = () => key(text(), '', about('a name of your own, for logs and status', '自定义名称，用于日志和状态'))
// Sent in a header, which cannot bear more.
const shownToken = (meaning: About) =>
  key(text({ wanted: 'text of ASCII characters only', pattern: /^[\x20-\x7e]*$/ }), '', meaning)
const certificates = {
  ca: key(text(), '', about('PEM file that replaces the system roots', '替代系统根证书的 PEM 文件')),
  insecure: key(flag(), false, about('accept any certificate', '接受任何证书')),
}

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
    dir: key(text(), 'logs', about('folder of the log files; empty writes none', '日志文件夹，留空则不写文件')),
  }),
  v.metadata(about('logging', '日志')),
)

const update = v.pipe(
  v.strictObject({
    enable: key(flag(), false, about('look for a newer version when it is started', '启动时检查更新')),
    id: key(whole({ wanted: 'a whole number', min: 0 }), 0, about('written by the program', '由程序写入')),
    platform: key(text(), '', about('written by the program', '由程序写入')),
    'updated-at': key(text(), '0001-01-01T00:00:00Z', about('written by the program', '由程序写入')),
  }),
  v.metadata(about('of the implementation that perpetua runs itself', '内置实现的更新')),
)

const download = v.pipe(
  v.strictObject({
    base: key(
      address('http', 'https'),
      '',
      about(
        'a server that answers as GitHub and its API do; empty: GitHub itself',
        '与 GitHub 及其 API 兼容的服务器，留空则为 GitHub',
      ),
    ),
    mirror: key(
      address('http', 'https'),
      '',
      about('put before the whole address of a file, as download mirrors want it', '加在文件完整地址之前的镜像前缀'),
    ),
  }),
  v.metadata(about('where the embedded implementation is downloaded from', '内置实现的下载来源')),
)

const implementation = v.pipe(
  v.strictObject({
    'external-web-socket': key(
      webSocket(),
      'ws://127.0.0.1:5700/onebot/v11/ws',
      about("the implementation's forward WebSocket", 'OneBot 实现的正向 WebSocket 地址'),
    ),
    'external-access-token': shownToken(secret('the token it asks for', '连接它所用的 token')),
    update: v.optional(update, {}),
    mode: key(
      choice('auto', 'external', 'reverse', 'embedded'),
      'auto',
      about(
        'auto: external if an address is set, else embedded | external: dial it | reverse: it dials us | embedded: perpetua runs Lagrange.OneBot itself',
        'auto：填写了地址即 external，否则 embedded | external：连接它 | reverse：由它连接本程序 | embedded：由 perpetua 自行运行 Lagrange.OneBot',
      ),
    ),
    path: key(
      text(),
      '',
      about(
        'for embedded: its program, or a folder with it in; empty: looked for beside the config file, else downloaded',
        'embedded：程序文件或其所在文件夹，留空则在配置文件旁查找，找不到时下载',
      ),
    ),
    archive: key(
      text(),
      '',
      about(
        'for embedded: a .zip or .tar.gz with the program, instead of a download',
        'embedded：包含程序的 .zip 或 .tar.gz，用以代替下载',
      ),
    ),
    download: v.optional(download, {}),
    account: key(
      account(),
      '',
      about('for embedded: the QQ number to log in as; empty: any', 'embedded：要登录的 QQ 号，留空为不限'),
    ),
    'sign-server-url': key(
      address('http', 'https'),
      '',
      about(
        'for embedded: the sign server it asks; empty: as it is set there',
        'embedded：签名服务器地址，留空则不改动其设置',
      ),
    ),
  }),
  v.metadata(about("the first bot's OneBot implementation", '第一个机器人的 OneBot 实现')),
)

const upstream = v.strictObject({
  name: name(),
  kind: key(
    choice('forward', 'reverse', 'embedded'),
    'forward',
    about(
      'forward: we dial it | reverse: it dials us | embedded: only as ntqq-impl',
      'forward：连接它 | reverse：由它连接本程序 | embedded：仅可用于 ntqq-impl',
    ),
  ),
  url: key(webSocket(), '', about('its address, for forward', '地址（forward）')),
  'access-token': shownToken(secret('its token', '它的 token')),
  'self-id': key(
    account(),
    '',
    about('the QQ number it is logged in to; empty or 0: any', '登录的 QQ 号，留空或 0 为不限'),
  ),
  ...certificates,
})

const upstreams = v.pipe(
  v.array(upstream),
  uniqueNames(),
  v.metadata(about('more implementations, beside ntqq-impl', '除 ntqq-impl 外的更多实现')),
)

const tls = v.pipe(
  v.strictObject({
    cert: key(text(), '', about('PEM file of the certificate', '证书的 PEM 文件')),
    key: key(text(), '', about('PEM file of its private key', '私钥的 PEM 文件')),
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
    'access-token': key(
      text(),
      '',
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
    token: key(text(), '', secret('empty: generated and kept in data-dir', '留空则自动生成，保存在 data-dir')),
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
})

// An entry with an empty url is a place left to fill in.
const reverses = v.pipe(
  v.array(reverse),
  uniqueNames(),
  v.transform((entries) => entries.filter((entry) => entry.url !== '')),
  v.metadata(about('clients that perpetua dials itself', '反向 WebSocket 客户端')),
)
const posts = v.pipe(
  v.array(post),
  uniqueNames(),
  v.transform((entries) => entries.filter((entry) => entry.url !== '')),
  v.metadata(about('web hooks that events are posted to', 'HTTP POST 上报')),
)

const actions = v.pipe(
  v.strictObject({
    timeout: key(duration(TIMER), '60s', about('how long an action may take', '动作的超时时间')),
    timeouts: v.optional(
      v.pipe(
        v.record(v.string(), duration(TIMER)),
        v.metadata(about('other times for single actions: {upload_group_file: 10m}', '单个动作的超时时间')),
      ),
      {},
    ),
    'rate-limited-interval': key(
      duration({ max: TIMER.max }),
      '500ms',
      about('pause between _rate_limited actions', '_rate_limited 动作之间的间隔'),
    ),
  }),
  v.metadata(about('OneBot actions', 'OneBot 动作')),
)

const journal = v.pipe(
  v.strictObject({
    'max-bytes': key(size({ min: 1024 }), '64MiB', about('memory for events kept', '事件缓存的内存上限')),
  }),
  v.metadata(about('events kept for clients that are behind', '为落后的客户端保留的事件')),
)

export const schema = v.pipe(
  v.strictObject({
    log: v.optional(log, {}),
    'data-dir': key(
      filled('a folder'),
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
  }),
  closedToStrangers(),
  reachable(),
  notItself(),
)

/** The config as the program uses it: every key present, durations in milliseconds, sizes in bytes. */
export type Config = v.InferOutput<typeof schema>
/** The config as it may be written: everything optional, durations and sizes as text. */
export type ConfigInput = v.InferInput<typeof schema>
export type LogConfig = Config['log']
export type ReverseConfig = Config['reverse-web-socket'][number]
export type PostConfig = Config['http-post'][number]

/** A complete config from the given keys; throws on wrong ones. Files are read by load.ts, which says where. */
export const configOf = (input: ConfigInput = {}): Config => v.parse(schema, input)
