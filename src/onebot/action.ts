// What actions are like: which only read, which take long, what their suffixes mean, how their replies end.

import { type Fields, isObject, own } from './object.ts'
import { worked } from './retcode.ts'

const READ = /^(?:get_|can_|[._]get_|nc_get_|fetch_)/
/** Reads by any other name. */
const READS = new Set(['ocr_image', '.ocr_image', 'check_url_safely', 'translate_en2zh'])

/** Whether the action only reads, so that asking twice does no harm. */
export const isRead = (action: string): boolean => READ.test(action) || READS.has(action)

/**
 * Reads of the account's groups and people. They are asked by QQ's own numbers, and answered by them: they mean the same
 * to every implementation. Others are asked or answered by ids that each makes for itself (of messages, files, requests),
 * or are about the implementation.
 */
const ANYWHERE = new Set([
  ...['get_login_info', 'get_stranger_info', 'get_friend_list', 'get_unidirectional_friend_list'],
  ...['get_friends_with_category', 'get_profile_like', 'get_vip_info', '_get_vip_info', 'nc_get_user_status'],
  ...['get_group_list', 'get_group_info', 'get_group_info_ex', 'get_group_detail_info', 'get_group_honor_info'],
  ...['get_group_member_info', 'get_group_member_list', 'get_group_shut_list', 'get_group_at_all_remain'],
  ...['get_group_signed_list', 'get_group_file_system_info'],
])

/** Whether the action reads what every implementation of the account knows alike, so that any of them may be asked. */
export const isReadAnywhere = (action: string): boolean => ANYWHERE.has(action)

export type Mode = 'plain' | 'async' | 'rate-limited'

/** Takes the standard's suffixes off an action's name. */
export function suffix(action: string): { base: string; mode: Mode } {
  for (const [end, mode] of SUFFIXES)
    if (action.length > end.length && action.endsWith(end)) return { base: action.slice(0, -end.length), mode }
  return { base: action, mode: 'plain' }
}

const SUFFIXES = [
  ['_async', 'async'],
  ['_rate_limited', 'rate-limited'],
] as const

/** Milliseconds after which an action that carries files is given up, unless the configuration says otherwise. */
export const FILE_DEADLINE = 600_000

/** Whether the action moves files and so takes minutes rather than seconds. */
export function carriesFiles(action: string, params: Fields): boolean {
  if (MOVES.test(action)) return true
  if (!SENDS.test(action)) return false
  if (typeof own(params, 'file') === 'string' || typeof own(params, 'image') === 'string') return true
  return hasFile(own(params, 'message'), 0) || hasFile(own(params, 'messages'), 0)
}

const MOVES = /^(?:upload_|download_|get_file$)/
const SENDS = /^_?send_/
const FILES = new Set<unknown>(['image', 'record', 'video', 'file'])
const CQ_FILE = /\[CQ:(?:image|record|video|file),/
/** Forwarded messages nest; beyond this depth nobody looks. */
const DEEPEST = 8
/** Nobody types that much: a text this long holds a file, and searching it would cost more than the answer is worth. */
const LONG = 65_536

/** Takes segments, one segment, CQ text, or forward nodes with any of these as their content. */
function hasFile(content: unknown, depth: number): boolean {
  if (typeof content === 'string') return content.length > LONG || CQ_FILE.test(content)
  if (depth > DEEPEST) return false
  if (Array.isArray(content)) return content.some((part) => hasFile(part, depth + 1))
  if (!isObject(content)) return false
  const data = own(content, 'data')
  if (FILES.has(own(content, 'type'))) return true
  return isObject(data) && (hasFile(own(data, 'content'), depth + 1) || hasFile(own(data, 'message'), depth + 1))
}

/** Whether a reply says that the action did not work. `async` did, as far as anybody knows. */
export function failed(reply: Fields): boolean {
  if (own(reply, 'status') === 'failed') return true
  const retcode = own(reply, 'retcode')
  return typeof retcode === 'number' && !worked(retcode)
}

/**
 * Whether more replies with the same echo follow this one. NapCat streams downloads so, and marks the pieces `stream`
 * and the last reply `response` or `error`. It marks the answer to each piece of an upload `stream` as well, though it
 * is the only one: those name their `stream_id`.
 */
export function streaming(reply: Fields): 'more' | 'end' {
  if (own(reply, 'stream') !== 'stream-action') return 'end'
  const data = own(reply, 'data')
  return isObject(data) && own(data, 'type') === 'stream' && !Object.hasOwn(data, 'stream_id') ? 'more' : 'end'
}

/**
 * How a reply says that its call has ended. `refused`: the implementation has looked at it and did not do it. `failed`:
 * it could not, for a fault of its own. Most implementations have one retcode for both, so their words must tell: only
 * those count that say that QQ's own program did not answer them.
 */
export function outcomeOf(reply: Fields): 'ok' | 'refused' | 'failed' {
  if (!failed(reply)) return 'ok'
  const retcode = own(reply, 'retcode')
  // As in HTTP; some write it after a 1.
  if (typeof retcode === 'number' && FAULTY.has(Math.floor(retcode / 100))) return 'failed'
  return SAYS.some((key) => isStuck(own(reply, key))) ? 'failed' : 'refused'
}

const FAULTY = new Set([5, 15])
const SAYS = ['message', 'wording', 'msg'] as const
/** What is quoted behind this may be a whole message, which says nothing about the implementation. */
const BEGINNING = 400
const STUCK =
  /^(?:error: ?)?(?:(?:(?:invoke|request|operation|call) )?(?:timeout|timed out)\b|NTEvent \w+:\S+ (?:\w+:\S+ )?timeout|(?:发送|操作|请求|调用)?超时)/i
/** A server elsewhere, or a kernel that did answer, and not with 0. */
const ELSEWHERE = /https?:|download|下载|"result": ?-?[1-9]/i

function isStuck(text: unknown): boolean {
  if (typeof text !== 'string') return false
  const beginning = text.slice(0, BEGINNING).trimStart()
  return STUCK.test(beginning) && !ELSEWHERE.test(beginning)
}
