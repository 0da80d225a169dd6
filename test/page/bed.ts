// A gateway that a browser looks at, with an implementation or a simulated QQ behind it.

import axe from 'axe-core'
import type { Locator, Page } from 'playwright-core'
import { type GatewayOptions, startGateway } from '../../src/app.ts'
import { type ConfigInput, configOf } from '../../src/config/schema.ts'
import { openLog } from '../../src/observe/log.ts'
import { Recent } from '../../src/observe/recent.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { ADMIN } from '../support/admin.ts'
import { EAGER } from '../support/gateway.ts'

export async function watched(input: ConfigInput, options: Partial<GatewayOptions> = {}) {
  const config = configOf({
    ...input,
    http: { port: 0, ...input.http },
    admin: { token: ADMIN },
    log: { dir: '', level: 'info' },
  })
  const recent = new Recent()
  const screen = { write: () => undefined }
  const log = openLog(config.log, { heard: (line) => recent.add(line), stdout: screen, stderr: screen })
  return await startGateway({ config, log, recent, patience: EAGER, version: '1.2.3', ...options })
}

/** As `perpetua sandbox` runs it; `apart`: as `perpetua simulate` beside a gateway that is told only its address. */
export async function sandbox({ apart = false, version = '1.2.3' } = {}) {
  const stack = new AsyncDisposableStack()
  const simulator = stack.use(await startSimulator({ heartbeat: 1_000 }))
  const steered = { version, ...(!apart && { simulator: `${simulator.address}/simulator` }) }
  const gateway = stack.use(await watched({ 'ntqq-impl': { 'external-web-socket': simulator.url } }, steered))
  await simulator.linked()
  return { simulator, gateway, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

export const link = (address: string, path = '/'): string => `${address}${path}#token=${ADMIN}`

export interface Presses {
  /** What the button says then. */
  sure?: string
  between?: () => Promise<void>
}

/** Presses a button in there, and what it becomes; anew where a slow machine lets the time for that pass. */
export async function twice(within: Locator, label: string, { sure = 'Sure?', between }: Presses = {}): Promise<void> {
  const button = (name: string) => within.getByRole('button', { name, exact: true })
  for (let done = false; !done; ) {
    await button(label).press('Enter')
    await between?.()
    // It waits for four seconds.
    done = await button(sure)
      .press('Enter', { timeout: 3_000 })
      .then(
        () => true,
        () => false,
      )
  }
}

/** What would keep people out: findings of axe that are serious or worse, by rule and place. */
export async function barriers(page: Page): Promise<string[]> {
  // As the debugger, which the page's policy does not bind.
  await page.evaluate(axe.source)
  const found = await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target + ' ' + failureSummary)))`)
  return found as string[] // as it was just built
}
