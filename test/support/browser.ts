// A real browser for tests of the pages, where the machine has one; and a page that must not complain.

import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const PLACES = [
  process.env['CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Undefined: the machine has none, and what needs one is skipped. */
export const executable = PLACES.find((place) => place !== '' && existsSync(place))
if (executable === undefined) console.log('not run here: there is no Chromium for pages to be tried in')

/** A busy machine has its time: shorter than a test may take (ms), so that it is said what was waited for. */
const PATIENCE = 180_000

// Root, as containers are, gets no sandbox.
export const browse = (): Promise<Browser> =>
  chromium.launch({
    ...(executable && { executablePath: executable }),
    ...{ args: ['--no-sandbox'], timeout: PATIENCE },
  })

export interface Tab extends AsyncDisposable {
  readonly page: Page
  /** What it wrote to its console as an error, and what was thrown. */
  readonly complaints: string[]
  /** Addresses that it asked for, whole. */
  readonly asked: string[]
}

/** A tab with storage of its own. */
export async function tab(browser: Browser, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ locale: 'en-US', colorScheme: 'light', ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE)
  const complaints: string[] = []
  const asked: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => asked.push(request.url()))
  return { page, complaints, asked, [Symbol.asyncDispose]: () => context.close() }
}
