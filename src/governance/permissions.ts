// Decides whether a client may call an action: by patterns of names, and by the groups and users that a call names.

import { suffix } from '../onebot/action.ts'
import { members } from '../onebot/json-text.ts'
import { type Fields, own } from '../onebot/object.ts'

/** A list of the config, and the entry it stands in, as messages name it: `client "worker-1"`. */
export interface Listed {
  readonly values: readonly string[]
  readonly where: string
}

export interface Permissions {
  /** Patterns of names. Absent: every action. Empty: none. */
  readonly allow?: Listed | undefined
  /** Patterns of names; wins over `allow`. */
  readonly deny?: Listed | undefined
  /** Digits. Absent or empty: every group, every user. */
  readonly groups?: Listed | undefined
  readonly users?: Listed | undefined
}

/**
 * Why this action with these params is forbidden; undefined: it is not. `raw`: the frame's text, where there is one; with
 * it, nothing can be read out of the frame but what was judged.
 */
export type Forbids = (action: string, params: Fields, raw?: string) => string | undefined

export function forbidding({ allow, deny, groups, users }: Permissions): Forbids {
  const rules = [
    allow && allowing(allow),
    groups?.values.length ? targeting('group', groups) : undefined,
    users?.values.length ? targeting('user', users) : undefined,
  ].filter((rule) => rule !== undefined)
  if (deny !== undefined && deny.values.length > 0) rules.unshift(denying(deny))
  if (rules.length === 0) return () => undefined
  return (name, params, raw) => {
    const action = bare(name)
    if (raw !== undefined && isAmbiguous(raw))
      return `${action} is not allowed: action, params, group_id, user_id and message_type must stand in the frame at most once, and in small letters`
    for (const rule of rules) {
      const why = rule(action, params)
      if (why !== undefined) return `${action} is not allowed: ${why}`
    }
    return undefined
  }
}

/** Why not; undefined: nothing against it. */
type Rule = (action: string, params: Fields) => string | undefined

/** However many suffixes it has: implementations take off what we leave. */
function bare(action: string): string {
  const { base, mode } = suffix(action)
  return mode === 'plain' ? base : bare(base)
}

// By name.

/** Of use to a client whatever it may do at QQ, and no business of QQ's: only `deny` takes them from it. */
const AMONG_CLIENTS = new Set([
  ...['set_client_name', 'get_online_clients', 'ack_event'],
  ...['send_broadcast_data', 'send_broadcast_data_callback'],
])

function denying({ values, where }: Listed): Rule {
  const patterns = values.map((text) => ({ text, matches: pattern(text) }))
  return (action) => {
    const found = patterns.find(({ matches }) => matches(action))
    return found && `deny of ${where} has "${found.text}"`
  }
}

function allowing({ values, where }: Listed): Rule {
  const patterns = values.map(pattern)
  return (action) =>
    AMONG_CLIENTS.has(action) || patterns.some((matches) => matches(action))
      ? undefined
      : `allow of ${where} does not have it`
}

/** `*` is any text. No regular expression: names come from clients, and may be as long and as nasty as they like. */
function pattern(text: string): (name: string) => boolean {
  const [first = '', ...rest] = text.split('*')
  const last = rest.pop()
  if (last === undefined) return (name) => name === first
  return (name) => {
    const end = name.length - last.length
    if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false
    let at = first.length
    for (const part of rest) {
      const found = name.indexOf(part, at)
      if (found === -1 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}

// By target.

/** All that is named must be listed: implementations differ in what they look at first. */
function targeting(kind: 'group' | 'user', { values, where }: Listed): Rule {
  const key = `${kind}_id`
  const listed = new Set(values)
  return (action, params) => {
    if (kind === 'user' && goesToGroup(action, params)) return undefined
    const id = idOf(own(params, key))
    if (id === undefined || listed.has(id)) return undefined
    return id === 'unclear'
      ? `params.${key} must be digits, in quotes or not, since ${where} has allow-${kind}s`
      : `allow-${kind}s of ${where} does not have ${id}`
  }
}

/** Where group and user may both be named, and this decides. In the other case both are judged: a group is a way to somebody. */
const goesToGroup = (action: string, params: Fields): boolean =>
  (action === 'send_msg' || action === 'send_forward_msg') &&
  own(params, 'message_type') === 'group' &&
  idOf(own(params, 'group_id')) !== undefined

/** The digits of an id; undefined: nobody is named. `unclear`: whoever reads it may take it for another than we do. */
function idOf(value: unknown): string | 'unclear' | undefined {
  if (value === undefined || value === null || value === '' || value === 0 || value === '0') return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  return typeof value === 'string' && /^[1-9]\d*$/.test(value) ? value : 'unclear'
}

const IN_FRAME = new Set(['action', 'params'])
const IN_PARAMS = new Set(['group_id', 'user_id', 'message_type'])

/** Whether a parser may find something else in the frame than JSON.parse does: the first of two, or a key in capitals. */
function isAmbiguous(raw: string): boolean {
  const frame = members(raw)
  const params = frame.findLast(({ key }) => key === 'params')?.value
  if (namesOddly(frame, IN_FRAME)) return true
  return params !== undefined && raw[params.start] === '{' && namesOddly(members(raw, params.start), IN_PARAMS)
}

function namesOddly(found: readonly { readonly key: string }[], names: ReadonlySet<string>): boolean {
  const seen = new Set<string>()
  return found.some(({ key }) => {
    const name = key.toLowerCase()
    if (!names.has(name)) return false
    if (key !== name || seen.has(name)) return true
    seen.add(name)
    return false
  })
}
