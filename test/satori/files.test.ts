// Files that clients give and get, OneBot's own actions, and web hooks.

import { expect, test } from 'bun:test'
import { KEPT, readable, readableWithin, Uploads } from '../../src/satori/uploads.ts'
import { groupMessage } from '../support/implementation.ts'
import { event, satoriBed, TOKEN } from './bed.ts'

const AUTH = { Authorization: `Bearer ${TOKEN}` }
const KIB = 1024
const MIB = 1024 * 1024

function form(...files: [field: string, content: string, type: string, name?: string][]): FormData {
  const data = new FormData()
  for (const [field, content, type, name] of files) data.append(field, new Blob([content], { type }), name)
  return data
}

test('[SAT33] a file that is uploaded has a link, which is served and can be sent', async () => {
  await using it = await satoriBed()
  const { status, body } = await it.call(
    'upload.create',
    form(['a', 'picture', 'image/png', '图.png'], ['a', '<script>', 'text/html', 'x.html'], ['b', 'z', 'weird']),
  )
  expect(status).toBe(200)
  const links = body as Record<string, string>
  expect(Object.keys(links)).toEqual(['a', 'a.1', 'b'])
  for (const link of Object.values(links)) expect(link).toMatch(/^internal:onebot\/10001\/_tmp\/[\w-]{36}$/)
  const { address } = it.bed.gateway
  const ways = (link = '') => [
    `${address}/satori/v1/proxy/${link}`,
    `${address}/satori/v1/proxy/${encodeURIComponent(link)}`,
    `${address}/satori/v1/${link.replace('internal:', 'internal/')}`,
  ]
  for (const url of ways(links['a'])) {
    const response = await fetch(url, { headers: AUTH })
    expect([response.status, await response.text(), response.headers.get('content-type')]).toEqual([
      200,
      'picture',
      'image/png',
    ])
    expect(response.headers.get('content-disposition')).toBe("inline; filename*=UTF-8''%E5%9B%BE.png")
    expect((await fetch(url)).status).toBe(401)
  }
  // It must not run in a page of ours.
  for (const url of ways(links['a.1'])) {
    const { headers } = await fetch(url, { headers: AUTH })
    expect(headers.get('content-disposition')).toStartWith('attachment')
    expect(headers.get('content-security-policy')).toContain('sandbox')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  }
  it.replies['send_group_msg'] = { message_id: 1 }
  await it.call('message.create', { channel_id: '7', content: `<img src="${links['a']}"/>` })
  expect(it.asked.at(-1)?.params).toEqual({
    group_id: 7,
    message: [{ type: 'image', data: { file: `base64://${btoa('picture')}` } }],
  })
  expect(
    await it.call('message.create', { channel_id: '7', content: '<img src="internal:onebot/10001/_tmp/none"/>' }),
  ).toMatchObject({ status: 400 })
})

test('[SAT33] nothing but links of ours is fetched for anybody', async () => {
  await using it = await satoriBed()
  const get = async (url: string) =>
    (await fetch(`${it.bed.gateway.address}/satori/v1/${url}`, { headers: AUTH })).status
  expect(await get('proxy/http://127.0.0.1:1/secret')).toBe(403)
  expect(await get('proxy/file:///etc/passwd')).toBe(403)
  expect(await get('proxy/internal:onebot/10001/_tmp/none')).toBe(404)
  expect(await get('proxy/internal:discord/1/_tmp/x')).toBe(404)
  expect(await get('internal/onebot/10001/etc/passwd')).toBe(404)
  expect(await get('proxy/')).toBe(405)
})

test('[SAT40] what is no address and no link is 400; files are only read', async () => {
  await using it = await satoriBed()
  const { body } = await it.call('upload.create', form(['a', 'x', 'image/png']))
  const link = (body as { a: string }).a
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`${it.bed.gateway.address}/satori/v1/${path}`, { method, headers: AUTH })
    return [response.status, response.headers.get('allow'), await response.text()]
  }
  for (const url of ['nothing', 'internal:', 'internal:onebot', 'internal:onebot/10001'])
    expect([url, (await ask(`proxy/${url}`))[0]]).toEqual([url, 400])
  for (const url of [
    'http://[::1]/',
    'https://q1.qlogo.cn/g',
    'data:text/html,x',
    'blob:x',
    'INTERNAL:onebot/10001/_tmp/x',
  ])
    expect([url, (await ask(`proxy/${url}`))[0]]).toEqual([url, 403])
  for (const path of [`${link}/..`, `${link}/x`, link.replace('_tmp', '..%2f_tmp'), link.replace('_tmp/', '_tmp//')])
    expect([path, (await ask(`proxy/${path}`))[0]]).toEqual([path, 404])
  expect(await ask(`proxy/${link}`, 'HEAD')).toEqual([200, null, ''])
  const inside = link.replace('internal:', 'internal/')
  for (const path of [`proxy/${link}`, inside])
    for (const method of ['POST', 'PUT', 'DELETE'])
      expect([path, (await ask(path, method)).slice(0, 2)]).toEqual([path, [405, 'GET, HEAD']])
  for (const path of ['internal/onebot11/get_msg', 'internal/onebot/10001/_api/getMsg', 'message.get', 'meta'])
    expect([path, (await ask(path)).slice(0, 2)]).toEqual([path, [405, 'POST']])
})

