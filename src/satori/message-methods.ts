// Satori's methods about messages: said, looked up, taken back, listed, and reacted to.

import { type Fields, isObject, own } from '../onebot/object.ts'
import type { Segment } from '../onebot/segment.ts'
import { SatoriError } from './call.ts'
import { contentOf } from './content.ts'
import { readContent } from './element.ts'
import { digits } from './exact.ts'
import { history } from './history.ts'
import { type Outgoing, spoken } from './outgoing.ts'
import { channelOf, guildOf, messageOf, type Place, said, userOf, wholeMessage } from './qq.ts'
import { bad, type MethodRequest } from './request.ts'
import type { Context, Message } from './wire.ts'

export type Handler = (request: MethodRequest) => unknown

/** More messages at a time are a flood, whoever sends them. */
const MOST_MESSAGES = 100

export const messageMethods = {
  'message.create': createMessage,

  async 'message.get'(request: MethodRequest) {
    const place = request.place()
    const told = await request.ask('get_msg', { message_id: digits(request.need('message_id')) })
    return wholeMessage(messageOf(fields(told, 'get_msg'), place))
  },

  async 'message.delete'(request: MethodRequest) {
    request.place()
    await request.ask('delete_msg', { message_id: digits(request.need('message_id')) })
    return {}
  },

  'message.list': history,

  'reaction.create': (request: MethodRequest) => react(request, true),
  'reaction.delete': (request: MethodRequest) => react(request, false),

  async 'reaction.list'(request: MethodRequest) {
    const emoji = emojiOf(request)
    const data = await request.ask('fetch_emoji_like', {
      message_id: digits(request.need('message_id')),
      emojiId: emoji,
      // The faces of QQ have short numbers; all others are code points.
      emojiType: emoji.length > 3 ? '2' : '1',
      count: 50,
      cookie: request.text('next') ?? '',
    })
    const likes = isObject(data) ? own(data, 'emojiLikesList') : undefined
    const people = (Array.isArray(likes) ? likes : []).flatMap((like) => {
      const id = said(like, 'tinyId')
      return id === undefined ? [] : [userOf(id, said(like, 'nickName'))]
    })
    const last = isObject(data) && own(data, 'isLastPage') === true
    return { data: people, next: last ? undefined : said(data, 'cookie') }
  },
} satisfies Record<string, Handler>

const emojiOf = (request: MethodRequest) =>
  request.text('emoji_id') ?? request.text('emoji') ?? bad('emoji_id', undefined, 'the number of a face or of an emoji')

/** NapCat and LLBot name the action so, Lagrange otherwise. */
async function react(request: MethodRequest, set: boolean) {
  const place = request.place()
  if (place.kind !== 'group') throw new SatoriError(404, 'there are no reactions in private conversations on QQ')
  const user = request.text('user_id')
  if (!set && user !== undefined && user !== request.self().id)
    throw new SatoriError(403, `user_id: found ${user}: nobody can take back the reactions of others on QQ`)
  const message_id = digits(request.need('message_id'))
  const emoji = emojiOf(request)
  await request.askAny(
    ['set_msg_emoji_like', { message_id, emoji_id: emoji, set }],
    ['set_group_reaction', { group_id: digits(place.id), message_id, code: emoji, is_add: set }],
  )
  return {}
}

async function createMessage(request: MethodRequest): Promise<(Message & Context)[]> {
  const place = request.place()
  const content = own(request.params, 'content')
  if (typeof content !== 'string') return bad('content', content === undefined ? undefined : typeof content, 'text')
  const self = request.self()
  const { source } = request.context
  const { messages, notes } = spoken(readContent(content), {
    self: { id: self.id, name: self.name ?? self.id },
    source,
  })
  for (const note of notes) request.context.note(note)
  if (messages.length === 0)
    throw new SatoriError(400, `content: there is nothing in it to send${notes.map((note) => `; ${note}`).join('')}`)
  if (messages.length > MOST_MESSAGES)
    throw new SatoriError(400, `content: it makes ${messages.length} messages, want at most ${MOST_MESSAGES}`)
  const sent: (Message & Context)[] = []
  for (const message of messages) {
    // In order: the next one only when this one is on its way.
    const id = await send(request, place, message).catch((error) => {
      if (!(error instanceof SatoriError) || sent.length === 0) throw error
      throw new SatoriError(
        error.status,
        `${sent.length} of ${messages.length} messages were sent, then: ${error.message}`,
      )
    })
    sent.push(tellSent(place, self, id, message))
  }
  return sent
}

/** The id of the message; '' where the implementation does not tell. */
async function send(request: MethodRequest, place: Place, message: Outgoing): Promise<string> {
  const group = place.kind === 'group'
  const to: Fields = group
    ? { group_id: digits(place.id) }
    : { user_id: digits(place.id), ...(place.through === undefined ? {} : { group_id: digits(place.through) }) }
  const where = group ? 'group' : 'private'
  const sent = await (message.kind === 'plain'
    ? request.ask(`send_${where}_msg`, { ...to, message: message.segments })
    : message.kind === 'forward'
      ? request.ask(`send_${where}_forward_msg`, { ...to, messages: message.nodes })
      : request.ask(`upload_${where}_file`, { ...to, file: message.file, name: message.name }))
  return said(sent, 'message_id') ?? said(sent, 'file_id') ?? ''
}

function tellSent(place: Place, self: { id: string; name?: string | undefined }, id: string, message: Outgoing) {
  const time = Date.now()
  const user = userOf(self.id, self.name)
  return {
    id,
    content: contentOf(segmentsOf(message).map(withoutBytes)),
    timestamp: time,
    created_at: time,
    channel: channelOf(place),
    guild: place.kind === 'group' ? guildOf(place.id) : undefined,
    user,
    member: place.kind === 'group' ? { user } : undefined,
  }
}

function segmentsOf(message: Outgoing): readonly Segment[] {
  if (message.kind === 'plain') return message.segments
  if (message.kind === 'forward') return [{ type: 'forward', data: { content: message.nodes } }]
  // What was sent, by name: the bytes are known to who sent them.
  return [{ type: 'file', data: { name: message.name } }]
}

/** Who sent the bytes has them. */
function withoutBytes({ type, data }: Segment): Segment {
  const { file, ...rest } = data
  return typeof file === 'string' && file.startsWith('base64://') ? { type, data: rest } : { type, data }
}

function fields(value: unknown, action: string): Fields {
  if (isObject(value)) return value
  throw new SatoriError(500, `${action}: the implementation answered without data`)
}
