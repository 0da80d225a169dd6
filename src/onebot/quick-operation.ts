// Turns a quick operation, the answer to an HTTP POST, into ordinary actions that every implementation knows.

import { members } from './json-text.ts'
import { type Fields, isObject, own, parse } from './object.ts'
import { escapeCqValue } from './segment.ts'

export interface Step {
  readonly action: string
  /** JSON text: ids in it are cut from the event's text, since numbers of ours cannot hold all of them. */
  readonly params: string
}

/**
 * The actions that `operation` asks for in answer to `event`, both JSON text, in the order in which to take them. None
 * when the operation is no JSON object, asks for nothing, or the event is of a kind that has no quick operations.
 */
export function quickOperation(event: string, operation: string): Step[] {
  const told = read(event)
  const asked = read(operation)
  if (told === undefined || asked === undefined) return []
  const steps = own(told.fields, 'post_type') === 'message' ? onMessage(told, asked) : onRequest(told, asked)
  return steps.filter((step) => step !== undefined)
}

/** Values to decide by, and the texts of the same members to pass on. */
interface Side {
  readonly fields: Fields
  readonly texts: ReadonlyMap<string, string>
}

function read(raw: string): Side | undefined {
  const fields = parse(raw)
  if (!isObject(fields)) return undefined
  const texts = new Map(members(raw).map(({ key, value }) => [key, raw.slice(value.start, value.end)]))
  return { fields, texts }
}

/** Seconds; the standard's default. */
const BAN = '1800'

function onMessage(event: Side, operation: Side): (Step | undefined)[] {
  const wants = (what: string) => own(operation.fields, what) === true
  const reply = answer(event, operation)
  const group = event.texts.get('group_id')
  if (own(event.fields, 'message_type') !== 'group' || group === undefined) return [reply]
  const user = event.texts.get('user_id')
  return [
    reply,
    wants('delete') ? step('delete_msg', { message_id: event.texts.get('message_id') }) : undefined,
    // Nobody can tell whom to throw out.
    wants('kick') && !isAnonymous(event)
      ? step('set_group_kick', { group_id: group, user_id: user, reject_add_request: 'false' })
      : undefined,
    wants('ban') ? ban(event, group, duration(operation)) : undefined,
  ]
}

function onRequest(event: Side, { fields, texts }: Side): (Step | undefined)[] {
  const flag = event.texts.get('flag')
  const approve = own(fields, 'approve')
  if (own(event.fields, 'post_type') !== 'request' || typeof approve !== 'boolean') return []
  const params = { flag, approve: String(approve) }
  const words = (key: string) => (typeof own(fields, key) === 'string' ? { [key]: texts.get(key) } : {})
  if (own(event.fields, 'request_type') === 'friend')
    return [step('set_friend_add_request', { ...params, ...words('remark') })]
  if (own(event.fields, 'request_type') === 'group')
    return [step('set_group_add_request', { ...params, sub_type: event.texts.get('sub_type'), ...words('reason') })]
  return []
}

/** The message that `reply` asks for. */
function answer(event: Side, operation: Side): Step | undefined {
  const reply = own(operation.fields, 'reply')
  const text = operation.texts.get('reply')
  const user = event.texts.get('user_id')
  if (text === undefined || user === undefined || !isMessage(reply)) return undefined
  const verbatim = typeof reply === 'string' && own(operation.fields, 'auto_escape') === true
  const whole = verbatim ? { auto_escape: 'true' } : {}
  if (own(event.fields, 'message_type') !== 'group') {
    // A temporary conversation is found by the group that both are in.
    const through = own(event.fields, 'sub_type') === 'group' ? groupOf(event) : {}
    return step('send_private_msg', { user_id: user, ...through, message: text, ...whole })
  }
  const to = { group_id: event.texts.get('group_id') }
  if (own(operation.fields, 'at_sender') === false || isAnonymous(event))
    return step('send_group_msg', { ...to, message: text, ...whole })
  return step('send_group_msg', { ...to, message: addressed(user, reply, text, verbatim) })
}

const isMessage = (reply: unknown) =>
  typeof reply === 'string' || Array.isArray(reply) ? reply.length > 0 : isObject(reply)

/** The message, JSON text, with its sender mentioned in front. Text to be sent as written becomes a segment for that. */
function addressed(user: string, reply: unknown, text: string, verbatim: boolean): string {
  const id = user.startsWith('"') ? String(parse(user)) : user
  if (typeof reply === 'string' && !verbatim)
    return `${JSON.stringify(`[CQ:at,qq=${escapeCqValue(id)}] `).slice(0, -1)}${text.slice(1)}`
  const at = `[{"type":"at","data":{"qq":${JSON.stringify(id)}}}`
  if (typeof reply === 'string') return `${at},{"type":"text","data":{"text":" ${text.slice(1)}}}]`
  const rest = Array.isArray(reply) ? text.slice(1) : `${text}]`
  return `${at},{"type":"text","data":{"text":" "}},${rest}`
}

function ban(event: Side, group: string, seconds: string): Step | undefined {
  if (!isAnonymous(event))
    return step('set_group_ban', { group_id: group, user_id: event.texts.get('user_id'), duration: seconds })
  return step('set_group_anonymous_ban', {
    group_id: group,
    anonymous: event.texts.get('anonymous'),
    duration: seconds,
  })
}

function duration({ fields, texts }: Side): string {
  const asked = own(fields, 'ban_duration')
  return typeof asked === 'number' && asked >= 0 ? (texts.get('ban_duration') ?? BAN) : BAN
}

const isAnonymous = ({ fields }: Side) => isObject(own(fields, 'anonymous'))

function groupOf({ texts }: Side): { group_id: string } | undefined {
  const group = texts.get('group_id') ?? read(texts.get('sender') ?? '')?.texts.get('group_id')
  return group === undefined ? undefined : { group_id: group }
}

/** Undefined: the event lacks something that the action needs. */
function step(action: string, params: Readonly<Record<string, string | undefined>>): Step | undefined {
  const pairs = Object.entries(params)
  if (pairs.some(([, text]) => text === undefined)) return undefined
  return { action, params: `{${pairs.map(([key, text]) => `"${key}":${text}`).join(',')}}` }
}
