// The envelopes of OneBot 11: reads frames with one JSON.parse each, swaps echoes in their text, writes our own replies.

import { Buffer } from 'node:buffer'
import { beforeSpace, type Edit, locate, opening, pairOf, type Span, splice, valuesOf, without } from './json-text.ts'
import { isObject, own, parse } from './object.ts'

export interface ActionFrame {
  readonly kind: 'action'
  readonly raw: string
  readonly action: string
  /** Empty when the client gave none. Its keys come from the client: ask with Object.hasOwn. */
  readonly params: Record<string, unknown>
  /** The JSON text exactly as the client wrote it; undefined: the frame has no echo. */
  readonly echo: string | undefined
  /** Where it stands, duplicates included. */
  readonly echoes: readonly Span[]
  /** Where the params stand, as far as anybody has looked. */
  readonly paramsAt: Span | undefined
}

export interface BadFrame {
  readonly kind: 'bad'
  /** For the client: what was found where, and what is wanted. */
  readonly message: string
  readonly echo: string | undefined
  /** It is what an implementation says, an event or a reply: who answers such a thing is answered in turn, for ever. */
  readonly misplaced?: boolean
}

export type UpstreamFrame =
  | { readonly kind: 'event'; readonly raw: string; readonly event: Record<string, unknown> }
  /** The implementation's own heartbeat or lifecycle. */
  | { readonly kind: 'meta'; readonly raw: string; readonly event: Record<string, unknown> }
  /** `token`: the echo, where it is a string. */
  | {
      readonly kind: 'reply'
      readonly raw: string
      readonly reply: Record<string, unknown>
      readonly token: string | undefined
    }
  | { readonly kind: 'garbage'; readonly why: string }

export interface OwnReply {
  readonly status: 'ok' | 'async' | 'failed'
  readonly retcode: number
  readonly data?: unknown
  /** For the client, when failed. */
  readonly message?: string | undefined
  /** Seconds after which the same may work, when failed. */
  readonly retryAfter?: number | undefined
  /** JSON text, as in ActionFrame. */
  readonly echo?: string | undefined
}

/** Reads what a client sent. Never throws. */
export function readAction(raw: string): ActionFrame | BadFrame {
  const frame = parse(raw)
  if (!isObject(frame)) return bad('frame', foundIn(frame), 'a JSON object')
  const [echoes, found] = Object.hasOwn(frame, 'echo') ? pairOf(raw, 'echo', 'params') : [[], []]
  const paramsAt = found.at(-1)
  const last = echoes.at(-1)
  const echo = last && detached(raw, last)
  const action = own(frame, 'action')
  if (action === undefined && ofImplementation(frame))
    return { ...bad('action', nameOf(action), 'a non-empty string', echo), misplaced: true }
  if (typeof action !== 'string' || action === '') return bad('action', nameOf(action), 'a non-empty string', echo)
  const params = own(frame, 'params') ?? {}
  if (!isObject(params)) return bad('params', nameOf(params), 'an object', echo)
  return { kind: 'action', raw, action, params, echo, echoes, paramsAt }
}

const ofImplementation = (frame: Record<string, unknown>) =>
  typeof own(frame, 'post_type') === 'string' ||
  (typeof own(frame, 'status') === 'string' && typeof own(frame, 'retcode') === 'number')

/** The params' text as the client wrote it. */
export function paramsText({ raw, paramsAt }: ActionFrame): string {
  const span = paramsAt ?? locate(raw, ['params'])
  // Absent or null.
  return span === undefined || raw[span.start] !== '{' ? '{}' : detached(raw, span)
}

/** Reads what an implementation sent. Never throws. */
export function readUpstream(raw: string): UpstreamFrame {
  const frame = parse(raw)
  if (!isObject(frame)) return { kind: 'garbage', why: `${foundIn(frame)}, not an object` }
  const post = own(frame, 'post_type')
  if (typeof post === 'string') return { kind: post === 'meta_event' ? 'meta' : 'event', raw, event: frame }
  if (!Object.hasOwn(frame, 'retcode') && !Object.hasOwn(frame, 'status'))
    return { kind: 'garbage', why: 'an object with neither post_type nor retcode nor status' }
  const echo = own(frame, 'echo')
  return { kind: 'reply', raw, reply: frame, token: typeof echo === 'string' ? echo : undefined }
}

