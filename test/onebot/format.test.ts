import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { type MessageForm, reshaped, type Wishes } from '../../src/onebot/format.ts'
import { elements, textAt } from '../../src/onebot/json-array.ts'
import { formatCq, parseCq, type Segment } from '../../src/onebot/segment.ts'
import { json, space } from './json.ts'

const BIG = '7672696335120716277'

/** As an implementation sends it; the texts are JSON. */
const eventOf = (message: string, { said = '"?"', type = 'message' } = {}) =>
  `{"time":1763870400,"self_id":10001,"post_type":"${type}","message_type":"group","message_id":${BIG},"message":${message},"raw_message":${said},"font":1.0}`

const shaped = (raw: string, wishes: Wishes) => reshaped(raw, JSON.parse(raw), wishes)

/** The JSON text of the message, turned. */
function turned(message: string, form: MessageForm): string {
  const out = shaped(eventOf(message), { form })
  const [before = '', after = ''] = eventOf('\0').split('\0')
  expect(out.startsWith(before) && out.endsWith(after)).toBe(true)
  return out.slice(before.length, out.length - after.length)
}

/**
 * The message of one segment as implementations write it, its CQ text, and, where it differs, what the CQ text is read
 * as: text has no numbers, and no nesting.
 */
const SEGMENTS: [array: string, cq: string, back?: string][] = [
  ['{"type":"text","data":{"text":"你好, [world] & 😀\\n\\"x\\"\\\\"}}', '你好, &#91;world&#93; &amp; 😀\n"x"\\'],
  ['{"type":"text","data":{"text":"[CQ:at,qq=all]"}}', '&#91;CQ:at,qq=all&#93;'],
  ['{"type":"text","data":{"text":"&#91; &amp;"}}', '&amp;#91; &amp;amp;'],
  ['{"type":"face","data":{"id":"178"}}', '[CQ:face,id=178]'],
  [
    '{"type":"face","data":{"id":178,"raw":{"faceIndex":178},"sub_type":1}}',
    '[CQ:face,id=178,raw={"faceIndex":178},sub_type=1]',
    '{"type":"face","data":{"id":"178","raw":"{\\"faceIndex\\":178}","sub_type":"1"}}',
  ],
  [
    '{"type":"image","data":{"file":"a,b.png","url":"https://example.com/?x=1&y=[2]","summary":"[动画表情]"}}',
    '[CQ:image,file=a&#44;b.png,url=https://example.com/?x=1&amp;y=&#91;2&#93;,summary=&#91;动画表情&#93;]',
  ],
  ['{"type":"record","data":{"file":"a.amr","magic":"0"}}', '[CQ:record,file=a.amr,magic=0]'],
  ['{"type":"video","data":{"file":"a.mp4","cover":"c.jpg"}}', '[CQ:video,file=a.mp4,cover=c.jpg]'],
  ['{"type":"at","data":{"qq":"10001"}}', '[CQ:at,qq=10001]'],
  ['{"type":"at","data":{"qq":"all"}}', '[CQ:at,qq=all]'],
  [
    '{"type":"at","data":{"qq":10001,"name":"@[x]"}}',
    '[CQ:at,qq=10001,name=@&#91;x&#93;]',
    '{"type":"at","data":{"qq":"10001","name":"@[x]"}}',
  ],
  ['{"type":"rps","data":{}}', '[CQ:rps]'],
  ['{"type":"rps","data":{"result":"3"}}', '[CQ:rps,result=3]'],
  ['{"type":"dice","data":{"result":"6"}}', '[CQ:dice,result=6]'],
  ['{"type":"shake"}', '[CQ:shake]', '{"type":"shake","data":{}}'],
  ['{"type":"poke","data":{"type":"126","id":"2003","name":"戳一戳"}}', '[CQ:poke,type=126,id=2003,name=戳一戳]'],
  ['{"type":"anonymous","data":{"ignore":"1"}}', '[CQ:anonymous,ignore=1]'],
  [
    '{"type":"share","data":{"url":"https://example.com/?a=1&b=2","title":"t","content":null,"image":""}}',
    '[CQ:share,url=https://example.com/?a=1&amp;b=2,title=t,image=]',
    '{"type":"share","data":{"url":"https://example.com/?a=1&b=2","title":"t","image":""}}',
  ],
  ['{"type":"contact","data":{"type":"group","id":"123456789"}}', '[CQ:contact,type=group,id=123456789]'],
  [
    '{"type":"location","data":{"lat":39.8969426,"lon":116.3109099,"title":"北京"}}',
    '[CQ:location,lat=39.8969426,lon=116.3109099,title=北京]',
    '{"type":"location","data":{"lat":"39.8969426","lon":"116.3109099","title":"北京"}}',
  ],
  ['{"type":"music","data":{"type":"163","id":"28949129"}}', '[CQ:music,type=163,id=28949129]'],
  [
    '{"type":"music","data":{"type":"custom","url":"u","audio":"a","title":"x, y"}}',
    '[CQ:music,type=custom,url=u,audio=a,title=x&#44; y]',
  ],
  ['{"type":"reply","data":{"id":"-1837465291"}}', '[CQ:reply,id=-1837465291]'],
  [`{"type":"reply","data":{"id":${BIG}}}`, `[CQ:reply,id=${BIG}]`, `{"type":"reply","data":{"id":"${BIG}"}}`],
  [
    `{"type":"forward","data":{"id":${BIG},"size":1.0,"exp":1e21}}`,
    `[CQ:forward,id=${BIG},size=1.0,exp=1e21]`,
    `{"type":"forward","data":{"id":"${BIG}","size":"1.0","exp":"1e21"}}`,
  ],
  [
    `{"type":"forward","data":{"id":"f","content":[{"message_id":${BIG},"message":[{"type":"text","data":{"text":"a,b"}}]}]}}`,
    `[CQ:forward,id=f,content=&#91;{"message_id":${BIG}&#44;"message":&#91;{"type":"text"&#44;"data":{"text":"a&#44;b"}}&#93;}&#93;]`,
    `{"type":"forward","data":{"id":"f","content":${JSON.stringify(`[{"message_id":${BIG},"message":[{"type":"text","data":{"text":"a,b"}}]}]`)}}}`,
  ],
  ['{"type":"node","data":{"id":"123"}}', '[CQ:node,id=123]'],
  [
    '{"type":"node","data":{"user_id":"10001","nickname":"x","content":[{"type":"face","data":{"id":"1"}}]}}',
    '[CQ:node,user_id=10001,nickname=x,content=&#91;{"type":"face"&#44;"data":{"id":"1"}}&#93;]',
    `{"type":"node","data":{"user_id":"10001","nickname":"x","content":${JSON.stringify('[{"type":"face","data":{"id":"1"}}]')}}}`,
  ],
  [
    '{"type":"node","data":{"name":"x","uin":"1","content":"[CQ:face,id=1]"}}',
    '[CQ:node,name=x,uin=1,content=&#91;CQ:face&#44;id=1&#93;]',
  ],
  [
    '{"type":"xml","data":{"data":"<?xml version=\\"1.0\\"?><a b=\\"&amp;\\"/>"}}',
    '[CQ:xml,data=<?xml version="1.0"?><a b="&amp;amp;"/>]',
  ],
  ['{"type":"json","data":{"data":"{\\"a\\":[1,2]}"}}', '[CQ:json,data={"a":&#91;1&#44;2&#93;}]'],
  [
    '{"type":"mface","data":{"emoji_id":"e","emoji_package_id":231182,"key":"k","summary":"[赞]"}}',
    '[CQ:mface,emoji_id=e,emoji_package_id=231182,key=k,summary=&#91;赞&#93;]',
    '{"type":"mface","data":{"emoji_id":"e","emoji_package_id":"231182","key":"k","summary":"[赞]"}}',
  ],
  ['{"type":"marketface","data":{"face_id":"f","tab_id":"1"}}', '[CQ:marketface,face_id=f,tab_id=1]'],
  ['{"type":"bface","data":{"file":"f"}}', '[CQ:bface,file=f]'],
  [
    '{"type":"markdown","data":{"content":"# 标题\\n- [x](y), z"}}',
    '[CQ:markdown,content=# 标题\n- &#91;x&#93;(y)&#44; z]',
  ],
  [
    '{"type":"keyboard","data":{"content":{"rows":[{"buttons":[]}]}}}',
    '[CQ:keyboard,content={"rows":&#91;{"buttons":&#91;&#93;}&#93;}]',
    '{"type":"keyboard","data":{"content":"{\\"rows\\":[{\\"buttons\\":[]}]}"}}',
  ],
  [
    '{"type":"file","data":{"file":"a.zip","file_id":"/f1","file_size":9007199254740993}}',
    '[CQ:file,file=a.zip,file_id=/f1,file_size=9007199254740993]',
    '{"type":"file","data":{"file":"a.zip","file_id":"/f1","file_size":"9007199254740993"}}',
  ],
  ['{"type":"longmsg","data":{"id":"r"}}', '[CQ:longmsg,id=r]'],
  ['{"type":"gift","data":{"qq":"1","id":"0"}}', '[CQ:gift,qq=1,id=0]'],
  ['{"type":"redbag","data":{"title":"恭喜"}}', '[CQ:redbag,title=恭喜]'],
  ['{"type":"cardimage","data":{"file":"a.png","minwidth":"400"}}', '[CQ:cardimage,file=a.png,minwidth=400]'],
  ['{"type":"tts","data":{"text":"a [b]"}}', '[CQ:tts,text=a &#91;b&#93;]'],
  ['{"type":"basketball","data":{"result":"1"}}', '[CQ:basketball,result=1]'],
  ['{"type":"new_rps","data":{"result":"1"}}', '[CQ:new_rps,result=1]'],
  ['{"type":"miniapp","data":{"data":"{}"}}', '[CQ:miniapp,data={}]'],
  [
    '{"type":"onlinefile","data":{"msgId":"1","isDir":false}}',
    '[CQ:onlinefile,msgId=1,isDir=false]',
    '{"type":"onlinefile","data":{"msgId":"1","isDir":"false"}}',
  ],
  ['{"type":"flashtransfer","data":{"fileSetId":"1"}}', '[CQ:flashtransfer,fileSetId=1]'],
  ['{"type":"shop.card-2","data":{"x":"1"}}', '[CQ:shop.card-2,x=1]'],
]

