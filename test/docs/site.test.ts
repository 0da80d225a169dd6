// The site of the docs in a browser, from a server that knows nothing but files.

import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { browse, executable, tab } from '../support/browser.ts'

const ROOT = join(import.meta.dir, '../..')
const DOCS = join(ROOT, 'docs')

let browser: Browser
let served: ReturnType<typeof Bun.spawn>
let address = ''

beforeAll(async () => {
  if (executable === undefined) return
  browser = await browse()
  const server = Bun.spawn([process.execPath, join(ROOT, 'scripts/site.ts'), '--port', '0'], { stdout: 'pipe' })
  served = server
  const { value } = await server.stdout.getReader().read()
  address = new TextDecoder().decode(value).trim()
})
afterAll(async () => {
  await browser?.close()
  served?.kill()
})
const seen = test.skipIf(executable === undefined)

seen('[DOC9] Chinese comes first, and a change of the language keeps the page', async () => {
  await using visit = await tab(browser)
  const { page } = visit
  await page.goto(address)
  await page.getByText('一个 QQ 号，多个客户端').waitFor()
  const language = () => page.evaluate('document.documentElement.lang')
  expect(await language()).toBe('zh-CN')
  const sidebar = page.locator('.sidebar-nav')
  await sidebar.getByRole('link', { name: '连接', exact: true }).click()
  await page.getByRole('heading', { name: '连接', exact: true }).waitFor()
  expect(await sidebar.getByRole('link', { name: 'Connecting' }).isVisible()).toBe(false)
  await sidebar.getByRole('link', { name: 'English', exact: true }).click()
  await page.getByRole('heading', { name: 'Connecting', exact: true }).waitFor()
  await sidebar.getByRole('link', { name: '中文', exact: true }).waitFor()
  expect(await language()).toBe('en')
  expect(await sidebar.getByRole('link', { name: 'Installing' }).isVisible()).toBe(true)
  await page.goBack()
  await page.getByRole('heading', { name: '连接', exact: true }).waitFor()
  expect(visit.complaints).toEqual([])
  expect(visit.asked.filter((asked) => !asked.startsWith(address))).toEqual([])
})

seen('[DOC9] every page stands without a complaint, and none is wider than a telephone', async () => {
  await using visit = await tab(browser, { viewport: { width: 360, height: 740 } })
  const { page } = visit
  await page.goto(address)
  await page.locator('.sidebar-nav a').first().waitFor({ state: 'attached' })
  const links = await page
    .locator('.sidebar-nav > ul > li > ul a')
    .evaluateAll((all) =>
      all.flatMap((link) => (link.closest('.app-sub-sidebar') === null ? [String((link as unknown as URL).href)] : [])),
    )
  expect(links.length).toBeGreaterThan(40)
  const wide: string[] = []
  for (const link of links) {
    await page.goto(link)
    // What site.js says when it is done with a page.
    await page.waitForFunction(
      (where) => document.documentElement.dataset['page'] === where,
      new URL(link).hash.slice(1).replace('/README', '/introduction.zh-CN'),
    )
    if (await page.evaluate('document.documentElement.scrollWidth > innerWidth')) wide.push(link)
  }
  expect(wide).toEqual([])
  expect(visit.complaints).toEqual([])
})

seen('[DOC9] code is copied by a button', async () => {
  await using visit = await tab(browser, { permissions: ['clipboard-read', 'clipboard-write'] })
  const { page } = visit
  await page.goto(`${address}#/troubleshooting`)
  await page.locator('pre', { hasText: 'perpetua doctor' }).getByRole('button', { name: 'Copy' }).click()
  await page.getByRole('button', { name: 'Copied' }).waitFor()
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe('perpetua doctor')
})

seen('[DOC9] a page that is not there says what to do, and so does the site opened as a file', async () => {
  await using visit = await tab(browser)
  const { page } = visit
  await page.goto(`${address}#/nowhere`)
  await page.getByText('没有这个页面 / No such page').first().waitFor()
  await page.getByRole('link', { name: 'introduction', exact: true }).click()
  await page.getByText('One QQ account, many clients').waitFor()
  await page.goto(pathToFileURL(join(DOCS, 'index.html')).href)
  await page.getByText('Serve the folder docs by any static web server').waitFor()
  await page.getByRole('link', { name: 'Introduction' }).waitFor()
})
