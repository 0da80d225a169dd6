// Messages in both of their languages: OneBot's segments, and Satori's content.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { formatCq, type Segment } from '../../src/onebot/segment.ts'
import { contentOf, nodesOf } from '../../src/satori/content.ts'
import { readContent } from '../../src/satori/element.ts'
import { LONGEST_TEXT } from '../../src/satori/long-text.ts'
import { type Outgoing, segmentsIn, spoken } from '../../src/satori/outgoing.ts'
import { worked } from '../support/work.ts'

const speaker = { self: { id: '10001', name: 'bot' }, source: (src: string) => src }
const seg = (type: string, data: Record<string, unknown>): Segment => ({ type, data })
const text = (words: string) => seg('text', { text: words })
const say = (content: string) => spoken(readContent(content), speaker)
/** The segments of messages that are all plain. */
const plain = (content: string) =>
  say(content).messages.map((message) => (message.kind === 'plain' ? message.segments : message))

const HEARD: [string, unknown[], string][] = [
  ['text', [text('a < b & "c"')], 'a &lt; b &amp; "c"'],
  ['texts side by side', [text('a'), text('b')], 'ab'],
  ['at', [seg('at', { qq: '123' })], '<at id="123"/>'],
  ['at with a name', [seg('at', { qq: 123, name: '@x' })], '<at id="123" name="x"/>'],
  ['at all', [seg('at', { qq: 'all' })], '<at type="all"/>'],
  ['face', [seg('face', { id: '14', raw: { faceText: '/微笑' } })], '<emoji id="14" name="微笑"/>'],
  [
    'image',
    [seg('image', { file: 'a.png', url: 'https://e.com/?a=1&b=2', sub_type: 1, summary: '[x]' })],
    '<img src="https://e.com/?a=1&amp;b=2" title="a.png" summary="[x]" sub-type="1"/>',
  ],
  ['image as sent', [seg('image', { file: 'base64://AA==' })], '<img src="base64://AA=="/>'],
  ['record', [seg('record', { file: 'a.amr', url: 'http://e.com/a' })], '<audio src="http://e.com/a" title="a.amr"/>'],
  ['video', [seg('video', { file: 'file:///v.mp4' })], '<video src="file:///v.mp4"/>'],
  [
    'file',
    [seg('file', { file: 'a.zip', file_id: '/x', url: 'http://e.com/z' })],
    '<file src="http://e.com/z" title="a.zip" file-id="/x"/>',
  ],
  ['reply', [seg('reply', { id: '-5' }), text('yes')], '<quote id="-5"/>yes'],
  ['forward', [seg('forward', { id: '7386372819283746512' })], '<message id="7386372819283746512" forward/>'],
  [
    'forward with what it holds',
    [
      seg('forward', {
        id: 'f',
        content: [
          { sender: { user_id: 5, nickname: 'x' }, message_id: 9, message: [text('in')] },
          { type: 'node', data: { user_id: '6', nickname: 'y', content: [seg('forward', { content: [] })] } },
        ],
      }),
    ],
    '<message id="f" forward><message id="9"><author id="5" name="x"/>in</message><message><author id="6" name="y"/><message forward/></message></message>',
  ],
  [
    'what Satori has no word for',
    [seg('json', { data: '{"a":"<b>"}' })],
    '<onebot:json data="{&quot;a&quot;:&quot;&lt;b&gt;&quot;}"/>',
  ],
  [
    'names and values of others',
    [seg('mface', { emoji_id: 'e', key: 1, nothing: null, deep: { a: [1] } })],
    '<onebot:mface emoji-id="e" key="1" deep="{&quot;a&quot;:[1]}"/>',
  ],
  ['a kind that is no name', [seg('<b>', { x: 'y' })], '<onebot:segment x="y" segment-type="&lt;b&gt;"/>'],
  [
    'kinds named like what objects have',
    [seg('constructor', {}), seg('__proto__', {})],
    '<onebot:constructor/><onebot:segment segment-type="__proto__"/>',
  ],
]

test('[SAT3] every kind of segment has its element', () => {
  for (const [what, segments, content] of HEARD) expect([what, contentOf(segments)]).toEqual([what, content])
})

test('[SAT4] a message says the same as segments, as CQ text and as a single segment', () => {
  const segments = [seg('reply', { id: '5' }), seg('at', { qq: '1' }), text(' a [b] & <c>'), seg('face', { id: '3' })]
  expect(contentOf(formatCq(segments))).toBe(contentOf(segments))
  expect(contentOf('[CQ:image,file=a.png,url=https://e.com/?a=1&amp;b=2]')).toBe(
    '<img src="https://e.com/?a=1&amp;b=2" title="a.png"/>',
  )
  expect(contentOf(text('x'))).toBe('x')
  for (const nothing of [undefined, null, 5, [5], [{ type: 5 }], {}]) expect(contentOf(nothing)).toBe('')
})

