// The page as it is served, and the door in front of it.

import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { WORDS } from '../../page/dictionary.ts'
import { ADMIN } from '../support/admin.ts'
import { browse, executable, tab } from '../support/browser.ts'
import { knock } from '../support/knock.ts'
import { testbed } from '../support/testbed.ts'
import { link, sandbox, watched } from './bed.ts'

let browser: Browser
beforeAll(async () => {
  if (executable !== undefined) browser = await browse()
})
afterAll(() => browser?.close())
const seen = test.skipIf(executable === undefined)

const KEPT = 'JSON.stringify([sessionStorage, localStorage])'

test('[DSH1] the page is one small file, and what the gateway serves is what page/ says now', () => {
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, 'scripts/page.ts', '--check'])
  expect([exitCode, stderr.toString()]).toEqual([0, ''])
})

test('[DSH2] the page is for everybody, tells nothing, and lets nothing run but itself', async () => {
  await using bed = await testbed({ config: { http: { 'access-token': 'client' } }, bot: { selfId: 20002 } })
  const { address } = bed.gateway
  const packed = await knock(address, '/', { 'accept-encoding': 'br, gzip', host: 'evil.example' })
  expect(packed.status).toBe(200)
  expect(packed.head).toContain('content-encoding: gzip')
  for (const encoding of ['', 'br', 'gzip;q=0', 'gzip; q=0.0, br'])
    expect((await knock(address, '/', { 'accept-encoding': encoding })).head).not.toContain('content-encoding')
  const answer = await fetch(`${address}/`)
  const html = await answer.text()
  expect([ADMIN, '20002', 'client_token'].filter((secret) => html.includes(secret))).toEqual([])
  const policy = answer.headers.get('content-security-policy')?.split('; ') ?? []
  const [script, style] = ['script', 'style'].map((tag) => {
    const [, inside = ''] = new RegExp(`<${tag}[^>]*>([\\s\\S]*)</${tag}>`).exec(html) ?? []
    return `'sha256-${new Bun.CryptoHasher('sha256').update(inside).digest('base64')}'`
  })
  expect(policy).toEqual([
    "default-src 'none'",
    `script-src ${script}`,
    `style-src ${style}`,
    "connect-src 'self'",
    'img-src data: blob:',
    'media-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ])
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
  })
  const etag = answer.headers.get('etag') ?? ''
  const again = await fetch(`${address}/`, { headers: { 'If-None-Match': etag } })
  expect([again.status, await again.text()]).toEqual([304, ''])
  expect(gunzipSync(await (await rawly(address)).bytes()).toString()).toBe(html)
})

/** Packed as it is. */
const rawly = (address: string) =>
  fetch(`${address}/`, { decompress: false, headers: { 'Accept-Encoding': 'gzip' } } as RequestInit)

seen('[DSH3] a door asks for the token; it is kept in the tab, in the browser only where asked', async () => {
  await using gateway = await watched({})
  await using it = await tab(browser)
  const { page } = it
  const enter = async (token: string) => {
    await page.getByLabel('Admin token').fill(token)
    await page.getByRole('button', { name: 'Enter' }).click()
  }
  await page.goto(`${gateway.address}/`)
  await page.getByRole('heading', { name: 'Admin token needed' }).waitFor()
  await enter('')
  await page.getByText('Paste the token first.').waitFor()
  await enter('wrong')
  await page.getByText('wrong admin token').waitFor()
  expect(await page.evaluate(KEPT)).not.toContain('wrong')
  await enter(` ${ADMIN} `)
  await page.getByRole('heading', { name: 'Bots' }).waitFor()
  const kept = (where: string) => page.evaluate(`JSON.stringify({ ...${where} })`)
  expect(await kept('sessionStorage')).toContain(ADMIN)
  expect(await kept('localStorage')).not.toContain(ADMIN)
  await page.reload()
  await page.getByRole('heading', { name: 'Bots' }).waitFor()
  await page.getByRole('button', { name: 'Log out' }).click()
  expect(await page.evaluate(KEPT)).not.toContain(ADMIN)
  await page.getByLabel('Remember it in this browser').check()
  await enter(ADMIN)
  await page.getByRole('heading', { name: 'Bots' }).waitFor()
  expect(await kept('localStorage')).toContain(ADMIN)
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('heading', { name: 'Admin token needed' }).waitFor()
  expect(await page.evaluate(KEPT)).not.toContain(ADMIN)
  // Two refusals were asked for, and browsers tell of those; nothing else may go wrong.
  expect(it.complaints.filter((text) => !/status of 40[13]/.test(text))).toEqual([])
})

seen('[DSH4] a link with the token opens the page; the token leaves the address, and goes into no other', async () => {
  await using bed = await sandbox()
  const { address } = bed.gateway
  for (const brought of [link(address), `${address}/?token=${ADMIN}`, link(address, '/sandbox')]) {
    await using it = await tab(browser)
    await it.page.goto(brought)
    await it.page.getByRole('heading', { name: /Bots|What people do/ }).waitFor()
    expect(it.page.url()).not.toContain(ADMIN)
    const [, ...others] = it.asked
    expect(others.length).toBeGreaterThan(2)
    expect(others.filter((url) => url.includes(ADMIN))).toEqual([])
    expect(
      others.filter((url) => !url.startsWith(address) && !url.startsWith('data:') && !url.startsWith('blob:')),
    ).toEqual([])
    await it.page.goBack().catch(() => undefined)
    expect(it.page.url()).not.toContain(ADMIN)
    expect(it.complaints).toEqual([])
  }
})

test('[DSH12] every word that the pages say is there in both languages', () => {
  const known = new Map(Object.entries(WORDS))
  const files = [...new Bun.Glob('page/*.{ts,tsx}').scanSync('.')].map((file) => readFileSync(file, 'utf8')).join('\n')
  const said = [...files.matchAll(/\bt\('([\w-]+)'/g)].map(([, key = '']) => key)
  expect(said.length).toBeGreaterThan(100)
  expect(said.filter((key) => !known.has(key))).toEqual([])
  const families = [...files.matchAll(/\bt\(`([\w-]+-)\$/g)].map(([, prefix = '']) => prefix)
  expect(families.filter((prefix) => ![...known.keys()].some((key) => key.startsWith(prefix)))).toEqual([])
  // Who says nothing in Chinese has forgotten it.
  const untranslated = [...known].filter(([, [, zh = '']]) => !/\p{Script=Han}/u.test(zh)).map(([key]) => key)
  expect(untranslated).toEqual(['otherLang', 'otherLanguage'])
  const unused = [...known.keys()].filter(
    (key) => !said.includes(key) && !families.some((prefix) => key.startsWith(prefix)) && !files.includes(`'${key}'`),
  )
  expect(unused).toEqual([])
})
