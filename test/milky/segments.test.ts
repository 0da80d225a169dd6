// Segments between Milky and OneBot, both ways; the schemas of Milky's makers judge what goes in and what comes out.

import { expect, test } from 'bun:test'
import { IncomingSegment, OutgoingSegment } from '@saltify/milky-types'
import fc from 'fast-check'
import { MilkyError } from '../../src/milky/api.ts'
import { INCOMING_TYPES, incoming } from '../../src/milky/incoming.ts'
import { asUri } from '../../src/milky/media.ts'
import { OUTGOING_TYPES, outgoing } from '../../src/milky/outgoing.ts'
import type { Segment } from '../../src/onebot/segment.ts'
import { type Answers, conforms, FRIEND, friendMessage, GROUP, SELF, staged, text } from '../support/milky-stage.ts'

const HERE = { scene: 'group', peer: GROUP } as const
const media = { resource_id: 'res-1', temp_url: 'http://x/t' }
const it = staged()

const DOWN: readonly [from: { type: string; data: object }, to: Segment][] = [
  [text('你好[]&,'), text('你好[]&,')],
  [
    { type: 'mention', data: { user_id: FRIEND, name: '小冰' } },
    { type: 'at', data: { qq: String(FRIEND) } },
  ],
  [
    { type: 'mention_all', data: {} },
    { type: 'at', data: { qq: 'all' } },
  ],
  [
    { type: 'face', data: { face_id: '14', is_large: false } },
    { type: 'face', data: { id: '14' } },
  ],
  [
    { type: 'face', data: { face_id: '5', is_large: true } },
    { type: 'face', data: { id: '5', large: true } },
  ],
  [
    { type: 'reply', data: { message_seq: 70, sender_id: FRIEND, time: 1, segments: [text('q')] } },
    { type: 'reply', data: { id: String(it.stage.idOf({ ...HERE, seq: 70 })) } },
  ],
  [
    { type: 'image', data: { ...media, width: 1, height: 2, summary: '[图片]', sub_type: 'sticker' } },
    { type: 'image', data: { file: 'res-1', url: 'http://x/t', summary: '[图片]', sub_type: 1 } },
  ],
  [
    { type: 'record', data: { ...media, duration: 3 } },
    { type: 'record', data: { file: 'res-1', url: 'http://x/t' } },
  ],
  [
    { type: 'video', data: { ...media, width: 1, height: 2, duration: 3 } },
    { type: 'video', data: { file: 'res-1', url: 'http://x/t' } },
  ],
  [
    { type: 'file', data: { file_id: 'f2', file_name: 'a.txt', file_size: 3, file_hash: 'h2' } },
    { type: 'file', data: { file: 'a.txt', file_id: 'f2', file_size: '3', file_hash: 'h2' } },
  ],
  [
    { type: 'forward', data: { forward_id: 'fw', title: 't', preview: ['p'], summary: 's' } },
    { type: 'forward', data: { id: 'fw' } },
  ],
  [
    { type: 'market_face', data: { emoji_package_id: 1, emoji_id: 'e', key: 'k', summary: '[笑]', url: 'http://x/m' } },
    { type: 'mface', data: { emoji_package_id: 1, emoji_id: 'e', key: 'k', summary: '[笑]', url: 'http://x/m' } },
  ],
  [
    { type: 'light_app', data: { app_name: 'a', json_payload: '{"a":1}' } },
    { type: 'json', data: { data: '{"a":1}' } },
  ],
  [
    { type: 'xml', data: { service_id: 60, xml_payload: '<a/>' } },
    { type: 'xml', data: { data: '<a/>', resid: '60' } },
  ],
]

for (const [index, [from, to]] of DOWN.entries())
  test(`[MLK5] down: ${from.type}, case ${index + 1}`, () => {
    conforms(IncomingSegment, from, from.type)
    expect(incoming([from], HERE, it.stage)).toEqual([to])
  })

test('[MLK5] every kind that Milky has is in the table, and has its golden case', () => {
  const kinds = IncomingSegment.unwrap().options.map(({ shape }) => shape.type.value as string)
  expect(kinds.filter((kind) => !INCOMING_TYPES.has(kind))).toEqual([])
  const golden = new Set(DOWN.map(([{ type }]) => type))
  expect([...INCOMING_TYPES].filter((kind) => !golden.has(kind))).toEqual(['markdown'])
})