test('[SAT50] a segment that lacks what its element must have is an element of ours, and comes back', () => {
  const cases: [Segment, string][] = [
    [seg('image', { summary: 'x' }), '<onebot:image summary="x"/>'],
    [seg('record', {}), '<onebot:record/>'],
    [seg('file', { file_id: '/x' }), '<onebot:file file-id="/x"/>'],
    [seg('at', { name: 'x' }), '<onebot:at name="x"/>'],
    [seg('face', {}), '<onebot:face/>'],
    [seg('reply', {}), '<onebot:reply/>'],
  ]
  for (const [segment, content] of cases) {
    expect(contentOf([segment])).toBe(content)
    expect(segmentsIn(readContent(content), speaker)).toEqual([segment])
  }
})

test('[SAT4] a segment that cannot be read takes no other with it', () => {
  const message = [text('a'), { type: 'image', data: 'what?' }, 5, null, text('b'), { type: 'face', data: { id: 1 } }]
  expect(contentOf(message)).toBe('ab<emoji id="1"/>')
})

const node = (id: string, name: string, content: Segment[]) =>
  seg('node', { user_id: id, nickname: name, uin: id, name, content })

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const key = fc
  .stringMatching(/^[a-z]{1,4}(?:_[a-z]{1,4})?$/)
  .filter((name) => !name.startsWith('no_') && name !== 'segment_type')
/** Segments as they come back: ids and values are text, files have one address. */
const canonical: fc.Arbitrary<Segment> = fc.oneof(
  words.map(text),
  fc.oneof(fc.constant('all'), fc.nat().map(String)).map((qq) => seg('at', { qq })),
  fc.nat().map((id) => seg('face', { id: String(id) })),
  fc.tuple(fc.constantFrom('image', 'record', 'video'), words).map(([type, file]) => seg(type, { file })),
  fc.tuple(words, words).map(([file, name]) => seg('file', { file, name })),
  fc.nat().map((id) => seg('forward', { id: String(id) })),
  fc.nat().map((id) => seg('reply', { id: String(id) })),
  fc
    .tuple(
      fc.constantFrom('json', 'xml', 'poke', 'mface', 'rps'),
      fc.dictionary(key, words, { maxKeys: 3, noNullPrototype: true }),
    )
    .map(([type, data]) => seg(type, data)),
)
const joined = (segments: readonly Segment[]) => {
  const out: Segment[] = []
  for (const one of segments) {
    const last = out.at(-1)
    if (one.type === 'text' && last?.type === 'text')
      out[out.length - 1] = text(`${last.data['text']}${one.data['text']}`)
    else out.push(one)
  }
  return out
}

test('[SAT5] segments become content and the same segments again', () => {
  fc.assert(
    fc.property(fc.array(canonical, { maxLength: 8 }), (segments) => {
      expect(segmentsIn(readContent(contentOf(segments)), speaker)).toEqual(joined(segments))
    }),
  )
})

test('[SAT5] messages in forwarded messages are the same again, however they nest', () => {
  // Eight in each other are told: the outermost, and seven in it.
  const most = { depthSize: 'small', maxDepth: 7 } as const
  const nodes = fc.letrec<{ node: Segment; content: Segment[] }>((tie) => ({
    content: fc.array(fc.oneof(most, canonical, tie('node')), { minLength: 1, maxLength: 3 }).map(joined),
    node: fc.tuple(fc.nat().map(String), words, tie('content')).map(([id, name, content]) => node(id, name, content)),
  })).node
  fc.assert(
    fc.property(fc.array(nodes, { minLength: 1, maxLength: 3 }), (all) => {
      const content = contentOf([seg('forward', { content: all })])
      expect(say(content).messages).toEqual([{ kind: 'forward', nodes: all }])
    }),
  )
})

test('[SAT5] whatever segments hold, once they have been content they stay as they are', () => {
  const anything = fc.array(
    fc.record({
      type: fc.oneof(fc.constantFrom('text', 'at', 'image', 'record', 'file', 'forward', 'node', 'face'), fc.string()),
      data: fc.dictionary(fc.string(), fc.anything()),
    }),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(anything, (message) => {
      const once = segmentsIn(readContent(contentOf(message)), speaker)
      const twice = segmentsIn(readContent(contentOf(once)), speaker)
      expect(twice).toEqual(once)
    }),
  )
})

