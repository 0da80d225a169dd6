// Reads Satori's events as NoneBot's and satori-python's models do: by the type of each field, and by what each kind of event and element must have.

import { type Node, readContent } from '../../src/satori/element.ts'

type Fields = Record<string, unknown>

const text = (value: unknown) => typeof value === 'string'
const number = (value: unknown) => Number.isInteger(value)
/** Python's dates end with the year 9999. */
const date = (value: unknown) => number(value) && Number(value) > 0 && Number(value) < 253_402_300_800_000

type Check = (value: unknown) => boolean
const record =
  (needed: Record<string, Check>, optional: Record<string, Check> = {}): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null) return false
    const fields = value as Fields
    return (
      Object.entries(needed).every(([key, check]) => check(fields[key])) &&
      Object.entries(optional).every(([key, check]) => fields[key] === undefined || check(fields[key]))
    )
  }

const user = record({ id: text }, { name: text, nick: text, avatar: text })
const MODELS: Record<string, Check> = {
  channel: record({ id: text, type: (type) => type === 0 || type === 1 }, { name: text }),
  guild: record({ id: text }, { name: text, avatar: text }),
  user,
  operator: user,
  member: record(
    {},
    {
      user,
      nick: text,
      avatar: text,
      joined_at: date,
      roles: (roles) => Array.isArray(roles) && roles.every(record({ id: text }, { name: text })),
    },
  ),
  message: record({ id: text, content: text }, { created_at: date }),
  emoji: record({ id: text }, { name: text }),
}
/** NoneBot refuses an event of a login that says it is anything but online. */
const EVENT = record({
  sn: number,
  id: number,
  type: text,
  timestamp: date,
  login: record({ sn: number, platform: text, user }, { status: (status) => status === 1, adapter: text }),
  _type: text,
})

const NEEDED: Record<string, readonly string[]> = {
  'message-created': ['channel', 'message', 'user'],
  'message-deleted': ['channel', 'message', 'user'],
  'guild-added': ['guild'],
  'guild-removed': ['guild'],
  'guild-request': ['guild'],
  'guild-member-added': ['guild', 'member', 'user'],
  'guild-member-removed': ['guild', 'member', 'user'],
  'guild-member-request': ['guild', 'member', 'user'],
  'friend-request': ['user'],
  'reaction-added': ['guild', 'channel', 'user', 'message', 'emoji'],
  'reaction-removed': ['guild', 'channel', 'user', 'message', 'emoji'],
  internal: [],
}

const ELEMENTS: Record<string, string> = {
  emoji: 'id',
  img: 'src',
  audio: 'src',
  video: 'src',
  file: 'src',
  quote: 'id',
}

/** What such a client would stumble over. */
export function problems(body: Fields): string[] {
  const type = String(body['type'])
  const needed = NEEDED[type]
  const found = EVENT(body) ? [] : ['event']
  if (needed === undefined) found.push(`type ${type}`)
  for (const key of needed ?? []) if (body[key] === undefined) found.push(`no ${key}`)
  for (const [key, model] of Object.entries(MODELS))
    if (body[key] !== undefined && !model(body[key])) found.push(`${key}: ${JSON.stringify(body[key])}`)
  // A group's message has a member.
  const { channel, message } = body as { channel?: Fields; message?: Fields }
  if (type === 'message-created' && channel?.['type'] === 0 && body['member'] === undefined) found.push('no member')
  return [...found, ...lacking(readContent(String(message?.['content'] ?? '')))]
}

function lacking(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => {
    if (typeof node === 'string') return []
    const key = ELEMENTS[node.type]
    const here = key !== undefined && typeof node.attrs[key] !== 'string' ? [`<${node.type}> without ${key}`] : []
    return [...here, ...lacking(node.children)]
  })
}