test('[MLK5] markdown is newer than the schema; of an unknown kind everything stays', () => {
  expect(incoming([{ type: 'markdown', data: { content: '# a' } }], HERE, it.stage)).toEqual([
    { type: 'markdown', data: { content: '# a' } },
  ])
  expect(incoming([{ type: 'hologram', data: { a: [1] } }], HERE, it.stage)).toEqual([
    { type: 'hologram', data: { a: [1] } },
  ])
})

test('[MLK5] a quotation within a forwarded message says what it quotes, since nobody can ask for it', () => {
  const quoted = { type: 'reply', data: { message_seq: 7, sender_id: FRIEND, time: 1, segments: [text('a,b')] } }
  expect(incoming([quoted], undefined, it.stage)).toEqual([
    { type: 'reply', data: { id: '0', qq: String(FRIEND), time: 1, text: 'a,b' } },
  ])
})

test('[MLK5] the hash of a private file is remembered', () => {
  incoming([{ type: 'file', data: { file_id: 'f9', file_name: 'n', file_size: 1, file_hash: 'h9' } }], HERE, it.stage)
  expect(it.stage.fileHash('f9')).toBe('h9')
})

const known = staged().stage.idOf({ ...HERE, seq: 70 })
const elsewhere = staged().stage.idOf({ scene: 'group', peer: 42_000, seq: 70 })
const fresh: Answers = { get_resource_temp_url: { url: 'http://fresh/1' } }

const UP: readonly [from: Segment, to: object | undefined, answers?: Answers][] = [
  [text('你好'), text('你好')],
  [
    { type: 'at', data: { qq: String(FRIEND) } },
    { type: 'mention', data: { user_id: FRIEND } },
  ],
  [
    { type: 'at', data: { qq: FRIEND } },
    { type: 'mention', data: { user_id: FRIEND } },
  ],
  [
    { type: 'at', data: { qq: 'all' } },
    { type: 'mention_all', data: {} },
  ],
  [
    { type: 'face', data: { id: 14 } },
    { type: 'face', data: { face_id: '14' } },
  ],
  [
    { type: 'face', data: { id: '5', large: true } },
    { type: 'face', data: { face_id: '5', is_large: true } },
  ],
  [
    { type: 'reply', data: { id: known } },
    { type: 'reply', data: { message_seq: 70 } },
  ],
  [{ type: 'reply', data: { id: String(elsewhere) } }, undefined],
  [{ type: 'reply', data: { id: '12345' } }, undefined],
  [
    { type: 'image', data: { file: 'http://x/a.png' } },
    { type: 'image', data: { uri: 'http://x/a.png', sub_type: 'normal' } },
  ],
  [
    { type: 'image', data: { file: 'base64://AAAA', summary: '图', sub_type: 1 } },
    { type: 'image', data: { uri: 'base64://AAAA', sub_type: 'sticker', summary: '图' } },
  ],
  [
    { type: 'image', data: { file: 'data:image/png;base64,AAAA', subType: '1' } },
    { type: 'image', data: { uri: 'base64://AAAA', sub_type: 'sticker' } },
  ],
  [
    { type: 'image', data: { file: '/tmp/a b?.png' } },
    { type: 'image', data: { uri: 'file:///tmp/a%20b%3F.png', sub_type: 'normal' } },
  ],
  [
    { type: 'image', data: { file: 'res-1', url: 'http://old/1' } },
    { type: 'image', data: { uri: 'http://fresh/1', sub_type: 'normal' } },
    fresh,
  ],
  [
    { type: 'image', data: { file: 'res-1', url: 'http://old/1' } },
    { type: 'image', data: { uri: 'http://old/1', sub_type: 'normal' } },
    { get_resource_temp_url: new MilkyError(1404, 'no such API') },
  ],
  [
    { type: 'record', data: { file: 'file:///a.silk' } },
    { type: 'record', data: { uri: 'file:///a.silk' } },
  ],
  [
    { type: 'video', data: { file: 'C:\\v\\a.mp4', thumb: 'http://x/t.png' } },
    { type: 'video', data: { uri: 'file:///C:/v/a.mp4', thumb_uri: 'http://x/t.png' } },
  ],
  [
    { type: 'json', data: { data: '{"a":1}' } },
    { type: 'light_app', data: { json_payload: '{"a":1}' } },
  ],
  [
    { type: 'json', data: { data: { a: 1 } } },
    { type: 'light_app', data: { json_payload: '{"a":1}' } },
  ],
  [
    { type: 'mface', data: { url: 'http://x/m', summary: '[笑]' } },
    { type: 'image', data: { uri: 'http://x/m', sub_type: 'sticker', summary: '[笑]' } },
  ],
  [{ type: 'markdown', data: { content: '# a' } }, text('# a')],
  [{ type: 'share', data: { title: 't', url: 'http://x' } }, text('t\nhttp://x')],
  [{ type: 'music', data: { type: '163', id: '28' } }, text('https://music.163.com/#/song?id=28')],
  [{ type: 'music', data: { type: 'custom', title: 't', url: 'http://x', audio: 'http://y' } }, text('t\nhttp://x')],
  [{ type: 'location', data: { title: 'home', lat: '1.5', lon: '2' } }, text('home\n1.5, 2')],
  [
    { type: 'node', data: { user_id: FRIEND, nickname: 'n', content: 'a[CQ:face,id=1]' } },
    {
      type: 'forward',
      data: {
        messages: [
          { user_id: FRIEND, sender_name: 'n', segments: [text('a'), { type: 'face', data: { face_id: '1' } }] },
        ],
      },
    },
  ],
  [
    { type: 'node', data: { id: String(staged().stage.idOf({ scene: 'friend', peer: FRIEND, seq: 78 })) } },
    { type: 'forward', data: { messages: [{ user_id: FRIEND, sender_name: '小冰', segments: [text('said')] }] } },
    { get_message: { message: friendMessage([text('said')]) } },
  ],
  [
    { type: 'forward', data: { id: 'fw' } },
    { type: 'forward', data: { messages: [{ user_id: SELF, sender_name: '小冰', segments: [text('x')] }] } },
    {
      get_forwarded_messages: {
        messages: [{ message_seq: 0, sender_name: '小冰', avatar_url: '', time: 1, segments: [text('x')] }],
      },
    },
  ],
]

