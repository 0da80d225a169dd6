// Segments on their way up: OneBot's kinds as Milky's, by a table; what Milky has nothing for becomes words, or fails.

import { own } from '../onebot/object.ts'
import type { Segment } from '../onebot/segment.ts'
import { BAD_REQUEST, MilkyError, UNSUPPORTED } from './api.ts'
import { forwarded, nodesOf, type Target, type Write } from './forwards.ts'
import { nameIn, textOf, uriOf } from './media.ts'
import { given, whole } from './params.ts'
import type { Outgoing } from './shapes.ts'
import type { Stage } from './stage.ts'

type Fields = Segment['data']

/** A file cannot be part of a message: it goes up by itself. */
export interface FileToSend {
  readonly uri: string
  readonly name: string
}

export interface Ready {
  readonly message: readonly Outgoing[]
  readonly files: readonly FileToSend[]
}

/** Undefined: nothing is sent for it. */
type Converter = (data: Fields, it: Stage, to: Target) => Outgoing | undefined | Promise<Outgoing | undefined>

const words = (text: string): Outgoing => ({ type: 'text', data: { text } })
/** What there is to read of something that Milky cannot send. */
const asWords = (...parts: string[]): Outgoing | undefined => {
  const text = parts.filter((part) => part !== '').join('\n')
  return text === '' ? undefined : words(text)
}
const picture = (uri: string, summary: string, sticker: boolean): Outgoing => ({
  type: 'image',
  data: { uri, sub_type: sticker ? 'sticker' : 'normal', ...(summary !== '' && { summary }) },
})

const OUTGOING: Readonly<Record<string, Converter>> = {
  text: (data) => (textOf(data, 'text') === '' ? undefined : words(textOf(data, 'text'))),
  at: (data) =>
    textOf(data, 'qq') === 'all'
      ? { type: 'mention_all', data: {} }
      : { type: 'mention', data: { user_id: whole(data, 'qq') } },
  face: (data) => ({
    type: 'face',
    data: { face_id: textOf(data, 'id'), ...(own(data, 'large') === true && { is_large: true }) },
  }),
  reply: (data, it, { where }) => {
    const place = it.known(Number(textOf(data, 'id')))
    // What cannot be quoted here is said all the same.
    if (place === undefined || place.scene !== where?.scene || place.peer !== where.peer) return undefined
    return { type: 'reply', data: { message_seq: place.seq } }
  },
  image: async (data, it) =>
    picture(
      await uriOf(data, it),
      textOf(data, 'summary'),
      STICKERS.has(given(data, 'sub_type', 'subType')) || textOf(data, 'sub_type') === 'sticker',
    ),
  record: async (data, it) => ({ type: 'record', data: { uri: await uriOf(data, it) } }),
  video: async (data, it) => {
    const cover = given(data, 'thumb', 'cover')
    const thumb = typeof cover === 'string' ? { thumb_uri: await uriOf({ thumb: cover }, it, 'thumb') } : {}
    return { type: 'video', data: { uri: await uriOf(data, it), ...thumb } }
  },
  json: (data) => {
    const payload = own(data, 'data')
    return {
      type: 'light_app',
      data: { json_payload: typeof payload === 'string' ? payload : JSON.stringify(payload ?? {}) },
    }
  },
  forward: async (data, it, to) => ({
    type: 'forward',
    data: await forwarded(textOf(data, 'id'), it, to, write),
  }),
  mface: (data) => {
    const url = textOf(data, 'url')
    return url === '' ? asWords(textOf(data, 'summary')) : picture(url, textOf(data, 'summary'), true)
  },
  markdown: (data) => asWords(textOf(data, 'content')),
  share: (data) => asWords(textOf(data, 'title'), textOf(data, 'content'), textOf(data, 'url')),
  music: (data) => asWords(textOf(data, 'title'), textOf(data, 'content'), songAt(data)),
  location: (data) =>
    asWords(textOf(data, 'title'), textOf(data, 'content'), `${textOf(data, 'lat')}, ${textOf(data, 'lon')}`),
}

/** What is made of all segments of its kind together. */
const TOGETHER = ['node', 'file'] as const

/** The kinds that can be sent in some way, for whoever describes them. */
export const OUTGOING_TYPES: readonly string[] = [...Object.keys(OUTGOING), ...TOGETHER]

/** What becomes of them at Milky, for whoever looks for kinds of its that nothing becomes. */
export const OUTGOING_KINDS: ReadonlySet<string> = new Set<Outgoing['type']>([
  ...(['text', 'mention', 'mention_all', 'face', 'reply'] as const),
  ...(['image', 'record', 'video', 'forward', 'light_app'] as const),
])

/** The rest of what OneBot knows. A poke is an action here. */
const INSTEAD: Readonly<Record<string, string>> = {
  poke: 'call group_poke or friend_poke instead',
  dice: 'Milky cannot throw one',
  rps: 'Milky cannot play it',
  shake: 'Milky cannot send one',
  anonymous: 'Milky knows nobody anonymous',
  contact: 'Milky cannot recommend anybody',
  xml: 'Milky sends no XML',
}

/** Messages that one message forwards, those that are forwarded in them among them: each may take a call to be made. */
const MOST_FORWARDED = 500

/** Whatever cannot be sent is told before anything is. @throws MilkyError */
export async function outgoing(segments: readonly Segment[], it: Stage, target: Target): Promise<Ready> {
  const to = { ...target, room: target.room ?? { left: MOST_FORWARDED } }
  const message: Outgoing[] = []
  const nodes = segments.filter(({ type }) => type === 'node')
  if (nodes.length > 0) message.push({ type: 'forward', data: await nodesOf(nodes, it, to, write) })
  for (const { type, data } of segments) {
    if ((TOGETHER as readonly string[]).includes(type)) continue
    if (!Object.hasOwn(OUTGOING, type))
      throw new MilkyError(UNSUPPORTED, `segment ${type}: ${instead(type)}, so the message was not sent`)
    const ready = await OUTGOING[type]?.(data, it, to)
    if (ready !== undefined) message.push(ready)
  }
  const files = await Promise.all(
    segments.filter(({ type }) => type === 'file').map(({ data }) => fileOf(data, it, to)),
  )
  if (message.length === 0 && files.length === 0)
    throw new MilkyError(BAD_REQUEST, 'message: nothing in it can be sent')
  return { message, files }
}

/** What is forwarded has no files to go up by themselves: one in there has failed already. */
const write: Write = async (segments, it, to) => (await outgoing(segments, it, to)).message

const instead = (type: string) => (Object.hasOwn(INSTEAD, type) ? INSTEAD[type] : 'Milky has nothing of this kind')

async function fileOf(data: Fields, it: Stage, { where }: Target): Promise<FileToSend> {
  if (where === undefined) throw new MilkyError(UNSUPPORTED, 'segment file: Milky forwards no files')
  const uri = await uriOf(data, it)
  const name = textOf(data, 'name') || textOf(data, 'file_name') || nameIn(uri)
  return { uri, name }
}

const STICKERS = new Set<unknown>([1, '1'])

function songAt(data: Fields): string {
  const id = textOf(data, 'id')
  const page = SONGS.get(textOf(data, 'type'))
  return page === undefined || id === '' ? textOf(data, 'url') || textOf(data, 'audio') : page + encodeURIComponent(id)
}

const SONGS = new Map([
  ['163', 'https://music.163.com/#/song?id='],
  ['qq', 'https://y.qq.com/n/ryqq/songDetail/'],
])
