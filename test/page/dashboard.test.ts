// The dashboard in a real browser: what it shows of a gateway, and what it does to one.

import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { operator } from '../support/admin.ts'
import { browse, executable, tab } from '../support/browser.ts'
import { Client } from '../support/client.ts'
import { folder } from '../support/folder.ts'
import { groupMessage, Implementation, ok } from '../support/implementation.ts'
import { ownPort } from '../support/port.ts'
import { program } from '../support/program.ts'
import { barriers, link, sandbox, watched } from './bed.ts'

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
  const began = performance.now()
  await row(page, 'alice').getByText('live').waitFor()
  expect(performance.now() - began).toBeLessThan(5_000)
  for (let n = 0; n < 20; n++) at.bot.send(groupMessage(`hi ${n}`))
  await page
    .locator('td[data-label="events out"]')
    .filter({ hasText: /[1-9].*\/s/ })
    .waitFor()
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
  await press('Kick', 'bob')
  await row(page, 'bob').getByRole('button', { name: 'Sure?' }).click()
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
  expect(await page.title()).toStartWith('⚠')
  await page.locator('.card p.bad').waitFor()
  at.bot.start()
  await page.locator('.card').getByText('online', { exact: true }).waitFor()
  expect(await page.title()).not.toContain('⚠')
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
  expect(await page.locator('.frames pre').textContent()).toContain('(9 characters)')
  await page.getByLabel('texts of messages').check()
  await until('hush hush', 'hush hush')
  await page.getByLabel('Text', { exact: true }).fill('needle')
  await page.waitForRequest((request) => request.url().includes('text=needle'))
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
  await page.getByText('None.').waitFor()
  const failed = page.locator('#calls tbody tr')
  while ((await failed.count()) === 0) {
    await alice.call('get_client', { app_id: 'nobody' })
    await alice.call('set_client_name', {})
    await page.waitForTimeout(100)
  }
  await failed.first().getByText('set_client_name').waitFor()
  await page.getByText('Call an action').click()
  await page.locator('#calls').getByLabel('Action').fill('get_status')
  await page.getByRole('button', { name: 'Call', exact: true }).click()
  await page.locator('#calls pre').getByText('"status": "ok"').waitFor()
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
  await page.locator('.frames pre').getByText('onerror').waitFor()
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