const SAID: [string, Segment[][]][] = [
  ['a &lt;b&gt;', [[text('a <b>')]]],
  ['<text content="x"/><text>y</text>', [[text('xy')]]],
  [
    '<at id="5"/><at type="all"/><at name="x"/><at type="here"/>',
    [[seg('at', { qq: '5' }), seg('at', { qq: 'all' }), text('@x@here')]],
  ],
  ['<sharp id="5" name="talk"/>', [[text('#talk')]]],
  [
    '<emoji id="14"/><face id="1"/><emoji id="u" name="smile"/>',
    [[seg('face', { id: '14' }), seg('face', { id: '1' }), text('smile')]],
  ],
  [
    '<a href="https://e.com">here</a><a href="https://e.com"/><a href="https://e.com">https://e.com</a>',
    [[text('here (https://e.com)https://e.comhttps://e.com')]],
  ],
  ['<img src="https://e.com/a.png"/>', [[seg('image', { file: 'https://e.com/a.png' })]]],
  ['<image url="https://e.com/a.png"/>', [[seg('image', { file: 'https://e.com/a.png' })]]],
  [
    '<b>1</b><strong>2</strong><i>3</i><em>4</em><u>5</u><ins>6</ins><s>7</s><del>8</del><spl>9</spl><code>a</code><sup>b</sup><sub>c</sub>',
    [[text('123456789abc')]],
  ],
  ['a<br/>b<p>c</p><p>d</p>e', [[text('a\nb\nc\nd\ne')]]],
  ['<quote id="7"/>yes', [[seg('reply', { id: '7' }), text('yes')]]],
  ['<onebot:json data="{}"/><onebot:shake/>', [[seg('json', { data: '{}' }), seg('shake', {})]]],
  ['one<message>two</message><message/>three', [[text('one')], [text('two')], [text('three')]]],
  [
    'a<audio src="x.mp3"/>b<video src="y.mp4"/>',
    [[text('a')], [seg('record', { file: 'x.mp3' })], [text('b')], [seg('video', { file: 'y.mp4' })]],
  ],
  ['<unknown>what it holds</unknown>', [[text('what it holds')]]],
  ['std::vector<int> x; <b>a < b</b>', [[text('std::vector<int> x; a < b')]]],
  ['<message forward id="f"/>', [[seg('forward', { id: 'f' })]]],
  ['<file title="a.txt" file-id="/x"/>', [[seg('file', { file: 'a.txt', file_id: '/x' })]]],
  ['<__proto__>x</__proto__><constructor/>', [[text('<__proto__>x</__proto__>')]]],
]

test('[SAT9] every element becomes what QQ has', () => {
  for (const [content, messages] of SAID) expect([content, plain(content)]).toEqual([content, messages])
})

const LAID_OUT: [string, Segment[][]][] = [
  ['<message>hello</message>\n<message>world</message>\n', [[text('hello')], [text('world')]]],
  ['<message>hello</message> <message>world</message>', [[text('hello')], [text('world')]]],
  ['<message>\n  hello\n  <b>you</b>\n</message>', [[text('hello\n  you')]]],
  [
    '\n  <quote id="7"/>\n  <at id="5"/>\n  yes\n',
    [[seg('reply', { id: '7' }), seg('at', { qq: '5' }), text('\n  yes')]],
  ],
  [
    '<at id="5"/>\nyes\n<img src="a.png"/>',
    [[seg('at', { qq: '5' }), text('\nyes\n'), seg('image', { file: 'a.png' })]],
  ],
  ['a<br/>\nb\n<br/>c', [[text('a\nb\nc')]]],
  ['<br/>a<br/>', [[text('\na\n')]]],
  ['<p>a</p>', [[text('a')]]],
  ['<p>\n  a\n</p>\n<p>b</p>\nc', [[text('a\nb\nc')]]],
  ['<p>a<p>b</p></p><p></p>', [[text('a\nb')]]],
  ['<quote id="7"/><p>a</p>', [[seg('reply', { id: '7' }), text('a')]]],
  ['<p>a</p><img src="a.png"/><p>b</p>', [[text('a\n'), seg('image', { file: 'a.png' }), text('\nb')]]],
  ['<p>a</p><message>b</message>', [[text('a')], [text('b')]]],
  [' a ', [[text(' a ')]]],
]

