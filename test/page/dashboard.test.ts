// The dashboard in a real browser: what it shows of a gateway, and what it does to one.

import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { AGAIN, ONCE, STREAMS } from '../../scripts/bench/dashboard.ts'
import { operator } from '../support/admin.ts'
import { browse, executable, tab } from '../support/browser.ts'
import { Client } from '../support/client.ts'
import { folder } from '../support/folder.ts'
import { type Action, groupMessage, Implementation, ok } from '../support/implementation.ts'
import { ownPort } from '../support/port.ts'
import { program } from '../support/program.ts'
import { barriers, link, sandbox, twice, watched } from './bed.ts'

let browser: Browser
beforeAll(async () => {
  if (executable !== undefined) browser = await browse()
})
afterAll(() => browser?.close())
const seen = test.skipIf(executable === undefined)

const HOSTILE = '<img src=x onerror=alert(1)><script>alert(2)</script>"\'{{alert(3)}}'

async function stage() {
  const stack = new AsyncDisposableStack()
  const bot = stack.use(new Implementation({ answer: (frame) => ok(frame, {}) }))
  const gateway = stack.use(await watched({ 'ntqq-impl': { 'external-web-socket': bot.url } }))
  const open = async (path = '/', options = {}) => {
    const it = stack.use(await tab(browser, options))
    await it.page.goto(link(gateway.address, path))
    return it
  }
  const ws = gateway.address.replace('http', 'ws')
  const client = async (query: string) => stack.use(await Client.connect(`${ws}/onebot/v11/ws${query}`))
  await operator(gateway.address)
    .stream('/api/tap?kinds=status')
    .then(async (stream) => {
      await stream.next('status', ({ bots }) => (bots as { online: boolean }[])[0]?.online === true)
      await stream[Symbol.asyncDispose]()
    })
  return { bot, gateway, open, client, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })

seen('[DSH5] bots and clients are shown as they are, within a moment of every change', async () => {
  await using at = await stage()
  const { page, complaints } = await at.open()
  const card = page.locator('.card')
  await card.getByText('online', { exact: true }).waitFor()
  await card.getByText('10001').waitFor()
  await page.getByText('1.2.3').waitFor()
  await page.getByText('No client is connected.').waitFor()
  const alice = await at.client('?client_name=alice')
  await row(page, 'alice').getByText('live').waitFor()
  const speaking = setInterval(() => at.bot.send(groupMessage('hi')), 50)
  const rate = page.locator('td[data-label="events out"]').filter({ hasText: /[1-9].*\/s/ })
  await rate.waitFor().finally(() => clearInterval(speaking))
  await page.getByRole('img', { name: /^Events: / }).waitFor()
  await alice.close()
  await page.getByText('No client is connected.').waitFor()
  expect(complaints).toEqual([])
})

seen('[DSH6] clients are paused, resumed, renamed and, by two presses, disconnected', async () => {
  await using at = await stage()
  const alice = await at.client('?client_name=alice')
  const { page, complaints } = await at.open()
  const press = (name: string, whom = 'alice') => row(page, whom).getByRole('button', { name, exact: true }).click()
  await press('Pause')
  await row(page, 'alice').getByText('paused').waitFor()
  await press('Resume')
  await row(page, 'alice').getByText('live').waitFor()
  await press('Rename')
  await page.getByLabel('New name').fill(HOSTILE.slice(0, 30))
  await page.locator('form').getByRole('button', { name: 'Rename' }).click()
  await page.locator('.notices').waitFor()
  await press('Rename', 'live')
  await page.getByLabel('New name').fill('bob')
  await page.locator('form').getByRole('button', { name: 'Rename' }).click()
  await row(page, 'bob').waitFor()
  await twice(row(page, 'bob'), 'Kick')
  expect((await alice.closed).code).toBe(4012)
  await page.getByText('No client is connected.').waitFor()
  expect(complaints.filter((text) => !/status of 4\d\d/.test(text))).toEqual([])
})

seen('[DSH7] without a bot the page works, says since when and why, and shows when it is back', async () => {
  await using at = await stage()
  const { page, complaints } = await at.open()
  await page.locator('.card').getByText('online', { exact: true }).waitFor()
  await at.bot[Symbol.asyncDispose]()
  await page.locator('.card').getByText('offline', { exact: true }).waitFor()
  await page.getByText('offline for').waitFor()
  // It is set once the page has been drawn.
  while (!(await page.title()).startsWith('⚠')) await page.waitForTimeout(20)
  await page.locator('.card p.bad').waitFor()
  at.bot.start()
  await page.locator('.card').getByText('online', { exact: true }).waitFor()
  while ((await page.title()).includes('⚠')) await page.waitForTimeout(20)
  expect(complaints).toEqual([])
})

