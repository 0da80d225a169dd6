// Satori's message.list: pages of a conversation, back from the newest message, and forward again.

import { type Fields, isObject, own } from '../onebot/object.ts'
import { SatoriError } from './call.ts'
import { digits } from './exact.ts'
import { messageOf, type Place, said, timeOf, wholeMessage } from './qq.ts'
import { bad, type MethodRequest } from './request.ts'
import type { Context, Message } from './wire.ts'

/** How many messages a page has unless asked otherwise, and at most. */
const PAGE = { usual: 50, most: 100 } as const
/** How many pages are read to find the way forward from an old message. */
const FURTHEST = 10

interface Listed {
  readonly data: readonly (Message & Context)[]
  /** Older messages. */
  readonly prev?: string | undefined
  /** Newer messages. */
  readonly next?: string | undefined
}

/** A message as a place to go on from: implementations want its id, go-cqhttp its number in the conversation. */
interface Anchor {
  readonly id: string
  readonly seq: string
}

const DIRECTIONS = ['before', 'after', 'around'] as const
const isDirection = (text: string): text is (typeof DIRECTIONS)[number] => DIRECTIONS.some((one) => one === text)

/**
 * `direction`: what the page holds of the conversation, seen from the message that `next` stands for. Tokens say that
 * themselves. `order`: `asc`, unless told `desc`; `prev` is older and `next` newer either way.
 */
export async function history(request: MethodRequest): Promise<Listed> {
  const place = request.place()
  const limit = Math.min(Math.max(1, Math.floor(request.number('limit') ?? PAGE.usual)), PAGE.most)
  const token = request.text('next')
  const asked = request.text('direction') ?? 'before'
  if (!isDirection(asked)) return bad('direction', asked, 'before, after or around')
  const { direction, anchor } = token === undefined ? { direction: asked, anchor: undefined } : read(token, asked)
  const page = await pageOf(request, place, { limit, direction, anchor })
  const data = page.map((told) => wholeMessage(messageOf(told, place)))
  const [first, last] = [page[0], page.at(-1)]
  return {
    data: request.text('order') === 'desc' ? data.reverse() : data,
    prev: first === undefined ? undefined : write('before', anchorOf(first)),
    // Nothing is newer than the newest page.
    next: last === undefined || anchor === undefined ? undefined : write('after', anchorOf(last)),
  }
}

interface Wanted {
  readonly limit: number
  readonly direction: (typeof DIRECTIONS)[number]
  readonly anchor: Anchor | undefined
}

/** Oldest first. */
async function pageOf(request: MethodRequest, place: Place, { limit, direction, anchor }: Wanted): Promise<Fields[]> {
  if (anchor === undefined) return (await older(request, place, limit, undefined)).slice(-limit)
  if (direction === 'before') return (await before(request, place, limit, anchor)).slice(-limit)
  const after = await newer(request, place, anchor)
  if (direction === 'after') return after.slice(0, limit)
  const half = Math.floor(limit / 2)
  const upTo = await older(request, place, half + 1, anchor)
  return [...upTo, ...after.slice(0, limit - upTo.length)]
}

/** The anchor itself comes along in the answer. */
async function before(request: MethodRequest, place: Place, limit: number, anchor: Anchor): Promise<Fields[]> {
  const page = await older(request, place, limit + 1, anchor)
  return page.filter((told) => said(told, 'message_id') !== anchor.id)
}

/** Nobody can be asked for what came after a message: back from the newest one until it is found. */
async function newer(request: MethodRequest, place: Place, anchor: Anchor): Promise<Fields[]> {
  let found: Fields[] = []
  let from: Anchor | undefined
  for (let page = 0; page < FURTHEST; page++) {
    const read =
      from === undefined ? await older(request, place, PAGE.most, from) : await before(request, place, PAGE.most, from)
    const at = read.findIndex((told) => said(told, 'message_id') === anchor.id)
    found = [...read.slice(at + 1), ...found]
    if (at >= 0) return found
    const [first] = read
    if (first === undefined) break
    from = anchorOf(first)
  }
  throw new SatoriError(404, `next: message ${anchor.id} is not among the last ${FURTHEST * PAGE.most} of this channel`)
}

/** Up to and with the anchor, or the newest; oldest first. */
async function older(
  request: MethodRequest,
  place: Place,
  count: number,
  anchor: Anchor | undefined,
): Promise<Fields[]> {
  const from = anchor === undefined ? {} : { message_seq: digits(anchor.seq), message_id: digits(anchor.id) }
  const data =
    place.kind === 'group'
      ? await request.ask('get_group_msg_history', { group_id: digits(place.id), ...from, count })
      : await request.ask('get_friend_msg_history', { user_id: digits(place.id), ...from, count })
  const messages = isObject(data) ? own(data, 'messages') : undefined
  return (Array.isArray(messages) ? messages.filter(isObject) : []).sort((a, b) => time(a) - time(b))
}

const time = (told: Fields) => timeOf(told, 'time') ?? 0

const anchorOf = (told: Fields): Anchor => {
  const id = said(told, 'message_id') ?? ''
  return { id, seq: said(told, 'message_seq') ?? id }
}

const write = (direction: 'before' | 'after', { id, seq }: Anchor) => `${direction}:${seq}:${id}`

/** A token of ours, or the id of a message. */
function read(token: string, asked: Wanted['direction']): Pick<Wanted, 'direction' | 'anchor'> {
  const [, direction = '', seq = '', id = ''] = /^(before|after):([^:]+):([^:]+)$/.exec(token) ?? []
  if (isDirection(direction)) return { direction, anchor: { id, seq } }
  if (/^[\w-]+$/.test(token)) return { direction: asked, anchor: { id: token, seq: token } }
  return bad('next', token, 'a token of an earlier page, or the id of a message')
}