/** With the messages that the cases speak of. */
function ready(answers: Answers = {}) {
  const bed = staged(answers)
  bed.stage.idOf({ ...HERE, seq: 70 })
  bed.stage.idOf({ scene: 'group', peer: 42_000, seq: 70 })
  bed.stage.idOf({ scene: 'friend', peer: FRIEND, seq: 78 })
  return bed.stage
}

for (const [index, [from, to, answers]] of UP.entries())
  test(`[MLK6] up: ${from.type}, case ${index + 1}`, async () => {
    // Alone it might be nothing to send at all.
    const { message } = await outgoing([text('.'), from], ready(answers), { where: HERE, depth: 0 })
    const sent = message.filter(({ type, data }) => !(type === 'text' && data.text === '.'))
    for (const one of sent) conforms(OutgoingSegment, JSON.parse(JSON.stringify(one)), from.type)
    expect(sent as object[]).toEqual(to === undefined ? [] : [to])
    for (const one of message) expect(Object.keys(one)[0]).toBe('type')
  })

test('[MLK6] every kind that can be sent has its golden case, and every kind of Milky can be', async () => {
  const golden = new Set(UP.map(([{ type }]) => type))
  expect(OUTGOING_TYPES.filter((kind) => !golden.has(kind))).toEqual(['file'])
  const made = new Set(UP.map(([, to]) => (to as { type?: string })?.type))
  const kinds = OutgoingSegment.options.map(({ shape }) => shape.type.value as string)
  expect(kinds.filter((kind) => !made.has(kind))).toEqual([])
})

test('[MLK6] a file goes up by itself', async () => {
  const file = { type: 'file', data: { file: 'http://x/a%20b.txt?c=1' } }
  expect(await outgoing([file, text('a')], ready(), { where: HERE, depth: 0 })).toEqual({
    message: [text('a')],
    files: [{ uri: 'http://x/a%20b.txt?c=1', name: 'a b.txt' }],
  } as never)
})

test('[MLK7] what cannot be sent is refused before anything is, and says what to do', async () => {
  const refusals: [Segment, RegExp][] = [
    [{ type: 'poke', data: { qq: '1' } }, /group_poke/],
    [{ type: 'dice', data: {} }, /dice/],
    [{ type: 'hologram', data: {} }, /segment hologram: Milky has nothing/],
    [{ type: 'toString', data: {} }, /toString/],
  ]
  for (const [segment, words] of refusals)
    await expect(outgoing([text('a'), segment], ready(), { where: HERE, depth: 0 })).rejects.toThrow(words)
  await expect(outgoing([{ type: 'at', data: { qq: 'x' } }], ready(), { where: HERE, depth: 0 })).rejects.toThrow(/qq/)
  await expect(outgoing([text('')], ready(), { where: HERE, depth: 0 })).rejects.toThrow(/nothing in it/)
  const missing = { get_resource_temp_url: new MilkyError(1200, 'gone') }
  await expect(
    outgoing([{ type: 'image', data: { file: 'res' } }], ready(missing), { where: HERE, depth: 0 }),
  ).rejects.toThrow(/gone/)
})

