// Makes the pictures of the pages that the docs show, from the running pages: docs/images/dashboard*.png and sandbox*.png.

import { join } from 'node:path'
import type { Page } from 'playwright-core'
import manifest from '../package.json' with { type: 'json' }
import { link, sandbox } from '../test/page/bed.ts'
import { browse, tab } from '../test/support/browser.ts'
import { Client } from '../test/support/client.ts'

const FOLDER = join(import.meta.dir, '../docs/images')
const GROUP = 123_456_789
/** Milliseconds: curves need something to show. */
const BUSY = 20_000
const FEW = 4_000
const VIEWPORT = { width: 1280, height: 860 }

await using browser = await browse()
await using bed = await sandbox({ version: manifest.version })
const { address } = bed.gateway
const clients = await Promise.all(['nonebot', 'koishi', 'minecraft-bridge'].map(connected))
const [bot] = clients
const talk = setInterval(() => {
  bed.simulator.say({ text: '今天天气怎么样？' })
  for (const client of clients) void client.call('get_group_info', { group_id: GROUP, no_cache: true })
}, 150)
await Bun.sleep(BUSY)
// To a group that is not there.
await bot?.call('send_group_msg', { group_id: 1, message: '早上好' })
await dashboard('en-US', 'light', 'dashboard.png')
await dashboard('zh-CN', 'dark', 'dashboard.zh-CN.png')
clearInterval(talk)
await chat('en-US', 'light', 'sandbox.png')
await chat('zh-CN', 'dark', 'sandbox.zh-CN.png')
for (const client of clients) await client[Symbol.asyncDispose]()

function connected(name: string): Promise<Client> {
  return Client.connect(`${address.replace('http', 'ws')}/onebot/v11/ws?client_name=${name}`)
}

async function dashboard(locale: string, colorScheme: 'light' | 'dark', file: string): Promise<void> {
  await using it = await tab(browser, { locale, colorScheme, viewport: { ...VIEWPORT, height: 1_430 } })
  await it.page.goto(link(address))
  await it.page.locator('td .badge').first().waitFor()
  await Bun.sleep(FEW)
  await it.page.locator('#charts select').selectOption('300')
  await pictured(it.page, file)
}

async function chat(locale: string, colorScheme: 'light' | 'dark', file: string): Promise<void> {
  await using it = await tab(browser, { locale, colorScheme, viewport: VIEWPORT })
  await it.page.goto(link(address, '/sandbox'))
  await it.page.locator('.start .badge').waitFor()
  // A place where nobody has spoken yet.
  await it.page
    .locator('.places button')
    .nth(locale === 'en-US' ? 1 : 2)
    .click()
  await it.page.locator('.compose textarea').fill('/weather 杭州')
  await it.page.keyboard.press('Enter')
  const heard = await bot?.next((frame) => frame['raw_message'] === '/weather 杭州')
  await bot?.call('send_group_msg', {
    group_id: heard?.['group_id'],
    message: [
      { type: 'reply', data: { id: String(heard?.['message_id']) } },
      { type: 'at', data: { qq: String(heard?.['user_id']) } },
      { type: 'text', data: { text: ' 杭州：多云转晴，18 ~ 26 ℃' } },
      { type: 'share', data: { url: 'https://example.com/', title: '一周天气', content: 'example.com' } },
    ],
  })
  await it.page.locator('.message.bot').waitFor()
  await pictured(it.page, file)
}

async function pictured(page: Page, file: string): Promise<void> {
  await page.screenshot({ path: join(FOLDER, file) })
  console.log(file)
}
