// The part of the schema for who looks at the gateway: metrics, and who is told when something is wrong.

import * as v from 'valibot'
import { about, key, name, needed, rare, secret, TIMER } from './fields.ts'
import { choice, duration, flag, size, text } from './leaf.ts'
import { rule } from './rules.ts'

export const metrics = v.pipe(
  v.strictObject({
    open: key(flag(), false, rare('GET /metrics needs no admin token', 'GET /metrics 无需管理 token')),
  }),
  v.metadata(rare('numbers for Prometheus', 'Prometheus 指标')),
)

const channel = v.pipe(
  v.strictObject({
    name: name(),
    kind: needed(choice('webhook', 'bark', 'serverchan', 'telegram', 'email'), about('by which way', '通知方式')),
    url: key(
      text(),
      '',
      secret(
        'webhook: where to post; email: smtps://user:password@host:465; else another server than the usual one',
        'webhook：POST 的地址；email：smtps://用户:密码@主机:465；其余为替代默认服务器的地址',
      ),
    ),
    secret: key(text(), '', secret('webhook: signs X-Signature', 'webhook：用于 X-Signature 签名')),
    key: key(
      text(),
      '',
      secret(
        'bark: device key; serverchan: SendKey; telegram: token of the bot',
        'bark：设备 key；serverchan：SendKey；telegram：机器人 token',
      ),
    ),
    chat: key(text(), '', about('telegram: chat id, or @channel', 'telegram：chat id 或 @频道')),
    from: key(text(), '', about('email: the sender', 'email：发件人')),
    to: key(text(), '', about('email: who gets it, separated by commas', 'email：收件人，用逗号分隔')),
  }),
  rule((entry, report) => {
    for (const key of NEEDED[entry.kind]) if (entry[key] === '') report([key], `something: ${entry.kind} needs it`)
    const { wanted, pattern } = entry.kind === 'email' ? SMTP : HTTP
    if (entry.url !== '' && !(pattern.test(entry.url) && URL.canParse(entry.url))) report(['url'], wanted)
  }),
)

const NEEDED = {
  webhook: ['url'],
  bark: ['key'],
  serverchan: ['key'],
  telegram: ['key', 'chat'],
  email: ['url', 'from', 'to'],
} as const
const HTTP = { wanted: 'an address that starts with http:// or https://', pattern: /^https?:\/\//i }
const SMTP = { wanted: 'an address that starts with smtp:// or smtps://', pattern: /^smtps?:\/\//i }

export const INCIDENTS = ['offline', 'login', 'client-gone', 'breaker', 'behind', 'disk'] as const

export const alerts = v.pipe(
  v.strictObject({
    to: v.optional(v.pipe(v.array(channel), v.metadata(rare('who is told', '通知的接收方'))), []),
    on: key(v.array(choice(...INCIDENTS)), [...INCIDENTS], rare('what is told', '通知的内容')),
    'offline-after': key(duration(TIMER), '2m', rare('a bot is offline for so long', '机器人离线多久后通知')),
    'client-gone-after': key(
      duration(TIMER),
      '5m',
      rare('a client that has a name is away for so long', '有名称的客户端离开多久后通知'),
    ),
    'behind-after': key(duration(TIMER), '2m', rare('a client is behind by so much', '客户端落后多久后通知')),
    'disk-below': key(
      size({ min: 0 }),
      '200MiB',
      rare('so little room is left for data-dir', 'data-dir 所在磁盘剩余空间低于此值时通知'),
    ),
  }),
  v.metadata(rare('messages to people when something is wrong', '出现问题时发送通知')),
)