/** The frame's text with our token for its echo and, if given, another action; every other byte is the client's. */
export function actionText({ raw, echoes }: ActionFrame, token: string, action?: string): string {
  const text = `"${token}"`
  // Every duplicate: whichever of them the implementation's parser takes, it finds ours.
  const edits = echoes.length > 0 ? all(echoes, text) : [{ span: opening(raw), text: `"echo":${text},` }]
  if (action === undefined) return splice(raw, edits)
  edits.push(...all(valuesOf(raw, 'action'), JSON.stringify(action)))
  return splice(
    raw,
    edits.sort((a, b) => a.span.start - b.span.start),
  )
}

/** The reply's text with the client's echo for our token, or without any echo where the client sent none. */
export function replyText(raw: string, token: string, echo: string | undefined): string {
  const last = lastEcho(raw, `"${token}"`)
  if (last !== undefined)
    return echo === undefined
      ? raw.slice(0, last.before) + raw.slice(last.value.end)
      : raw.slice(0, last.value.start) + echo + raw.slice(last.value.end)
  return echo === undefined ? without(raw, 'echo') : splice(raw, all(valuesOf(raw, 'echo'), echo))
}

const all = (spans: readonly Span[], text: string): Edit[] => spans.map((span) => ({ span, text }))

/** A reply that we make ourselves. Failed ones carry their text under the three names that clients look for. */
export function ownReply({ status, retcode, data, message, retryAfter, echo }: OwnReply): string {
  const more = retryAfter === undefined ? '' : `,"retry_after":${retryAfter}`
  let text = `{"status":"${status}","retcode":${retcode}${more},"data":${JSON.stringify(data ?? null) ?? 'null'}`
  if (status === 'failed') {
    const said = JSON.stringify(message ?? '')
    text += `,"msg":${said},"message":${said},"wording":${said}`
  }
  return echo === undefined ? `${text}}` : `${text},"echo":${echo}}`
}

const foundIn = (frame: unknown) => (frame === undefined ? 'text that is not JSON' : nameOf(frame))

function bad(path: string, found: string, wanted: string, echo?: string): BadFrame {
  return { kind: 'bad', message: `${path}: found ${found}, want ${wanted}`, echo }
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (value === '') return 'an empty string'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** Frames from this length on are not worth keeping in memory for the few characters of their echo. */
const WORTH_FREEING = 4096

/** A slice that does not keep the whole frame alive: engines make slices that point into their source. */
function detached(raw: string, { start, end }: Span): string {
  const text = raw.slice(start, end)
  if (raw.length < WORTH_FREEING) return text
  // One byte a character where that is enough: a single wide piece makes the whole reply wide when it is put together.
  const encoding = WIDE.test(text) ? 'utf16le' : 'latin1'
  return Buffer.from(text, encoding).toString(encoding)
}

const WIDE = /[^\0-\xff]/

/** How far from the end implementations put the echo's value; NapCat writes `stream` after it. */
const TAIL = 64
/** What may follow an echo for it to be surely at the top level: nothing that opens, closes once, nothing escaped. */
const FLAT = /^[^{}[\]\\]*\}\s*$/

/**
 * Finds the echo at the end of a reply, where all known implementations write it, without a look at what is before.
 * Undefined: not there, or not surely at the top level. `before`: the end of the member before it.
 */
function lastEcho(raw: string, quoted: string): { before: number; value: Span } | undefined {
  const from = Math.max(0, raw.length - TAIL - quoted.length)
  const tail = raw.slice(from)
  const at = tail.lastIndexOf(quoted)
  if (at === -1 || !FLAT.test(tail.slice(at + quoted.length))) return undefined
  const start = from + at
  const colon = beforeSpace(raw, start)
  const name = beforeSpace(raw, colon - 1) - NAME.length
  // An escaped quote opens no key: "\"echo":.
  if (raw[colon - 1] !== ':' || !raw.startsWith(NAME, name) || raw[name - 1] === '\\') return undefined
  const comma = beforeSpace(raw, name)
  if (raw[comma - 1] !== ',') return undefined
  return { before: beforeSpace(raw, comma - 1), value: { start, end: start + quoted.length } }
}

const NAME = '"echo"'
