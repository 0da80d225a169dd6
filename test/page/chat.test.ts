// The sandbox chat in a real browser: a person at the simulated QQ, a bot at the gateway.

import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Browser } from 'playwright-core'
import { ADMIN, operator } from '../support/admin.ts'
import { browse, executable, tab } from '../support/browser.ts'
import { Client } from '../support/client.ts'
import { link, sandbox, watched } from './bed.ts'

let browser: Browser
beforeAll(async () => {
  if (executable !== undefined) browser = await browse()
})
afterAll(() => browser?.close())
const seen = test.skipIf(executable === undefined)

const GROUP = 123_456_789
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

async function stage() {
  const stack = new AsyncDisposableStack()
  const bed = stack.use(await sandbox())
  const { address } = bed.gateway
  const bot = stack.use(await Client.connect(`${address.replace('http', 'ws')}/onebot/v11/ws?client_name=tester`))
  await bot.event('notice.client_status')
  const { page, complaints, asked } = stack.use(await tab(browser))
  await page.goto(link(address, '/sandbox'))
  await page.getByText('connected: tester').waitFor()
  const says = async (text: string) => {
    await page.getByLabel('Message', { exact: true }).fill(text)
    await page.keyboard.press('Enter')
  }
  const answer = (message: unknown) => bot.call('send_group_msg', { group_id: GROUP, message })
  return { ...bed, bot, page, complaints, asked, says, answer, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('[CHT1] the chat is there with a simulated bot only, behind the admin token, and passes on nothing else', async () => {
  await using plain = await watched({})
  expect((await fetch(`${plain.address}/sandbox`)).status).toBe(404)
  expect((await operator(plain.address).get('/api/sandbox/state')).status).toBe(404)
  await using bed = await sandbox()
  const { address } = bed.gateway
  expect((await fetch(`${address}/sandbox`)).headers.get('content-type')).toContain('text/html')
  const admin = operator(address)
  expect(await admin.json('/api/sandbox/state')).toMatchObject({ self_id: 10_001 })
  expect((await fetch(`${address}/api/sandbox/state`)).status).toBe(401)
  for (const look of ['sent', 'event', '..%2Fget_status', 'burst', 'state%3Fx'])
    expect((await admin.get(`/api/sandbox/${look}`)).status).toBe(404)
  for (const deed of ['event', 'burst', 'state', '..%2Fsend_msg'])
    expect((await admin.post(`/api/sandbox/${deed}`, {})).status).toBe(404)
  const form = { Authorization: `Bearer ${ADMIN}`, 'Content-Type': 'text/plain' }
  expect(
    (await fetch(`${address}/api/sandbox/say`, { method: 'POST', body: '{"text":"x"}', headers: form })).status,
  ).toBe(400)
  const refused = await admin.post('/api/sandbox/say', { text: 'x', group_id: 5 })
  expect([refused.status, await refused.text()]).toEqual([
    400,
    expect.stringContaining('group 5: the account is not in it'),
  ])
  expect((await admin.json<{ happened: [] }>('/api/sandbox/chat')).happened).toEqual([])
  await bed.simulator[Symbol.asyncDispose]()
  const gone = await admin.get('/api/sandbox/state')
  expect([gone.status, await gone.text()]).toEqual([503, expect.stringContaining('does not answer')])
})

test('[CHT2] a simulator that runs by itself behind the gateway has its chat as well', async () => {
  await using bed = await sandbox({ apart: true })
  const admin = operator(bed.gateway.address)
  // Its name is known once somebody has asked for it.
  const known = async () => {
    await admin.json('/api/bots')
    return (await admin.json<{ sandbox: boolean }>('/api/status')).sandbox
  }
  while (!(await known())) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await admin.json('/api/sandbox/state')).toMatchObject({ self_id: 10_001 })
  expect((await fetch(`${bed.gateway.address}/sandbox`)).status).toBe(200)
})

seen('[CHT3] what a person says reaches the bot as that member’s message, and what it answers is drawn', async () => {
  await using at = await stage()
  const { page } = at
  await page.getByLabel('Speak as').selectOption({ index: 1 })
  await page.getByLabel('@ the bot').check()
  await at.says('hello [CQ:face,id=1] & 你好')
  const heard = await at.bot.next((frame) => frame['post_type'] === 'message')
  expect(heard['message']).toEqual([
    { type: 'at', data: { qq: '10001' } },
    { type: 'text', data: { text: ' hello [CQ:face,id=1] & 你好' } },
  ])
  expect(heard['group_id']).toBe(GROUP)
  await at.answer('and to you')
  await page.locator('.message.bot').getByText('and to you').waitFor()
  // In private, too.
  await page.getByRole('button', { name: '小冰' }).first().click()
  await at.says('just us')
  const whispered = await at.bot.next((frame) => frame['raw_message'] === 'just us')
  expect(whispered['message_type']).toBe('private')
  await at.bot.call('send_private_msg', { user_id: whispered['user_id'], message: 'indeed' })
  await page.locator('.message.bot').getByText('indeed').waitFor()
  expect(at.complaints).toEqual([])
})

seen(
  '[CHT4] every kind of segment is drawn, unknown ones as code; nothing is fetched, no script is a link',
  async () => {
    await using at = await stage()
    const { page } = at
    await at.says('first')
    const first = await at.bot.next((frame) => frame['raw_message'] === 'first')
    const forwarded = [
      { type: 'node', data: { nickname: '<i>n</i>', content: [{ type: 'text', data: { text: 'inner words' } }] } },
    ]
    await at.bot.call('send_group_forward_msg', { group_id: GROUP, messages: forwarded })
    await at.answer([
      { type: 'reply', data: { id: String(first['message_id']) } },
      { type: 'at', data: { qq: 'all' } },
      { type: 'text', data: { text: '<b onclick=alert(1)>bold</b>' } },
      { type: 'face', data: { id: '14' } },
      { type: 'image', data: { file: `base64://${PIXEL}`, summary: 'a pixel' } },
      { type: 'image', data: { file: 'x.png', url: 'https://third.example/x.png' } },
      { type: 'record', data: { file: 'javascript:alert(4)' } },
      { type: 'record', data: { file: 'base64://AAAA' } },
      { type: 'video', data: { file: 'base64://AAAA' } },
      { type: 'share', data: { url: 'javascript:alert(5)', title: 'a share' } },
      { type: 'json', data: { data: '{"app":"<script>alert(6)</script>"}' } },
      { type: 'xml', data: { data: '<msg onload="alert(7)"/>' } },
      { type: 'dice', data: {} },
      { type: 'no_such_type', data: { html: '<img src=x onerror=alert(8)>' } },
    ])
    const message = page.locator('.message.bot').last()
    await message.getByText('no_such_type').waitFor()
    const shown = (await message.textContent()) ?? ''
    for (const text of [
      'first',
      '@everybody',
      '<b onclick=alert(1)>bold</b>',
      '<msg onload="alert(7)"/>',
      '"<script>alert(6)</script>"',
      'javascript:alert(5)',
    ])
      expect(shown).toContain(text)
    await message.getByRole('img', { name: 'a pixel' }).waitFor()
    expect(await message.locator('audio, video').count()).toBe(2)
    const links = await message.locator('a').evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).href))
    expect(links).toEqual(['https://third.example/x.png'])
    await page.getByRole('button', { name: 'Show' }).click()
    await page.locator('.forward .said').getByText('inner words').waitFor()
    expect(at.asked.filter((url) => !url.startsWith(at.gateway.address) && !/^(?:data|blob):/.test(url))).toEqual([])
    // A sound of three bytes is none, which a browser may tell; nothing of it ran.
    expect(at.complaints.filter((text) => /dialog|script|policy/i.test(text))).toEqual([])
  },
)