for (const [array, cq, back = array] of SEGMENTS)
  test(`[FMT1] both ways: ${cq.slice(0, 40)}`, () => {
    expect(JSON.parse(turned(`[${array}]`, 'string'))).toBe(cq)
    expect(turned(JSON.stringify(cq), 'array')).toBe(`[${back}]`)
    expect(turned(`[${back}]`, 'string')).toBe(JSON.stringify(cq))
  })

test('[FMT1] a message of all of them', () => {
  const array = `[ ${SEGMENTS.map(([one]) => one).join(' ,\n ')} ]`
  expect(JSON.parse(turned(array, 'string'))).toBe(SEGMENTS.map(([, cq]) => cq).join(''))
})

test('[FMT2] numbers keep their digits, and nested values their text, white space included', () => {
  expect(
    turned(
      '[{"type":"x","data":{"a":-0,"b":1.50,"c":123456789012345678901234567890,"d":{ "e" : [ 1.0, null ] }}}]',
      'string',
    ),
  ).toBe(JSON.stringify('[CQ:x,a=-0,b=1.50,c=123456789012345678901234567890,d={ "e" : &#91; 1.0&#44; null &#93; }]'))
})

test('[FMT2] all values are as they were written, whatever stands beside them', () => {
  const value = fc.oneof(json(), fc.integer().map(String))
  const data = fc.dictionary(fc.constantFrom('a', 'b', 'text', '__proto__', '1'), value, { maxKeys: 3 })
  const segment = fc.record({ type: fc.constantFrom('text', 'at', 'x'), data, gap: space() }).map(
    ({ type, data, gap }) =>
      `{"type":${gap}"${type}"${gap},"data":{${Object.entries(data)
        .map(([key, text]) => `${gap}"${key}"${gap}:${gap}${text}`)
        .join(',')}}}`,
  )
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 3 }), space(), (segments, gap) => {
      const told = JSON.parse(turned(`[${segments.join(`${gap},`)}${gap}]`, 'string'))
      const wanted = segments.map((text) => {
        const { type, data } = JSON.parse(text)
        const values = Object.keys(data).map((key) => {
          const written = textAt(text, ['data', key]) ?? ''
          return [key, written.startsWith('"') || written === 'null' ? JSON.parse(written) : written]
        })
        return { type, data: Object.fromEntries(values) }
      })
      expect(told).toBe(formatCq(wanted))
    }),
  )
})