seen('[DSH8] where a login is waited for, the code to scan is shown', async () => {
  await using at = await stage()
  await using it = await tab(browser)
  const status = await operator(at.gateway.address).json<{ bots: object[] }>('/api/status')
  const bots = status.bots.map((bot) => ({ ...bot, embedded: { kind: 'lagrange', state: 'waiting-for-login' } }))
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  )
  await it.page.route('**/api/tap?kinds=status*', (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body: `event: status\ndata: ${JSON.stringify({ ...status, bots })}\n\n`,
    }),
  )
  await it.page.route('**/api/qrcode', (route) => route.fulfill({ contentType: 'image/png', body: png }))
  await it.page.goto(link(at.gateway.address))
  const picture = it.page.getByRole('img', { name: 'QR code to log in' })
  await picture.waitFor()
  expect(await picture.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(1)
  await it.page.getByText('scan this code with QQ').waitFor()
  expect(it.complaints).toEqual([])
})

seen('[DSH9] the tap shows what happens without texts until asked, filtered, and can be stopped', async () => {
  await using at = await stage()
  await at.client('?client_name=alice')
  const { page, complaints } = await at.open()
  const frames = page.locator('.frames .frame')
  const until = async (text: string, secret: string) => {
    // Until the stream is there what happens is not seen.
    while ((await frames.filter({ hasText: text }).count()) === 0) {
      at.bot.send(groupMessage(secret))
      await page.waitForTimeout(50)
    }
  }
  await until('message · group', 'hush hush')
  // By its key: under the mouse it may be moved by others that come.
  await frames.first().locator('summary').press('Enter')
  expect(await page.locator('#tap').textContent()).not.toContain('hush')
  // Others may have come before it meanwhile.
  expect(await page.locator('.frames .frame[open] pre').textContent()).toContain('(9 characters)')
  await page.getByLabel('texts of messages').check()
  await until('hush hush', 'hush hush')
  const asked = page.waitForRequest((request) => request.url().includes('text=needle'))
  await page.getByLabel('Text', { exact: true }).fill('needle')
  await asked
  await page.getByRole('button', { name: 'Clear' }).click()
  at.bot.send(groupMessage('hay'))
  await until('needle', 'a needle in it')
  expect(await page.locator('#tap .frames').textContent()).not.toContain('hay')
  await page.locator('#tap').getByRole('button', { name: 'Pause' }).click()
  await page.locator('#tap').getByRole('button', { name: 'Go on' }).waitFor()
  expect(complaints).toEqual([])
})

seen('[DSH10] log lines by level, failed calls, and a call of one’s own', async () => {
  await using at = await stage()
  const alice = await at.client('?client_name=alice')
  const { page, complaints } = await at.open()
  await page.locator('#log').getByText('client connected').waitFor()
  await page.getByLabel('Level').selectOption('error')
  await page.getByText('No such lines.').waitFor()
  await page.getByText('None. The last calls that failed').waitFor()
  await alice.call('set_client_name', {})
  await row(page, 'set_client_name').getByText('1400').waitFor()
  await page.getByText('Call an action').click()
  await page.locator('#calls').getByLabel('Action').fill('get_status')
  await page.getByRole('button', { name: 'Call', exact: true }).click()
  await page.locator('#calls pre').getByText('"status": "ok"').waitFor()
  expect(complaints).toEqual([])
})

/** Refuses what is told to a group, and does all else. */
const fussy = (frame: Action) =>
  frame.action === 'send_group_msg'
    ? JSON.stringify({ status: 'failed', retcode: 100, data: null, message: 'no such group', echo: frame.echo })
    : ok(frame, {})

seen(
  '[DSH19] calls that wait and calls that failed are listed as they come and go, without what was written',
  async () => {
    await using at = await stage()
    const alice = await at.client('?client_name=alice')
    const { page, complaints } = await at.open()
    const list = page.locator('#calls')
    await list.getByText('Calls that cannot go now stand here').waitFor()
    at.bot.answer = fussy
    await alice.call('send_group_msg', { group_id: 5, message: 'private words' })
    const failed = row(page, 'no such group')
    await failed.getByText('send_group_msg').waitFor()
    expect(await failed.getByRole('cell').first().textContent()).toMatch(/^\d\d:\d\d:\d\dafter \d+ ms$/)
    await failed.locator('summary').click()
    await failed.getByText('(13 characters)').first().waitFor()
    expect(await list.textContent()).not.toContain('private words')
    await page.getByLabel('Contents of calls').check()
    await failed.locator('pre').getByText('private words').waitFor()
    await at.bot[Symbol.asyncDispose]()
    await page.locator('.card').getByText('offline', { exact: true }).waitFor()
    const reply = alice.call('send_private_msg', { user_id: 5, message: 'later' })
    const held = row(page, 'send_private_msg')
    await held.getByText('implementation away').waitFor()
    await held.getByText(/^given up in \d+ s$/).waitFor()
    at.bot.start()
    expect(await reply).toMatchObject({ status: 'ok' })
    await list.getByText('Calls that cannot go now stand here').waitFor()
    expect(complaints).toEqual([])
  },
)