test('[SAT33] files whose time is over go, also where nobody asks for one any more', async () => {
  let now = 0
  const uploads = new Uploads(() => now, 1)
  for (let n = 0; n < 3; n++) uploads.keep('1', { bytes: new Uint8Array(MIB), type: 'x/y', name: undefined })
  expect(uploads.bytes).toBeGreaterThan(3 * MIB)
  now = KEPT.time
  while (uploads.bytes > 0) await Bun.sleep(1)
})

test('[SAT33] uploads are kept for a while and within bounds, the oldest giving way', () => {
  let now = 0
  const uploads = new Uploads(() => now)
  const keep = (size: number) => uploads.keep('1', { bytes: new Uint8Array(size), type: 'x/y', name: undefined })
  const there = (link: string) => uploads.get(link.replace('internal:onebot/1/', '')) !== undefined
  const first = keep(50 * MIB)
  const second = keep(50 * MIB)
  const third = keep(50 * MIB)
  expect([first, second, third].map(there)).toEqual([false, true, true])
  now = KEPT.time + 1
  expect([second, third].map(there)).toEqual([false, false])
  const whole = keep(KEPT.bytes - 2 * KIB)
  expect(there(whole)).toBe(true)
  // Files of nothing cost something: as much as their names, and some more.
  const named = (name: string) => uploads.keep('1', { bytes: new Uint8Array(0), type: 'x/y', name })
  const links = Array.from({ length: 300 }, () => named('x'.repeat(MIB / 2)))
  expect(links.filter(there)).toEqual(links.slice(-127))
  uploads.clear()
  const empty = named('')
  for (let n = 0; n < KEPT.bytes / KIB; n++) named('')
  expect(there(empty)).toBe(false)
  expect(() => keep(KEPT.bytes + 1)).toThrow(/at most/)
  expect(uploads.get('elsewhere')).toBeUndefined()
})

test('[SAT33] one upload that stands in a message a thousand times does not fill the memory', async () => {
  await using it = await satoriBed()
  const { body } = await it.call('upload.create', form(['a', 'x'.repeat(4 * MIB), 'image/png']))
  const content = `<img src="${(body as { a: string }).a}"/>`.repeat(1_000)
  expect(await it.call('message.create', { channel_id: '7', content })).toMatchObject({
    status: 413,
    body: { message: expect.stringContaining('send several messages') },
  })
  expect(it.asked).toEqual([])
  const source = readableWithin(new Uploads(), 30)
  expect(source('data:;base64,AAAA')).toBe('base64://AAAA')
  expect(source('data:;base64,AAAA')).toBe('base64://AAAA')
  expect(() => source('data:;base64,AAAA')).toThrow('more than 30')
})

test('[SAT13] addresses and paths stay as they are, everything else becomes base64', () => {
  const uploads = new Uploads()
  const link = uploads.keep('1', { bytes: new TextEncoder().encode('hi'), type: 'text/plain', name: 'x' })
  const cases: [string, string][] = [
    ['https://example.com/a?b=1', 'https://example.com/a?b=1'],
    ['file:///tmp/a.png', 'file:///tmp/a.png'],
    ['base64://aGk=', 'base64://aGk='],
    ['abc.image', 'abc.image'],
    ['data:text/plain;base64,aGk=', 'base64://aGk='],
    ['data:text/plain;charset=utf-8;base64,aGk=', 'base64://aGk='],
    ['data:,hi', 'base64://aGk='],
    ['data:text/plain,%68i', 'base64://aGk='],
    ['data:text/plain,100%', `base64://${btoa('100%')}`],
    [link, 'base64://aGk='],
  ]
  for (const [src, wanted] of cases) expect(readable(src, uploads)).toBe(wanted)
})