test('[FMT3] to text and back, or to segments and back, nothing is lost', () => {
  const words = fc.string({
    unit: fc.constantFrom('a', '你', '😀', ' ', '\n', '=', '&', '[', ']', ',', '"', '\\', '&amp;', '[CQ:at]', '&#91;'),
  })
  const code = fc.record({
    type: fc.constantFrom('at', 'image', 'json', 'node'),
    data: fc
      .dictionary(fc.constantFrom('qq', 'file', 'data', '__proto__'), words, { maxKeys: 3 })
      .map((data) => ({ ...data })),
  })
  const text = words.filter((text) => text !== '').map((text): Segment => ({ type: 'text', data: { text } }))
  fc.assert(
    fc.property(fc.array(code, { maxLength: 4 }), fc.array(text, { maxLength: 5 }), (codes, texts) => {
      // Two texts in a row would become one.
      const segments = codes.flatMap((code, index) => [...texts.slice(index, index + 1), code])
      const array = JSON.stringify(segments)
      const string = turned(array, 'string')
      expect(JSON.parse(turned(string, 'array'))).toEqual(segments)
      expect(turned(turned(string, 'array'), 'string')).toBe(string)
    }),
  )
})

test('[FMT4] every other byte stays, and raw_message as it came', () => {
  const raw =
    '{ "post_type" : "message", "id":7672696335120716277,\t"raw_message":"\\u4f60[CQ:at,qq=1]", "message" : [ {"type":"text","data":{"text":"\\u4f60"}} ] , "sender":{"message":"[CQ:face,id=1]","x":1.0}, "message_format":"array" }'
  const string = shaped(raw, { form: 'string' })
  expect(string).toBe(raw.replace('[ {"type":"text","data":{"text":"\\u4f60"}} ]', '"你"'))
  expect(shaped(string, { form: 'array' })).toBe(
    raw.replace('[ {"type":"text","data":{"text":"\\u4f60"}} ]', '[{"type":"text","data":{"text":"你"}}]'),
  )
})

