// The types of events that a filter may name, as far as they are known.

import { suggest } from '../lib/suggest.ts'

const KINDS = ['message', 'message_sent', 'notice', 'request']

/** Below a kind; of notices, implementations have more than anybody lists. */
const KNOWN: Record<string, readonly string[]> = {
  message: ['private', 'group', 'guild'],
  message_sent: ['private', 'group', 'guild'],
  request: ['friend', 'group', 'group.add', 'group.invite'],
  notice: [
    ...['group_upload', 'group_admin', 'group_decrease', 'group_increase', 'group_ban', 'group_recall', 'group_card'],
    ...['group_msg_emoji_like', 'group_dismiss', 'friend_add', 'friend_recall', 'offline_file', 'essence'],
    ...['notify', 'notify.poke', 'notify.lucky_king', 'notify.honor', 'notify.title', 'notify.input_status'],
    ...['notify.profile_like', 'client_status', 'bot_offline', 'bot_online', 'reaction', 'online_file_send'],
    ...['online_file_receive', 'flash_file'],
  ],
}

/** What is wrong with the name of a type; undefined: nothing. */
export function typeFlaw(type: string): { wanted: string; hint?: string } | undefined {
  const [kind = '', ...finer] = type.split('.')
  const wanted = `${KINDS.join(', ')}, or a finer type such as message.group or notice.group_increase`
  const hint = (near: string | undefined) => (near === undefined ? {} : { hint: `did you mean ${near}?` })
  if (kind === 'meta_event') return { wanted, hint: 'meta events go to everybody' }
  if (!KINDS.includes(kind)) return { wanted, ...hint(nearest(type, every()) ?? suggest(kind, KINDS)) }
  if (!finer.every((part) => /^\w+$/.test(part))) return { wanted }
  const name = finer.join('.')
  const known = KNOWN[kind] ?? []
  if (name === '' || known.includes(name) || known.includes(finer[0] ?? '')) return undefined
  const near = nearest(name, known)
  if (kind !== 'notice') return { wanted: `${kind} with ${known.join(', ')}`, ...hint(near && `${kind}.${near}`) }
  return near === undefined
    ? undefined
    : { wanted, hint: `did you mean notice.${near}? For others: {notice_type: ...}` }
}

/** Some forget what stands before. */
const nearest = (name: string, known: readonly string[]) =>
  known.find((one) => one.endsWith(`.${name}`)) ?? suggest(name, known)

const every = () => Object.entries(KNOWN).flatMap(([kind, finer]) => [kind, ...finer.map((one) => `${kind}.${one}`)])