test('[MLK7] messages forwarded within messages end at a depth', async () => {
  let deep: Segment = text('x')
  for (let depth = 0; depth < 9; depth++) deep = { type: 'node', data: { content: [deep] } }
  await expect(outgoing([deep], ready(), { where: HERE, depth: 0 })).rejects.toThrow(/deep/)
})

test('[MLK7] what others have nested is asked for so many times and no more', async () => {
  const inner = (forward_id: string) => ({ type: 'forward', data: { forward_id, title: '', preview: [], summary: '' } })
  // Each holds a hundred more, as anybody on QQ could have made it.
  const messages = Array.from({ length: 100 }, (_, n) => ({
    ...{ message_seq: n, sender_name: 'a', avatar_url: '', time: 1 },
    segments: [inner(`f${n}`)],
  }))
  const bed = staged({ get_forwarded_messages: { messages } })
  const from: Segment = { type: 'forward', data: { id: 'f' } }
  await expect(outgoing([from], bed.stage, { where: HERE, depth: 0 })).rejects.toThrow(/deep|too many/)
  const flat = staged({
    get_forwarded_messages: { messages: messages.map((one) => ({ ...one, segments: [text('x')] })) },
  })
  const many = Array<Segment>(50).fill(from)
  await expect(outgoing(many, flat.stage, { where: HERE, depth: 0 })).rejects.toThrow(/too many/)
  expect(flat.asked).toHaveLength(6)
  expect((await outgoing(many.slice(0, 5), flat.stage, { where: HERE, depth: 0 })).message).toHaveLength(5)
  const nodes = Array<Segment>(501).fill({ type: 'node', data: { content: 'x' } })
  await expect(outgoing(nodes, flat.stage, { where: HERE, depth: 0 })).rejects.toThrow(/too many/)
})

test('[MLK8] words, mentions, faces and quotations come back as they went', async () => {
  const bed = staged()
  const segment = fc.oneof(
    fc.string({ minLength: 1, unit: 'grapheme' }).map((words): Segment => text(words)),
    fc.integer({ min: 10_001, max: 4_294_967_295 }).map((qq): Segment => ({ type: 'at', data: { qq: String(qq) } })),
    fc.constant<Segment>({ type: 'at', data: { qq: 'all' } }),
    fc.nat(500).map((id): Segment => ({ type: 'face', data: { id: String(id) } })),
    fc.nat().map((seq): Segment => ({ type: 'reply', data: { id: String(bed.stage.idOf({ ...HERE, seq })) } })),
    fc.string().map((data): Segment => ({ type: 'json', data: { data } })),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(segment, { minLength: 1 }), async (segments) => {
      const { message } = await outgoing(segments, bed.stage, { where: HERE, depth: 0 })
      const echoed = message.map(({ type, data }) => ({
        type,
        data: {
          ...data,
          ...(type === 'mention' && { name: 'n' }),
          ...(type === 'face' && { is_large: false }),
          ...(type === 'reply' && { sender_id: FRIEND, time: 1, segments: [] }),
          ...(type === 'light_app' && { app_name: '' }),
        },
      }))
      for (const one of echoed) conforms(IncomingSegment, one, 'echo')
      expect(incoming(echoed, HERE, bed.stage)).toEqual(segments)
    }),
    { numRuns: 500 },
  )
})

test('[MLK8] whatever segments come, reading them does not throw', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.json().map((json) => JSON.parse(json)),
          broken(),
        ),
      ),
      (segments) => {
        for (const { type, data } of incoming(segments, HERE, it.stage)) {
          expect(type).toBeString()
          expect(data).toBeObject()
        }
      },
    ),
    { numRuns: 2_000 },
  )
})

const broken = () =>
  fc.record({
    type: fc.constantFrom(...INCOMING_TYPES, '__proto__', 'constructor'),
    data: fc.oneof(fc.object(), fc.constant(null), fc.constant(undefined), fc.constant([])),
  })

test('[MLK9] paths become addresses, addresses stay, names of received files are none', () => {
  expect(asUri('HTTPS://x/y')).toBe('HTTPS://x/y')
  expect(asUri('/a/b#c')).toBe('file:///a/b%23c')
  expect(asUri('D:\\a\\b c')).toBe('file:///D:/a/b%20c')
  expect(asUri('{0C7A}.jpg')).toBeUndefined()
})