seen('[CHT5] pictures, answers, recalling, poking, joining and asking become the events of the standard', async () => {
  await using at = await stage()
  const { page, bot } = at
  const notice = (kind: string) => bot.next((frame) => frame['notice_type'] === kind || frame['request_type'] === kind)
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'p.png', mimeType: 'image/png', buffer: Buffer.from(PIXEL, 'base64') })
  await page.getByRole('button', { name: 'Remove p.png' }).waitFor()
  await page.getByRole('button', { name: 'Send' }).click()
  const sent = await bot.next((frame) => frame['post_type'] === 'message')
  expect(sent['message']).toEqual([{ type: 'image', data: { file: `base64://${PIXEL}` } }])
  await page.getByRole('button', { name: 'Reply' }).first().click()
  await at.says('answer')
  const answer = await bot.next((frame) => frame['post_type'] === 'message')
  expect(answer['message']).toContainEqual({ type: 'reply', data: { id: String(sent['message_id']) } })
  await page.getByRole('button', { name: 'Recall' }).first().click()
  expect(await notice('group_recall')).toMatchObject({ message_id: sent['message_id'], group_id: GROUP })
  await page.getByText('Recalled').waitFor()
  await page.getByRole('button', { name: 'pokes the bot' }).click()
  expect(await notice('notify')).toMatchObject({ sub_type: 'poke', target_id: 10_001 })
  await page.getByRole('button', { name: 'Somebody joins' }).click()
  expect(await notice('group_increase')).toMatchObject({ group_id: GROUP })
  await page.getByRole('button', { name: 'Somebody asks to join' }).click()
  expect(await notice('group')).toMatchObject({ sub_type: 'add', comment: 'Let me in' })
  await page.getByRole('button', { name: 'Somebody becomes a friend' }).click()
  await notice('friend_add')
  await page.getByRole('button', { name: 'Somebody asks to be a friend' }).click()
  const { flag } = await notice('friend')
  await page.getByText('friend 3').waitFor()
  await bot.call('set_friend_add_request', { flag, approve: true })
  await page.getByText('friend 3').waitFor({ state: 'detached' })
  expect(at.complaints).toEqual([])
})