test('[SAT9] a quote alone is no message on QQ, which is said', () => {
  for (const content of [
    '<quote id="7"/>',
    '<quote id="7"/> <audio src="a.mp3"/>',
    '<quote id="7"/>\n<message>x</message>',
  ]) {
    const { messages, notes } = say(content)
    expect(messages.flatMap((one) => (one.kind === 'plain' ? one.segments : [])).map(({ type }) => type)).not.toContain(
      'reply',
    )
    expect(notes.join()).toContain('<quote>')
  }
})

test('[SAT53] how content is laid out is not what it says', () => {
  for (const [content, messages] of LAID_OUT) expect([content, plain(content)]).toEqual([content, messages])
  expect(say(' \n ').messages).toEqual([])
})

test('[SAT53] layout costs time in proportion to its length', () => {
  const many = 1_000_000
  for (const content of [
    `${'\n '.repeat(many)}x`,
    `x${'\n '.repeat(many)}`,
    '<quote id="1"/>\n'.repeat(60_000),
    `${'<p>\n'.repeat(30_000)}${'</p>\n'.repeat(30_000)}`,
  ]) {
    const began = worked()
    say(content)
    expect(worked() - began).toBeLessThan(3_000)
  }
})

test('[SAT9] what QQ lacks is left out, and said', () => {
  const { messages, notes } = say(
    'x<button id="1">press</button><author id="5"/><quote>old</quote><img/><hr/><audio/><message forward/>',
  )
  expect(messages).toEqual([{ kind: 'plain', segments: [text('x')] }])
  expect(notes).toHaveLength(7)
  expect(notes.join()).toContain('<button>')
})

test('[SAT10] files are messages of their own, named by title or address', () => {
  const messages: Outgoing[] = [
    { kind: 'plain', segments: [text('a')] },
    { kind: 'file', file: 'https://e.com/d/x.zip?k=1', name: 'x.zip' },
    { kind: 'file', file: 'file:///d/y.bin', name: 'z.bin' },
    { kind: 'plain', segments: [text('b')] },
  ]
  expect(say('a<file src="https://e.com/d/x.zip?k=1"/><file src="file:///d/y.bin" title="z.bin"/>b').messages).toEqual(
    messages,
  )
})

test('[SAT11] forwarded messages have authors, ids, and forwarded messages in them', () => {
  const content = `<message forward>
    <message><author id="5" name="x"/>hello <img src="a.png"/></message>
    <message id="77"/>
    loose
    <message user-id="6" nickname="y">deep<message forward><message><author id="8"/>inner</message></message></message>
    <message/>
  </message>`
  const inner = node('8', 'bot', [text('inner')])
  expect(say(content).messages).toEqual([
    {
      kind: 'forward',
      nodes: [
        node('5', 'x', [text('hello '), seg('image', { file: 'a.png' })]),
        seg('node', { id: '77' }),
        node('10001', 'bot', [text('loose')]),
        node('6', 'y', [text('deep'), inner]),
      ],
    },
  ])
})

test('[SAT11] however deep messages are forwarded in each other, only so many are told, and the others by their ids', () => {
  for (const type of ['node', 'forward']) {
    const wrap = (content: Segment[]) => (type === 'node' ? { id: '9', content } : { id: '9', content: [{ content }] })
    let deep: Segment[] = [text('x')]
    for (let depth = 0; depth < 20_000; depth++) deep = [seg(type, wrap(deep))]
    const content = contentOf(deep)
    expect(content.length).toBeLessThan(1_000)
    expect(content).toContain('id="9"')
  }
})

test('[SAT12] a long text is cut at a line break or a space near its end, never inside a character', () => {
  const sizes = (content: string) =>
    say(content).messages.map((message) => (message.kind === 'plain' ? String(message.segments[0]?.data['text']) : ''))
  const lines = `${'x'.repeat(LONGEST_TEXT - 10)}\n${'y'.repeat(50)}`
  expect(sizes(lines)).toEqual([`${'x'.repeat(LONGEST_TEXT - 10)}\n`, 'y'.repeat(50)])
  const wide = '😀'.repeat(LONGEST_TEXT)
  const parts = sizes(`x${wide}`)
  expect(parts.join('')).toBe(`x${wide}`)
  for (const part of parts) {
    expect(part.length).toBeLessThanOrEqual(LONGEST_TEXT)
    expect(part.isWellFormed()).toBe(true)
  }
  // Whatever stands between the texts stays between them.
  const picture = `${'a'.repeat(LONGEST_TEXT - 1)}<at id="1"/>bb`
  expect(plain(picture)).toEqual([[text('a'.repeat(LONGEST_TEXT - 1)), seg('at', { qq: '1' }), text('b')], [text('b')]])
  expect(nodesOf([])).toEqual([])
})