test('[FMT4] every duplicate of the message is replaced, by what the last one says', () => {
  const raw = '{"message":"a","post_type":"message","\\u006dessage":"b[CQ:face,id=1]"}'
  const array = '[{"type":"text","data":{"text":"b"}},{"type":"face","data":{"id":"1"}}]'
  expect(shaped(raw, { form: 'array' })).toBe(`{"message":${array},"post_type":"message","\\u006dessage":${array}}`)
})

test('[FMT5] what is no message, or has the form already, stays the very same text', () => {
  const lines = readFileSync(new URL('../fixtures/events.jsonl', import.meta.url), 'utf8')
    .split('\n')
    .filter(Boolean)
  for (const raw of lines) {
    const event = JSON.parse(raw)
    const is = Array.isArray(event.message) ? 'array' : 'string'
    expect(shaped(raw, { form: is })).toBe(raw)
    if (!event.post_type.startsWith('message')) expect(shaped(raw, { form: 'string', strip: 'a' })).toBe(raw)
  }
  for (const odd of [
    '5',
    'null',
    '{"type":"text","data":{"text":"a"}}',
    '[5]',
    '[{"type":1}]',
    '[{"type":"a","data":[]}]',
  ])
    for (const form of ['array', 'string'] as const)
      expect(shaped(eventOf(odd), { form, strip: 'a' })).toBe(eventOf(odd))
  expect(shaped('{"post_type":"message"}', { form: 'array' })).toBe('{"post_type":"message"}')
  expect(turned('[]', 'string')).toBe('""')
  expect(turned('""', 'array')).toBe('[]')
})

