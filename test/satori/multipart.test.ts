// Forms with files, as Satori's clients send them and as nobody should.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { formParts } from '../../src/satori/multipart.ts'
import { satoriBed, TOKEN } from './bed.ts'

const TYPE = 'multipart/form-data; boundary=B0'
const CRLF = '\r\n'
/** No text, and full of what ends a part elsewhere. */
const BYTES = Buffer.from('89504e470d0a1a0afffe002d2d42300d0a2d2d42000d0a', 'hex')

const part = (headers: string[], bytes: Uint8Array | string = BYTES) =>
  Buffer.concat([Buffer.from(`--B0${CRLF}${headers.join(CRLF)}${CRLF}${CRLF}`), Buffer.from(bytes), Buffer.from(CRLF)])
const whole = (...parts: Uint8Array[]) => Buffer.concat([...parts, Buffer.from(`--B0--${CRLF}`)])
const seen = (body: Uint8Array, type = TYPE) =>
  formParts(type, body)?.map(({ name, filename, type: kind, bytes }) => [
    name,
    filename,
    kind,
    Buffer.from(bytes).toString('hex'),
  ])
const hex = BYTES.toString('hex')

test('[SAT49] a file is the bytes that were sent, whether it has a name or not', () => {
  const cases: [string[], [string, string | undefined, string]][] = [
    // NoneBot on httpx, for bytes without a name.
    [
      ['Content-Disposition: form-data; name="140"', 'Content-Type: image/png'],
      ['140', undefined, 'image/png'],
    ],
    // Browsers, Koishi.
    [
      ['Content-Disposition: form-data; name="file"; filename="图%22.png"', 'Content-Type: image/png'],
      ['file', '图".png', 'image/png'],
    ],
    // aiohttp without and with quoted fields, curl.
    [
      ['Content-Type: image/png', 'Content-Disposition: form-data; name="a"; filename="x\\"\\\\.png"'],
      ['a', 'x"\\.png', 'image/png'],
    ],
    [
      ["content-disposition: form-data; name=a; filename*=utf-8''%E5%9B%BE%20.png", 'content-type: IMAGE/PNG; x=y'],
      ['a', '图 .png', 'image/png'],
    ],
    [[`Content-Disposition: form-data; name="a"; filename="x%0D%0Ay"`], ['a', 'x\r\ny', '']],
    [['Content-Disposition: form-data; name=""; filename=""'], ['', undefined, '']],
    [['Content-Disposition: form-data; name="a"; filename="b"; filename*=UTF-8\'\'%FF'], ['a', 'b', '']],
  ]
  for (const [headers, wanted] of cases) expect(seen(whole(part(headers)))).toEqual([[...wanted, hex]])
  const named = (name: string) => [`Content-Disposition: form-data; name="${name}"`]
  expect(seen(whole(part(named('a'), ''), part(named('b'), 'x')))).toEqual([
    ['a', undefined, '', ''],
    ['b', undefined, '', '78'],
  ])
  const text = Buffer.from(`so much for that${CRLF}`)
  expect(seen(Buffer.concat([text, whole(part(named('a'), 'x'))]))).toEqual([['a', undefined, '', '78']])
  expect(seen(whole(part(named('a'), 'x')), 'Multipart/Form-Data; charset=utf-8; boundary="B0"')).toEqual([
    ['a', undefined, '', '78'],
  ])
  expect(seen(whole())).toEqual([])
})

test('[SAT49] whatever the bytes are, they come out as they went in, or the form is none', () => {
  const headers = ['Content-Disposition: form-data; name="a"']
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (files) => {
      expect(seen(whole(...files.map((bytes) => part(headers, bytes))))).toEqual(
        files.map((bytes) => ['a', undefined, '', Buffer.from(bytes).toString('hex')]),
      )
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (noise, cut) => {
      formParts(TYPE, noise)
      const form = whole(part(headers, noise))
      formParts(TYPE, form.subarray(0, cut))
    }),
  )
})

test('[SAT49] what is no form, or has no end, is 400; so is one of more than a thousand parts', async () => {
  const headers = ['Content-Disposition: form-data; name="a"']
  const one = whole(part(headers))
  for (const type of [
    '',
    'application/json',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/mixed; boundary=B0',
  ])
    expect([type, formParts(type, one)]).toEqual([type, undefined])
  for (const body of [
    '',
    '--B0',
    '--B0\r\n',
    '--B0\r\n\r\n',
    'x--B0--',
    `--B0\r\n${headers[0]}\r\n\r\nx`,
    `--B0\r\n${headers[0]}\r\n\r\nx\r\n--B0`,
    `--B0\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n--B0--`,
    `--B0\r\nContent-Type: image/png\r\n\r\nx\r\n--B0--`,
    `--B0\r\n${headers[0]}; x="${'y'.repeat(20_000)}"\r\n\r\nx\r\n--B0--`,
  ])
    expect([body.slice(0, 60), formParts(TYPE, Buffer.from(body))]).toEqual([body.slice(0, 60), undefined])
  const many = (count: number) => whole(...Array.from({ length: count }, () => part(headers, 'x')))
  expect(formParts(TYPE, many(1_000))?.length).toBe(1_000)
  expect(formParts(TYPE, many(1_001))).toBeUndefined()
})

test('[SAT49] the links come in the order of the files, also where fields are numbers', async () => {
  await using it = await satoriBed()
  const fields = ['30', '7', '__proto__', '100', '7']
  const body = whole(
    ...fields.map((name, n) =>
      part([`Content-Disposition: form-data; name="${name}"`, 'Content-Type: image/png'], `${n}`),
    ),
  )
  const { address } = it.bed.gateway
  const headers = { Authorization: `Bearer ${TOKEN}` }
  const response = await fetch(`${address}/satori/v1/upload.create`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': TYPE },
    body,
  })
  const pairs = Array.from((await response.text()).matchAll(/"([^"]+)":"([^"]+)"/g), ([, field = '', link = '']) => [
    field,
    link,
  ])
  expect(pairs.map(([field]) => field)).toEqual(['30', '7', '__proto__', '100', '7.1'])
  for (const [n, [, link]] of pairs.entries())
    expect(await (await fetch(`${address}/satori/v1/proxy/${link}`, { headers })).text()).toBe(`${n}`)
})