test("[SAT34] OneBot's actions pass as they are, in both directions", async () => {
  await using it = await satoriBed()
  const odd = '{"user_id":9007199254740993, "x" : 1.0,"a":"\\u4f60"}'
  it.bed.bot.answer = (frame, raw) => {
    if (frame.action !== 'get_login_info') it.asked.push({ ...frame, raw })
    return `{"status":"ok","retcode":0,"data":{"id":9007199254740993, "b":1.0},"echo":${JSON.stringify(frame.echo)}}`
  }
  const post = async (path: string, body?: string) => {
    const response = await fetch(`${it.bed.gateway.address}/satori/v1/internal/${path}`, {
      method: 'POST',
      headers: AUTH,
      ...(body !== undefined && { body }),
    })
    return [response.status, await response.text()]
  }
  const whole = '{"status":"ok","retcode":0,"data":{"id":9007199254740993, "b":1.0}}'
  expect(await post('onebot11/get_stranger_info', odd)).toEqual([200, whole])
  expect(it.asked.at(-1)?.raw).toContain(`"params":${odd}`)
  expect(await post('get_group_list')).toEqual([200, whole])
  expect(await post('onebot/10001/_api/getGroupInfo', `[ ${odd} , {}]`)).toEqual([
    200,
    '{"id":9007199254740993, "b":1.0}',
  ])
  expect(it.asked.at(-1)).toMatchObject({ action: 'get_group_info' })
  expect(it.asked.at(-1)?.raw).toContain(`"params":${odd}`)
  expect((await post('onebot/10001/_api/get_group_list', '[]'))[0]).toBe(200)
  const actions = it.asked.length
  expect((await post('onebot11/x', '[1]'))[0]).toBe(400)
  expect((await post('onebot/10001/_api/x', '[5]'))[0]).toBe(400)
  expect((await post('onebot/10001/_api/x', '{}'))[0]).toBe(400)
  expect((await post('onebot/99/_api/x', '[]'))[0]).toBe(403)
  expect((await post('onebot11/a%20b', '{}'))[0]).toBe(404)
  expect((await fetch(`${it.bed.gateway.address}/satori/v1/internal/onebot11/x`, { headers: AUTH })).status).toBe(405)
  expect(it.asked.length).toBe(actions)
  it.bed.bot.answer = ({ echo }) => JSON.stringify({ status: 'failed', retcode: 1404, data: null, message: 'no', echo })
  expect((await post('onebot11/x', '{}'))[0]).toBe(404)
  expect((await post('onebot/10001/_api/x', '[]'))[0]).toBe(404)
})

test('[SAT35] meta tells the logins, and what is not there is 404', async () => {
  await using it = await satoriBed()
  expect(await it.call('meta')).toMatchObject({
    status: 200,
    body: { proxy_urls: [], logins: [{ user: { id: '10001', name: 'bot' } }] },
  })
  expect((await it.call('meta/webhook.list')).status).toBe(404)
  const response = await fetch(`${it.bed.gateway.address}/satori/v1/meta`, { headers: AUTH })
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
})

test('[SAT7] 10 MiB of content, however it is made, is said or refused, and nobody else notices', async () => {
  await using it = await satoriBed()
  it.replies['send_group_msg'] = { message_id: 1 }
  const client = await it.ready()
  const length = 10 * MIB
  const hostile: [string, number][] = [
    [`<img src="data:image/png;base64,${'A'.repeat(length)}"/>`, 200],
    ['<'.repeat(length), 400],
    ['<b>'.repeat(length / 3), 400],
    [`<!DOCTYPE a [<!ENTITY a "${'b'.repeat(1_000)}">]>${'&a;'.repeat(length / 3)}`, 400],
    ['x'.repeat(length), 400],
  ]
  for (const [content, status] of hostile) {
    const answer = it.call('message.create', { channel_id: '7', content })
    it.bed.bot.send(groupMessage('meanwhile'))
    await event(client, 'message-created')
    expect([content.slice(0, 20), (await answer).status]).toEqual([content.slice(0, 20), status])
  }
  const sent = await it.call('message.create', {
    channel_id: '7',
    content: '<script>alert(1)</script>{{7*7}}&amp;&lt;b&gt;',
  })
  expect(sent.body).toMatchObject([{ content: 'alert(1){{7*7}}&amp;&lt;b&gt;' }])
  await client.close()
})