seen(
  '[DSH20] by two presses a call that failed is sent again, or one that waits is given up; what may happen twice says so',
  async () => {
    await using at = await stage()
    const alice = await at.client('?client_name=alice')
    const { page, complaints } = await at.open()
    at.bot.answer = fussy
    await alice.call('send_group_msg', { group_id: 5, message: 'hello' })
    // An answer by which the implementation says that it does not know itself.
    at.bot.answer = ({ echo }) => JSON.stringify({ status: 'failed', retcode: 1200, message: 'Timeout: NTEvent', echo })
    await alice.call('set_group_card', { group_id: 5 })
    const between = async () => {
      const again = row(page, 'no such group').getByText(/(?:failed|sent) again at/)
      expect(await again.count()).toBe(0)
    }
    await twice(row(page, 'no such group'), 'Send again', { between })
    await row(page, 'no such group')
      .getByText(/^failed again at/)
      .waitFor()
    await page.locator('.notices').getByText('Sent again, and failed: 1200 Timeout: NTEvent').waitFor()
    at.bot.answer = (frame) => ok(frame, {})
    await twice(row(page, 'set_group_card'), 'Send again', { sure: 'May happen twice. Sure?' })
    await row(page, 'set_group_card')
      .getByText(/^sent again at/)
      .waitFor()
    expect(await row(page, 'set_group_card').getByRole('button', { name: 'Send again' }).count()).toBe(0)
    await twice(row(page, 'set_group_card'), 'Remove')
    await row(page, 'set_group_card').waitFor({ state: 'detached' })
    await at.bot[Symbol.asyncDispose]()
    await page.locator('.card').getByText('offline', { exact: true }).waitFor()
    const reply = alice.call('send_private_msg', { user_id: 5, message: 'later' })
    await twice(row(page, 'send_private_msg'), 'Give up')
    expect(await reply).toMatchObject({ retcode: 1503, message: 'given up by the operator; the call was not sent' })
    await row(page, 'send_private_msg').getByText('It was not sent.').waitFor()
    expect(complaints).toEqual([])
  },
)

seen('[DSH11] also in calls that failed: actions, reasons and params that others chose', async () => {
  await using at = await stage()
  const alice = await at.client('?client_name=alice')
  const { page, complaints } = await at.open()
  at.bot.answer = ({ echo }) => JSON.stringify({ status: 'failed', retcode: 100, message: HOSTILE, echo })
  await alice.call(HOSTILE, { [HOSTILE]: HOSTILE, message: HOSTILE.repeat(50) })
  const failed = row(page, 'alert(1)')
  await page.getByLabel('Contents of calls').check()
  await failed.locator('summary').click()
  await failed.locator('pre').getByText('alert(3)').waitFor()
  const strange = 'document.querySelectorAll("#calls img, #calls script, iframe").length'
  expect(await page.evaluate(strange)).toBe(0)
  await page.setViewportSize({ width: 390, height: 844 })
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
  expect(complaints).toEqual([])
})

seen('[DSH11] what others chose to be called and to say is text, wherever it is shown', async () => {
  await using at = await stage()
  const { page, complaints } = await at.open()
  const name = encodeURIComponent('<img src=x onerror=alert(1)>')
  await at.client(`?client_name=${name}`).catch(() => undefined)
  await page.getByLabel('texts of messages').check()
  const frame = page.locator('.frames .frame').filter({ hasText: 'onerror' }).first()
  while ((await frame.count()) === 0) {
    at.bot.send(groupMessage(HOSTILE.replaceAll('"', '\\"')))
    await page.waitForTimeout(50)
  }
  await frame.locator('summary').press('Enter')
  // Others may have come before it meanwhile.
  await page.locator('.frames .frame[open] pre').getByText('onerror').waitFor()
  const strange =
    'document.querySelectorAll("img:not([src^=blob]):not([src^=data]), script:not([type=module]), iframe").length'
  expect(await page.evaluate(strange)).toBe(0)
  expect(complaints).toEqual([])
})

