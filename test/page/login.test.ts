// A login as somebody at a browser sees it: a program that perpetua runs waits for it, is scanned, and is online.

import { afterAll, beforeAll, expect, test } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { crc32, deflateSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { browse, executable, tab } from '../support/browser.ts'
import { folder } from '../support/folder.ts'
import { milkyStandIn } from '../support/milky-stand-in.ts'
import { program } from '../support/program.ts'
import { scan, standIn } from '../support/stand-in.ts'

let browser: Browser
beforeAll(async () => {
  if (executable !== undefined) browser = await browse()
})
afterAll(() => browser?.close())
const seen = test.skipIf(executable === undefined)

/** A picture of one row. */
function png(greys: readonly number[]): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    size.writeUInt32BE(data.length)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([size, body, sum])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(greys.length, 0)
  head.writeUInt32BE(1, 4)
  head[8] = 8
  const rows = deflateSync(Buffer.from([0, ...greys]))
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

/** The first row of the code that is shown; nothing as long as none is. */
const pixels = (page: Page) =>
  page.evaluate(`(() => {
    const image = document.querySelector('.login img')
    if (!image?.complete || image.naturalWidth === 0) return []
    const paper = Object.assign(document.createElement('canvas'), { width: image.naturalWidth, height: 1 }).getContext('2d')
    paper.drawImage(image, 0, 0)
    return [...paper.getImageData(0, 0, image.naturalWidth, 1).data].filter((_, at) => at % 4 === 0)
  })()`)

const KINDS = {
  'Lagrange.OneBot': { make: standIn, picture: 'qr-0.png', own: '', account: '10001' },
  'Lagrange.Milky': {
    make: milkyStandIn,
    picture: 'qrcode.png',
    own: ', account: 20002, sign-server-url: "https://sign.example.com/"',
    account: '20002',
  },
}

for (const [kind, { make, picture, own, account }] of Object.entries(KINDS))
  seen(`[DSH16] ${kind} waits for a login: its code is shown, renewed, and gone once somebody scanned it`, async () => {
    await using home = await folder()
    await make(home.at('config', kind, kind))
    await Bun.write(
      home.at('config', 'config.yml'),
      `ntqq-impl: {mode: embedded${own}}\nhttp: {port: 0}\nadmin: {token: admin}\nlog: {dir: ""}\n`,
    )
    await using running = program(['start'], { cwd: home.path, as: 'perpetua' })
    const [, address = ''] = await running.says(/started address=(\S+)/)
    await using it = await tab(browser)
    const { page } = it
    const card = page.locator('.card')
    await page.goto(`${address}/#token=admin`)
    await running.says(/[▄▀█]{5}/)
    await card.getByText('waiting-for-login').waitFor()
    await card.getByText('offline', { exact: true }).waitFor()
    const image = page.getByRole('img', { name: 'QR code to log in' })
    // One kind's stand-in draws nothing that a browser knows: each has one of ours, and later another.
    for (const width of [7, 9]) {
      const greys = Array.from({ length: width }, (_, at) => 20 * at + width)
      await writeFile(home.at('config', picture), png(greys))
      while (JSON.stringify(await pixels(page)) !== JSON.stringify(greys)) await page.waitForTimeout(50)
    }
    expect(await image.count()).toBe(1)
    await scan(home.at('config'))
    await card.getByText('online', { exact: true }).waitFor()
    await image.waitFor({ state: 'detached' })
    await card.getByText(account).first().waitFor()
    await card.getByText('running', { exact: true }).waitFor()
    expect((await fetch(`${address}/api/qrcode`, { headers: { Authorization: 'Bearer admin' } })).status).toBe(404)
    // Between the scan and the next status the page may ask for a code that is gone.
    expect(it.complaints.filter((text) => !/status of 404/.test(text))).toEqual([])
    // In order: a gateway that is killed leaves its program behind.
    running.signal('SIGTERM')
    await running.ended
  })
