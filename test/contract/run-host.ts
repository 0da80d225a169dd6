// Runs the host contract as a plain script, for runtimes without bun:test: one line of JSON per case on stdout.

import { host } from '../../src/runtime/current.ts'
import { hostContract, perform, warmUp } from './host.ts'

console.log(JSON.stringify({ runtime: host.name }))
warmUp(host)

/** A fact that never comes fails its case, not the whole run. */
const LIMIT_MS = 60_000

function overdue(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(`not over after ${LIMIT_MS} ms`)), LIMIT_MS))
}

let failed = 0
for (const one of hostContract) {
  const error = await Promise.race([perform(one, host), overdue()]).then(
    () => undefined,
    (reason) => (reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)),
  )
  if (error !== undefined) failed++
  console.log(JSON.stringify({ name: one.name, error }))
}
process.exit(failed > 0 ? 1 : 0)
