// Satori's message.list: pages of a conversation, back from the newest message, on from one, or around it.

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
  /** Where to go on: both back, or both forward, as was asked; around a message, back and forward. Absent: that was all. */
  readonly prev?: string | undefined
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
 * themselves. `order`: `asc`, unless told `desc`, whatever the direction.
 */
export async function history(request: MethodRequest): Promise<Listed> {
  const place = request.place()
  const limit = Math.min(Math.max(1, Math.floor(request.number('limit') ?? PAGE.usual)), PAGE.most)
  const token = request.text('next')
  const asked = request.text('direction') ?? 'before'
  if (!isDirection(asked)) return bad('direction', asked, 'before, after or around')
  if (token === undefined && asked !== 'before')
    return bad('direction', asked, 'before, where no next says from which message')
  const { direction, anchor } = token === undefined ? { direction: asked, anchor: undefined } : read(token, asked)
  const { messages, older, newer } = await pageOf(request, place, { limit, direction, anchor })
  const data = messages.map((told) => wholeMessage(messageOf(told, place)))
  const [first, last] = [messages[0], messages.at(-1)]
  const back = older && first !== undefined ? write('before', anchorOf(first)) : undefined
  const on = newer && last !== undefined ? write('after', anchorOf(last)) : undefined
  return {
    data: request.text('order') === 'desc' ? data.reverse() : data,
    prev: direction === 'after' ? on : back,
    next: direction === 'before' ? back : on,
  }
}

interface Wanted {
  readonly limit: number
  readonly direction: (typeof DIRECTIONS)[number]
  readonly anchor: Anchor | undefined
}

/** Oldest first, and whether there are more, which the direction asks for. */
interface Page {
  readonly messages: readonly Fields[]
  readonly older: boolean
  readonly newer: boolean
}

async function pageOf(request: MethodRequest, place: Place, { limit, direction, anchor }: Wanted): Promise<Page> {
  if (anchor === undefined || direction === 'before')
    return { ...(await before(request, place, limit, anchor)), newer: false }
  const { at, after } = await newer(request, place, anchor)
  if (direction === 'after') return { messages: after.slice(0, limit), older: false, newer: after.length > limit }
  const { messages, older } = await before(request, place, Math.floor(limit / 2), anchor)
  const room = limit - messages.length - 1
  return { messages: [...messages, at, ...after.slice(0, room)], older, newer: after.length > room }
}

/** So many messages before the anchor, or the newest. */
async function before(request: MethodRequest, place: Place, limit: number, anchor: Anchor | undefined) {
  // One more, which shows that there are more.
  const read = await upTo(request, place, limit + 1, anchor)
  const [first] = read
  if (read.length > limit || first === undefined)
    return { messages: read.slice(Math.max(0, read.length - limit)), older: read.length > limit }
  // Some answer with fewer than they were asked for: the beginning is where nothing comes before.
  return { messages: read, older: (await upTo(request, place, 1, anchorOf(first))).length > 0 }
}

/** The anchor itself comes along in most answers, and what is newer in those of whoever takes no anchor. */
async function upTo(request: MethodRequest, place: Place, count: number, anchor: Anchor | undefined) {
  if (anchor === undefined) return older(request, place, count, anchor)
  const page = await older(request, place, count + 1, anchor)
  const at = page.findIndex((told) => said(told, 'message_id') === anchor.id)
  return at < 0 ? page : page.slice(0, at)
}

/** Nobody can be asked for what came after a message: back from the newest one until it is found. */
async function newer(request: MethodRequest, place: Place, anchor: Anchor): Promise<{ at: Fields; after: Fields[] }> {
  let after: Fields[] = []
  let from: Anchor | undefined
  for (let page = 0; page < FURTHEST; page++) {
    const read = await upTo(request, place, PAGE.most, from)
    const index = read.findIndex((told) => said(told, 'message_id') === anchor.id)
    after = [...read.slice(index + 1), ...after]
    const at = read[index]
    if (at !== undefined) return { at, after }
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
  const found = Array.isArray(messages) ? messages.filter(isObject) : []
  const [first, last] = [found[0], found.at(-1)]
  // Whose answer begins with the newest has those of one second in that order, too.
  if (first !== undefined && last !== undefined && time(first) > time(last)) found.reverse()
  return found.sort((a, b) => time(a) - time(b))
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