seen('[DSH13] languages and themes: the browser’s, until somebody chooses', async () => {
  await using at = await stage()
  const { page, complaints } = await at.open('/', { locale: 'zh-CN', colorScheme: 'dark' })
  const back = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
  await page.getByRole('heading', { name: '机器人' }).waitFor()
  expect(await page.evaluate('document.documentElement.lang')).toBe('zh-CN')
  const dark = await back()
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByRole('heading', { name: 'Bots' }).waitFor()
  await page.getByRole('button', { name: 'Theme: Auto' }).click()
  await page.getByRole('button', { name: 'Theme: Light' }).waitFor()
  expect(await back()).not.toBe(dark)
  await page.reload()
  await page.getByRole('heading', { name: 'Bots' }).waitFor()
  expect(await back()).not.toBe(dark)
  expect(complaints).toEqual([])
})

seen('[DSH14] on a phone nothing is cut off; nothing keeps out who uses a keyboard or a screen reader', async () => {
  await using at = await sandbox()
  await using client = await Client.connect(`${at.gateway.address.replace('http', 'ws')}/?client_name=somebody`)
  at.simulator.say({ text: 'hello' })
  await client.next((frame) => frame['post_type'] === 'message')
  await client.call('send_group_msg', { group_id: 1, message: 'to a group that is not there, with words enough' })
  for (const [path, colorScheme, locale] of [
    ['/', 'light', 'en-US'],
    ['/', 'dark', 'zh-CN'],
    ['/sandbox', 'light', 'zh-CN'],
    ['/sandbox', 'dark', 'en-US'],
  ] as const)
    for (const viewport of [
      { width: 390, height: 844 },
      { width: 1280, height: 900 },
    ]) {
      await using it = await tab(browser, { colorScheme, locale, viewport })
      await it.page.goto(link(at.gateway.address, path))
      await it.page.getByText('somebody').first().waitFor()
      if (path === '/') await it.page.getByRole('button', { name: /Send again|重新发送/ }).waitFor()
      expect(await it.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(viewport.width)
      expect({ path, colorScheme, found: await barriers(it.page) }).toEqual({ path, colorScheme, found: [] })
      expect(it.complaints).toEqual([])
    }
})

seen(
  '[DSH15] the config without secrets, and a candidate judged as it is typed; a gateway that was gone is found again',
  async () => {
    await using place = await folder()
    const text = `admin: {token: page-admin}\nhttp: {port: ${ownPort()}, access-token: hush}\nntqq-impl: {mode: reverse}\nlog: {dir: ''}\n`
    await Bun.write(place.at('config.yml'), text)
    const start = () => program(['start', '--config', place.at('config.yml')], { cwd: place.path, as: 'perpetua' })
    const first = start()
    const [, address = ''] = await first.says(/started address=(\S+)/)
    await using it = await tab(browser)
    const { page } = it
    await page.goto(`${address}/#token=page-admin`)
    const field = page.locator('#config textarea')
    await field.waitFor()
    expect(await page.locator('#config').textContent()).not.toContain('hush')
    expect(await field.inputValue()).not.toContain('hush')
    await field.fill('http: {port: 70000}\n')
    await page.locator('#config-judged .bad').getByText('http.port').waitFor()
    await field.fill('http: {port: 8088}\n')
    await page.getByText('This could be the file.').waitFor()
    await page.getByRole('button', { name: 'Reload the file' }).click()
    await page.getByText('The file was read and applied.').waitFor()
    first.signal('SIGTERM')
    await first.ended
    await page.getByText('The gateway does not answer').waitFor()
    await using second = start()
    await second.says(/started/)
    await page.getByText('The gateway does not answer').waitFor({ state: 'detached' })
    expect(it.complaints.filter((complaint) => !/ERR_|Failed to load/.test(complaint))).toEqual([])
    second.signal('SIGTERM')
    await second.ended
  },
)

seen('[DSH17] the dashboards of the bench ask for what the page asks for', async () => {
  await using at = await stage()
  const { page, asked } = await at.open()
  const api = () =>
    asked.map((url) => decodeURIComponent(url.replace(at.gateway.address, ''))).filter((path) => /^\/api/.test(path))
  await page.locator('#tap').waitFor()
  const wanted = [...STREAMS, ...ONCE, AGAIN.path]
  // Until it has asked for some of it again, it may ask for more.
  while (api().filter((path) => path === AGAIN.path).length < 2) await page.waitForTimeout(50)
  expect([...new Set(api())].toSorted()).toEqual(wanted.toSorted())
  for (const path of STREAMS) expect(api().filter((one) => one === path)).toHaveLength(1)
})