test('[FMT5] what the account itself sent is a message, too', () => {
  const raw = eventOf('"a"', { type: 'message_sent' })
  expect(shaped(raw, { form: 'array' })).toContain('"message":[{"type":"text","data":{"text":"a"}}],')
})

/** Strips "/" off a message whose raw_message is the same. */
const strip = (message: string, prefix = '/', wishes: Wishes = {}) =>
  textAt(shaped(eventOf(message), { strip: prefix, ...wishes }), ['message'])

test('[FMT6] the prefix goes from the front of the first words, in either form', () => {
  for (const [before, after, prefix] of [
    ['"/help /x"', '"help /x"'],
    ['"[CQ:reply,id=1][CQ:at,qq=1] [CQ:at,qq=2] /help"', '"[CQ:reply,id=1][CQ:at,qq=1] [CQ:at,qq=2] help"'],
    ['"\\u002f\\/\\n"', '"\\/\\n"'],
    ['"\\u4f60\\n/"', '"\\u4f60\\n/"'],
    ['" \\n\\t/x"', '" \\n\\tx"'],
    ['"&#91;x&#93;&amp; y"', '" y"', '[x]&'],
    ['"[CQ:at,qq=1]&#91;a,b"', '"[CQ:at,qq=1]b"', '[a,'],
    ['"&amp;#91;"', '"&amp;#91;"', '['],
    ['"\\ud83d\\ude00hi"', '"hi"', '😀'],
    ['" .x"', '"x"', ' .'],
    ['"help"', '"help"'],
    ['"[CQ:image,file=/a]"', '"[CQ:image,file=/a]"'],
    ['"word [CQ:at,qq=1] /x"', '"word [CQ:at,qq=1] /x"'],
    ['[{"type":"text","data":{"text":"/help"}}]', '[{"type":"text","data":{"text":"help"}}]'],
    [
      '[ {"type":"at","data":{"qq":7672696335120716277}}, {"type":"text","data":{"text":" "}},{ "data":{"x":1.0,"text" : " \\u002fhelp"},"type":"text"}]',
      '[ {"type":"at","data":{"qq":7672696335120716277}}, {"type":"text","data":{"text":" "}},{ "data":{"x":1.0,"text" : " help"},"type":"text"}]',
    ],
    ['[{"type":"text","data":{"text":"/"}}]', '[{"type":"text","data":{"text":""}}]'],
    ['[{"type":"text","data":{"text":5}}]', '[{"type":"text","data":{"text":5}}]', '5'],
    [
      '[{"type":"text","data":{"text":"a"}},{"type":"text","data":{"text":"/b"}}]',
      '[{"type":"text","data":{"text":"a"}},{"type":"text","data":{"text":"/b"}}]',
    ],
  ] as const)
    expect(strip(before, prefix)).toBe(after)
})

test('[FMT6] raw_message loses it too, each where it has it, and every other byte stays', () => {
  const raw = eventOf('[{"type":"text","data":{"text":"/a"}}]', { said: '"[CQ:at,qq=1] \\u002fa"' })
  expect(shaped(raw, { strip: '/' })).toBe(
    eventOf('[{"type":"text","data":{"text":"a"}}]', { said: '"[CQ:at,qq=1] a"' }),
  )
  expect(shaped(eventOf('"x"', { said: '"/a"' }), { strip: '/' })).toBe(eventOf('"x"', { said: '"a"' }))
  expect(shaped(eventOf('"/x"', { said: '5' }), { strip: '/' })).toBe(eventOf('"x"', { said: '5' }))
})

