// The part of the schema that says what clients get and may do: settings of single clients, of pools, and of everybody.

import * as v from 'valibot'
import { actionPattern } from './action-names.ts'
import { about, key, needed, rare, secret, shownToken, unsaid } from './fields.ts'
import { filter } from './filter.ts'
import { hashedBy } from './governance-rules.ts'
import { type About, choice, flag, number, text, tree, whole } from './leaf.ts'
import { clientLimits } from './limit-schema.ts'
import { uniqueNames } from './rules.ts'

/** Of the settings that several sections take. */
const setting = (en: string, zh: string) => ({ en, zh, rare: true, setting: true }) satisfies About

export type Resume = { ack: 'ping' | 'explicit' }

const RESUME = {
  wanted: 'true, false, or {ack: ping} or {ack: explicit}',
  json: {
    anyOf: [
      { type: 'boolean' },
      { type: 'object', properties: { ack: { enum: ['ping', 'explicit'] } }, additionalProperties: false },
    ],
  },
}

/** Out comes how it is acknowledged; false: said not to. */
const resume = () =>
  tree<boolean | 'yes' | 'no' | 'on' | 'off' | Partial<Resume>, Resume | false>(RESUME, (found, report) => {
    const said = v.safeParse(flag(), found)
    if (said.success) return said.output && { ack: 'ping' }
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined
    const { ack = 'ping', ...others }: Record<string, unknown> = { ...found }
    for (const key of Object.keys(others)) report([key], 'ack: ping or ack: explicit', undefined, key)
    if (ack === 'ping' || ack === 'explicit') return { ack }
    report(['ack'], 'ping or explicit')
    return undefined
  })

const shared = {
  resume: unsaid(
    resume(),
    setting(
      'kept while it is away, and given what it missed; true is {ack: ping}',
      '离线期间保留会话，回来后补发错过的事件；true 即 {ack: ping}',
    ),
  ),
  filter: unsaid(
    filter(),
    setting(
      'which events it gets: operators of go-cqhttp, and groups, users, types, keywords, prefix, mode',
      '接收哪些事件：go-cqhttp 的运算符，以及 groups、users、types、keywords、prefix、mode',
    ),
  ),
  'message-format': unsaid(
    choice('array', 'string'),
    setting('the form of messages; left out: as they came', '消息格式，不填则保持原样'),
  ),
  'report-self-message': unsaid(
    flag(),
    setting(
      "whether it gets the bot's own messages; left out: as they came",
      '是否上报机器人自己发送的消息，不填则保持原样',
    ),
  ),
  'prefix-strip': unsaid(text(), setting('text that is taken off the front of messages', '从消息开头去掉的文本')),
  allow: unsaid(
    v.array(actionPattern()),
    setting(
      'the actions it may call, * stands for anything; left out: all',
      '允许调用的动作，* 为通配符，不填则全部允许',
    ),
  ),
  deny: unsaid(
    v.array(actionPattern()),
    setting('the actions it may not call, whatever allow says', '禁止调用的动作，优先于 allow'),
  ),
  'allow-groups': unsaid(
    v.array(number()),
    setting('the groups it may act on; empty or left out: all', '可操作的群，留空或不填则不限'),
  ),
  'allow-users': unsaid(
    v.array(number()),
    setting('the users it may act on; empty or left out: all', '可操作的用户，留空或不填则不限'),
  ),
  'rate-limit': unsaid(
    clientLimits(),
    setting('its own limits, by class of actions or by action', '限流，按动作类别或动作名'),
  ),
}

const POOL = setting('the pool whose events it shares; empty: none', '所属的池，池内成员分担事件，留空为不加入')
const WEIGHT = setting('its share in a pool, against the others', '在池中的权重')

/** What may be said about a client, wherever it is said; all of it may be left out. */
export const settings = {
  pool: unsaid(text(), POOL),
  weight: unsaid(whole({ wanted: 'a whole number 1-1000', min: 1, max: 1_000 }), WEIGHT),
  ...shared,
}
/** Those for somebody who calls nothing, and has messages in a form of its own. */
export const hearing = {
  pool: settings.pool,
  weight: settings.weight,
  resume: settings.resume,
  filter: settings.filter,
  'report-self-message': settings['report-self-message'],
  'prefix-strip': settings['prefix-strip'],
}
export const SETTINGS: ReadonlySet<string> = new Set(Object.keys(settings))

// As long as a client may say it.
const clientName = () => text({ wanted: 'a name of 1 to 64 characters', pattern: /^(?=.*\S).{1,64}$/u })

const client = v.strictObject({
  name: needed(clientName(), about('what it is called', '名称')),
  token: shownToken(secret('a token of its own, by which it is known for sure', '专属 token，用于可靠地识别它')),
  ...settings,
})

export const clients = v.pipe(
  v.array(client),
  uniqueNames(),
  v.metadata(
    rare(
      'what single clients get and may do, by name or by a token of their own',
      '按名称或专属 token 对单个客户端的设置',
    ),
  ),
)

export const defaults = v.pipe(
  v.strictObject(settings),
  v.metadata(rare('the same settings, for every client that does not say otherwise', '对所有客户端的默认设置')),
)

const pool = v.strictObject({
  strategy: key(
    choice('round-robin', 'random', 'least-pending', 'hash', 'priority'),
    'round-robin',
    about('who gets the next event', '下一个事件由谁处理'),
  ),
  by: unsaid(
    choice('group_id', 'user_id'),
    about('for hash: what stays with one member', 'hash：按什么固定到同一成员'),
  ),
  dispatch: key(
    choice('plain', 'acked'),
    'plain',
    about(
      'acked: what a vanished member had not acknowledged goes to another',
      'acked：成员消失时，未确认的事件转给其他成员',
    ),
  ),
  ...shared,
})

export const pools = v.pipe(
  v.record(v.string(), pool),
  hashedBy(),
  v.metadata(
    rare('clients that share their events: each event goes to one of them', '分担事件的客户端：每个事件只发给其中一个'),
  ),
)
