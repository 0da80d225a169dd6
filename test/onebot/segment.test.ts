import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { escapeCq, formatCq, parseCq, type Segment, segmentsOf } from '../../src/onebot/segment.ts'

const text = (text: string): Segment => ({ type: 'text', data: { text } })

const code = (): fc.Arbitrary<Segment> =>
  fc.record({
    type: fc.constantFrom('at', 'image', 'json', 'new-thing.2'),
    data: fc
      .dictionary(fc.constantFrom('qq', 'file', 'data', '__proto__'), words(), { maxKeys: 3 })
      .map((data) => ({ ...data })),
  })
const words = () =>
  fc.string({ unit: fc.constantFrom('a', '你', ' ', '=', '&', '[', ']', ',', '&amp;', '[CQ:at]', '&#91;') })

test('[OBV6] segments become CQ text and the same segments again', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(code(), words().map(text))), (segments) => {
      const merged: Segment[] = []
      for (const segment of segments) {
        const last = merged.at(-1)
        if (segment.type !== 'text') merged.push(segment)
        else if (last?.type === 'text') merged.splice(-1, 1, text(`${last.data['text']}${segment.data['text']}`))
        else if (segment.data['text'] !== '') merged.push(segment)
      }
      expect(parseCq(formatCq(segments))).toEqual(merged)
    }),
  )
})

test('[OBV6] CQ text is read with its escapes, and text without codes is text', () => {
  expect(
    parseCq('[CQ:at,qq=10001] 你好 &amp;#91; &#91;x&#93;[CQ:image,file=a.png,url=https://e.com/?x=1&amp;y=2&#44;3]'),
  ).toEqual([
    { type: 'at', data: { qq: '10001' } },
    text(' 你好 &#91; [x]'),
    { type: 'image', data: { file: 'a.png', url: 'https://e.com/?x=1&y=2,3' } },
  ])
  expect(parseCq('[CQ:shake]')).toEqual([{ type: 'shake', data: {} }])
  expect(parseCq('')).toEqual([])
  fc.assert(
    fc.property(words(), (plain) => expect(parseCq(escapeCq(plain))).toEqual(plain === '' ? [] : [text(plain)])),
  )
})

test('[OBV7] bad CQ codes are text as written', () => {
  for (const bad of ['[CQ:', '[CQ:at', '[CQ:]', '[CQ:,qq=1]', '[CQ:a b]', '[cq:at]', 'a]b[c', '[CQ:at,qq=1']) {
    expect(parseCq(bad)).toEqual([text(bad)])
    expect(parseCq(`${bad} [CQ:face,id=1]`)).toEqual([text(`${bad} `), { type: 'face', data: { id: '1' } }])
  }
  expect(parseCq('[CQ:at,qq,=,x=1=2, id =3]')).toEqual([{ type: 'at', data: { qq: '', '': '', x: '1=2', id: '3' } }])
})

test('[OBV7] a text full of opened codes takes time in proportion to its length', () => {
  const opened = '[CQ:at,'.repeat(300_000)
  expect(parseCq(`${opened}]`)).toHaveLength(2)
  expect(parseCq(opened)).toHaveLength(1)
})

test('[OBV8] values that are no strings are written as JSON, missing ones left out', () => {
  const data = { id: 5, big: 1e21, yes: true, none: null, gone: undefined, list: [{ a: 'b' }] }
  expect(
    formatCq([
      { type: 'x', data },
      { type: 'text', data: { text: 7 } },
      { type: 'text', data: {} },
    ]),
  ).toBe('[CQ:x,id=5,big=1e+21,yes=true,list=&#91;{"a":"b"}&#93;]7')
})

test('[OBV9] a message is read in either form, or as a single segment', () => {
  expect(segmentsOf('hi[CQ:face,id=1]')).toEqual([text('hi'), { type: 'face', data: { id: '1' } }])
  expect(segmentsOf([text('hi'), { type: 'shake' }])).toEqual([text('hi'), { type: 'shake', data: {} }])
  expect(segmentsOf(text('hi'))).toEqual([text('hi')])
  for (const bad of [undefined, null, 5, {}, [5], [{ type: 5, data: {} }], [{ type: 'at', data: [] }]])
    expect(segmentsOf(bad)).toBeUndefined()
})
