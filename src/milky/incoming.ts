// Segments on their way down: Milky's kinds as OneBot's, by a table.

import type { MessagePlace } from '../broker/ports.ts'
import { isObject } from '../onebot/object.ts'
import { formatCq, type Segment } from '../onebot/segment.ts'
import type { IncomingData, IncomingType } from './shapes.ts'
import type { Stage } from './stage.ts'

/** The conversation that a message is in; undefined: one that was forwarded is in none. */
export type Where = Pick<MessagePlace, 'scene' | 'peer'> | undefined

type Incoming = {
  readonly [T in IncomingType]: (data: IncomingData<T>, where: Where, it: Stage) => Segment
} & {
  /** Some send it already. */
  readonly markdown: (data: { content: string }) => Segment
}

const INCOMING: Incoming = {
  text: ({ text }) => segment('text', { text: written(text) }),
  mention: ({ user_id }) => segment('at', { qq: written(user_id) }),
  mention_all: () => segment('at', { qq: 'all' }),
  face: ({ face_id, is_large }) => segment('face', { id: written(face_id), ...(is_large && { large: true }) }),
  reply: ({ message_seq: seq, sender_id, time, segments }, where, it) =>
    where === undefined
      ? // Nobody can ask for a message of nowhere: what it says goes along.
        segment('reply', { id: '0', qq: written(sender_id), time, text: formatCq(incoming(segments, where, it)) })
      : segment('reply', { id: String(it.idOf({ ...where, seq })) }),
  image: ({ resource_id, temp_url, summary, sub_type }) =>
    segment('image', {
      file: written(resource_id),
      url: written(temp_url),
      summary: written(summary),
      sub_type: sub_type === 'sticker' ? 1 : 0,
    }),
  record: ({ resource_id, temp_url }) => segment('record', { file: written(resource_id), url: written(temp_url) }),
  video: ({ resource_id, temp_url }) => segment('video', { file: written(resource_id), url: written(temp_url) }),
  file: ({ file_id, file_name, file_size, file_hash }, _where, it) => {
    if (typeof file_hash === 'string') it.keepFile(written(file_id), file_hash)
    return segment('file', {
      file: written(file_name),
      file_id: written(file_id),
      file_size: written(file_size),
      ...(typeof file_hash === 'string' && { file_hash }),
    })
  },
  forward: ({ forward_id }) => segment('forward', { id: written(forward_id) }),
  market_face: ({ emoji_package_id, emoji_id, key, summary, url }) =>
    segment('mface', { emoji_package_id, emoji_id: written(emoji_id), key: written(key), summary, url }),
  light_app: ({ json_payload }) => segment('json', { data: written(json_payload) }),
  xml: ({ service_id, xml_payload }) => segment('xml', { data: written(xml_payload), resid: written(service_id) }),
  markdown: ({ content }) => segment('markdown', { content: written(content) }),
}

/** The kinds that are known, for whoever looks for those that are missing. */
export const INCOMING_TYPES: ReadonlySet<string> = new Set(Object.keys(INCOMING))

/** What is of no known kind, or not as promised, stays as it is. */
export function incoming(segments: unknown, where: Where, it: Stage): Segment[] {
  if (!Array.isArray(segments)) return []
  const found: Segment[] = []
  for (const one of segments) if (isTyped(one)) found.push(converted(one, where, it))
  return found
}

interface Typed {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>> | null
}

const isTyped = (one: unknown): one is Typed =>
  isObject(one) && typeof one['type'] === 'string' && isObject(one['data'] ?? {})

function converted({ type, data: given }: Typed, where: Where, it: Stage): Segment {
  const data = given ?? {}
  if (!Object.hasOwn(INCOMING, type) || (type === 'reply' && !Number.isSafeInteger(data['message_seq'])))
    return { type, data }
  // A converter takes what its kind promises; what is missing becomes nothing.
  const convert = INCOMING[type as keyof Incoming] as (data: Segment['data'], where: Where, it: Stage) => Segment
  return convert(data, where, it)
}

const segment = (type: string, data: Segment['data']): Segment => ({ type, data })

/** As text: what OneBot has in segments. */
function written(value: string | number | null | undefined): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}
