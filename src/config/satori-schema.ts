// The section of the config about Satori, the other protocol by which clients may use the bots.

import * as v from 'valibot'
import { hearing } from './client-schema.ts'
import { about, key, name, secret, shownToken, TIMER } from './fields.ts'
import { knownByName } from './governance-rules.ts'
import { address, duration, flag, text, whole } from './leaf.ts'
import { uniqueNames } from './rules.ts'

const webhook = v.strictObject({
  name: name(),
  url: key(address('http', 'https'), '', about('where to post events', '上报地址')),
  token: shownToken(secret('shown to it as a bearer', '以 Bearer 形式出示给它的 token')),
  timeout: key(duration(TIMER), '10s', about('how long to wait for the answer', '等待响应的时间')),
  'retries-interval': key(duration(TIMER), '1500ms', about('first pause before trying again', '首次重试前的间隔')),
  'max-retries': v.optional(
    v.pipe(
      whole({ wanted: 'a whole number', min: 0 }),
      v.metadata(about('give an event up after so many; left out: never', '重试次数上限，不填则不限')),
    ),
  ),
  ...hearing,
})

const webhooks = v.pipe(
  v.array(webhook),
  uniqueNames(),
  knownByName(),
  v.metadata(about('web hooks that Satori events are posted to', 'Satori 事件的 HTTP 上报')),
)

export const satori = v.pipe(
  v.strictObject({
    enabled: key(flag(), false, about('speak Satori v1 on the main port', '在主端口提供 Satori v1 协议')),
    path: key(
      text({ wanted: 'a path such as /satori', pattern: /^(?:\/|(?:\/[\w.~-]+)+\/?)$/ }),
      '/satori',
      about('where: v1/events and the methods lie below it', '路径，其下为 v1/events 和各方法'),
    ),
    token: shownToken(
      secret('what its clients show; empty: http.access-token', '客户端使用的 token，留空则用 http.access-token'),
    ),
    webhooks: v.optional(webhooks, []),
  }),
  v.metadata(about('clients that speak Satori', '使用 Satori 协议的客户端')),
)
