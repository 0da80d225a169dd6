// The part of the schema about implementations that speak Milky.

import * as v from 'valibot'
import { about, key, secret, shownToken } from './fields.ts'
import { address, choice } from './leaf.ts'

const events = () =>
  key(
    choice('websocket', 'sse', 'webhook'),
    'websocket',
    about(
      'for milky: how events come | websocket, sse: we fetch them | webhook: it posts them to /milky/event, with access-token as its Bearer token',
      'milky：事件的获取方式 | websocket、sse：由本程序连接 | webhook：由它上报到 /milky/event，Bearer token 为 access-token',
    ),
  )

/** What an upstream of kind milky has besides the others. */
export const milkyUpstream = { events: events() }

/** The implementation of ntqq-impl, for mode milky. */
export const milky = v.pipe(
  v.strictObject({
    url: key(address('http', 'https'), '', about('its address, http:// or https://', '地址，http:// 或 https://')),
    events: events(),
  }),
  v.metadata(
    about(
      'for mode milky: an implementation that speaks Milky, such as LLBot; its token is external-access-token',
      'mode 为 milky 时：使用 Milky 协议的实现，如 LLBot；其 token 为 external-access-token',
    ),
  ),
)

/** What some sign servers ask for. */
export const signServerToken = shownToken(
  secret('for embedded: the token its sign server asks for', 'embedded：签名服务器要求的 token'),
)

/** Which implementation perpetua runs itself. */
export const embedded = key(
  choice('auto', 'lagrange-milky', 'lagrange-onebot'),
  'auto',
  about(
    'for embedded: which one | auto: the one that is there already, else lagrange-milky',
    'embedded：运行哪一个 | auto：已存在的那一个，否则 lagrange-milky',
  ),
)