test('[FMT7] without its prefix and in the other form', () => {
  expect(strip('"[CQ:at,qq=1] /a,b[CQ:face,id=1]"', '/', { form: 'array' })).toBe(
    '[{"type":"at","data":{"qq":"1"}},{"type":"text","data":{"text":" a,b"}},{"type":"face","data":{"id":"1"}}]',
  )
  expect(strip('"/"', '/', { form: 'array' })).toBe('[]')
  expect(
    strip(`[{"type":"reply","data":{"id":${BIG}}},{"type":"text","data":{"text":"/a[b]"}}]`, '/', { form: 'string' }),
  ).toBe(`"[CQ:reply,id=${BIG}]a&#91;b&#93;"`)
})

test('[FMT7] stripping and turning can be done in either order', () => {
  const words = fc.string({ unit: fc.constantFrom('/', '[', '&', ',', ' ', 'a', '你', '\n', '&amp;') })
  fc.assert(
    fc.property(
      words,
      fc.array(words),
      fc.string({ unit: fc.constantFrom('/', '[', '&', ','), minLength: 1, maxLength: 2 }),
      (first, more, prefix) => {
        const segments = [first, ...more].flatMap((text) => [
          { type: 'at', data: { qq: '1' } },
          { type: 'text', data: { text } },
        ])
        const array = eventOf(JSON.stringify(segments), { said: JSON.stringify(formatCq(segments)) })
        const string = shaped(array, { form: 'string' })
        const both = shaped(array, { form: 'string', strip: prefix })
        expect(shaped(string, { strip: prefix })).toBe(both)
        expect(shaped(shaped(array, { strip: prefix }), { form: 'string' })).toBe(both)
        expect(JSON.parse(both).message).toBe(JSON.parse(both).raw_message)
        expect(parseCq(JSON.parse(both).message)).toEqual(
          JSON.parse(shaped(string, { form: 'array', strip: prefix })).message,
        )
      },
    ),
  )
})

test('[FMT8] no text makes rewriting throw', () => {
  fc.assert(
    fc.property(
      json(),
      json(),
      fc.constantFrom<Wishes>({ form: 'array', strip: 'a' }, { form: 'string', strip: '"' }),
      (message, said, wishes) => {
        expect(() => JSON.parse(shaped(eventOf(message, { said }), wishes))).not.toThrow()
      },
    ),
  )
})

test('[FMT8] a message of 10,000 segments, or of a megabyte of opened codes, takes time in proportion', () => {
  const many = `[${Array.from({ length: 10_000 }, () => `{"type":"at","data":{"qq":${BIG}}}`).join(',')}]`
  const string = turned(many, 'string')
  expect(JSON.parse(turned(string, 'array'))).toHaveLength(10_000)
  const opened = JSON.stringify(`${'[CQ:at,'.repeat(150_000)}]`)
  expect(JSON.parse(turned(opened, 'array'))).toHaveLength(2)
  expect(strip(opened, '[CQ:')).toBe(`"${opened.slice(5)}`)
})

test('[COD1] elements are found as JSON.parse finds them, and values however deep', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(space(), json(), space())), space(), (parts, gap) => {
      const text = `${gap}[${gap}${parts.map((part) => part.join('')).join(',')}]${gap}`
      expect(elements(text).map(({ start, end }) => text.slice(start, end))).toEqual(parts.map(([, value]) => value))
    }),
  )
  expect(textAt('{"a":[1, {"b":[ 7672696335120716277 ]}]}', ['a', '1', 'b', '0'])).toBe(BIG)
  for (const path of [['a', '2'], ['a', 'x'], ['a', '0', '0'], ['b'], ['a', 'length']])
    expect(textAt('{"a":[1, "[2]"]}', path)).toBeUndefined()
})