seen('[CHT6] the implementation is made slow, silent and dumb, and its links are cut', async () => {
  await using at = await stage()
  const { page, simulator } = at
  const faults = () => ({ ...simulator.faults })
  const set = async (label: string, wanted: object) => {
    const box = page.getByLabel(label)
    await box.click()
    while (!Bun.deepMatch(wanted, faults())) await page.waitForTimeout(20)
    while ((await box.isChecked()) !== Object.values(wanted).some(Boolean)) await page.waitForTimeout(20)
  }
  await set('Slow', { slowReplies: 3_000 })
  await set('Slow', { slowReplies: 0 })
  await set('No replies', { lostReplies: 1 })
  await set('No replies', { lostReplies: 0 })
  await set('Silent', { silent: true })
  await set('Silent', { silent: false })
  await page.getByRole('button', { name: 'Disconnect now' }).click()
  await page.getByText('1 connections dropped').waitFor()
  await simulator.linked()
  // Who watches is not cut off with it.
  await at.says('still here')
  await page.locator('.bubble').getByText('still here').waitFor()
  expect(at.complaints).toEqual([])
})

seen('[CHT7] a newcomer is told where to connect, with what to copy, and when a bot is there', async () => {
  await using bed = await sandbox()
  const { address } = bed.gateway
  const endpoint = `${address.replace('http', 'ws')}/onebot/v11/ws`
  await using it = await tab(browser, { permissions: ['clipboard-read', 'clipboard-write'] })
  const { page } = it
  await page.goto(link(address, '/sandbox'))
  await page.getByText('no bot program is connected yet').waitFor()
  for (const text of [`ONEBOT_WS_URLS=["${endpoint}"]`, `endpoint: ${endpoint}`, `new WebSocket('${endpoint}')`])
    await page.locator('.snippet').filter({ hasText: text }).waitFor()
  const script = page.locator('.snippet').filter({ hasText: 'echo.mjs' })
  await script.getByRole('button', { name: 'Copy' }).click()
  await script.getByRole('button', { name: 'Copied' }).waitFor()
  // What is to be copied works.
  const source = String(await page.evaluate('navigator.clipboard.readText()'))
  const echo = Bun.spawn([process.execPath, '-e', source], { stdout: 'ignore', stderr: 'ignore' })
  try {
    await page.getByText(/^connected: /).waitFor()
    await page.getByLabel('Message', { exact: true }).fill('ping')
    await page.keyboard.press('Enter')
    await page.locator('.message.bot').getByText('echo: ping').waitFor()
  } finally {
    echo.kill()
    await echo.exited
  }
  await page.getByText('no bot program is connected yet').waitFor()
  expect(it.complaints).toEqual([])
})
