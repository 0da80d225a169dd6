// Runs every check, several at a time, says which failed and how, and ends with one line that counts the tests.
// `bun scripts/verify.ts node` runs every story on Node instead.

import { availableParallelism } from 'node:os'
import { type Check, endAll, type Outcome, run } from './verify/check.ts'
import { runAll } from './verify/pool.ts'

const BIN = 'node_modules/.bin'
const BUN = process.execPath

const GUARDS: Check[] = [
  { name: 'types', command: [`${BIN}/tsc`, '--noEmit'] },
  { name: 'lint', command: [`${BIN}/biome`, 'ci', '.'] },
  { name: 'unused', command: [BUN, `${BIN}/knip`] },
  { name: 'layers', command: [BUN, 'scripts/check-layers.ts'] },
  { name: 'spec', command: [BUN, 'scripts/check-spec.ts'] },
  { name: 'docs', command: [BUN, 'scripts/check-docs.ts'] },
  { name: 'milky', command: [BUN, 'scripts/check-milky.ts'] },
  { name: 'build', command: [BUN, 'scripts/build.ts', '--pack'] },
]

/** Stories that are told over Milky, too: those that say most in a minute. All of test/e2e can be run so. */
const OVER_MILKY = [
  ...['smoke', 'lifecycle', 'failover', 'forward', 'reverse', 'actions', 'pools', 'resume', 'restart', 'upstream-loss'],
  ...['limits', 'guests', 'reload', 'status', 'mended-upstream', 'metrics', 'hostile'],
].map((name) => `test/e2e/${name}.test.ts`)

/**
 * Stories that are told on Node, too: those that hang most on sockets, frames and processes. It reads its TypeScript anew
 * at each start, so that all of them take as long as everything else together: ci.yml tells those beside.
 */
const ON_NODE = [
  ...['smoke', 'hostile', 'hostile-http', 'forward', 'reverse', 'fanout', 'churn', 'lifecycle', 'limits', 'refusals'],
  ...['restart', 'secrets', 'upstream-loss', 'embedded-milky'],
].map((name) => `test/e2e/${name}.test.ts`)

/** Far more than any test takes (ms), also on a busy machine: one that hangs shall end. */
const PATIENCE = '240000'

/** Those that take the longest, on Deno and Node most of all: begun first, they are over when all the others are. */
const FIRST = [
  'test/e2e/failover.test.ts',
  'test/page/dashboard.test.ts',
  'test/docs/docs.test.ts',
  'test/e2e/resume.test.ts',
  'test/e2e/reverse.test.ts',
  'test/page/login.test.ts',
  'test/e2e/mended-upstream.test.ts',
  'test/e2e/durable.test.ts',
  'test/e2e/hostile.test.ts',
  'test/e2e/fanout.test.ts',
  'test/e2e/embedded.test.ts',
  'test/e2e/hostile-http.test.ts',
  'test/e2e/forward.test.ts',
  'test/e2e/restart.test.ts',
  'test/cli/running.test.ts',
  'test/ship/doctor.test.ts',
  'test/e2e/mended-delivery.test.ts',
  'test/docs/site.test.ts',
  'test/cli/start.test.ts',
  'test/e2e/discovery.test.ts',
  'test/e2e/actions.test.ts',
  'test/e2e/guests.test.ts',
  'test/e2e/tap.test.ts',
  'test/runtimes/host.test.ts',
]

/** Each file in a process of its own: what one leaves behind is nobody else's trouble. */
const files = [...new Bun.Glob('test/**/*.test.ts').scanSync()].toSorted()
const gone = [...FIRST, ...OVER_MILKY, ...ON_NODE].find((file) => !files.includes(file))
if (gone !== undefined) throw new Error(`FIRST, OVER_MILKY, ON_NODE: found ${gone}, wanted a file that is there`)
const interop = files.filter((file) => file.startsWith('test/interop/'))
const stories = [...files.filter((file) => file.startsWith('test/e2e/')), ...interop]
const tests = (file: string, where = '', more: Partial<Check> = {}): Check => ({
  name: `${file}${where}`,
  command: [BUN, 'test', '--timeout', PATIENCE, `./${file}`],
  ...more,
})
const binary = { env: { PERPETUA_BIN: 'dist/perpetua' }, after: 'build' }
const onNode = (file: string) => tests(file, ' on Node', { env: { PERPETUA_RUNTIME: 'node' } })
const whole = [
  ...stories.map((file) => tests(file, ' on Deno', { env: { PERPETUA_RUNTIME: 'deno' } })),
  ...OVER_MILKY.map((file) => tests(file, ' over Milky', { env: { PERPETUA_UPSTREAM: 'milky' } })),
  ...files.map((file) => tests(file)),
  ...[...ON_NODE, ...interop].map(onNode),
  ...['test/e2e/smoke.test.ts', 'test/ship/packed.test.ts'].map((file) => tests(file, ' of the binary', binary)),
]
const urgency = ({ command }: Check) => {
  const place = FIRST.findIndex((file) => command.includes(`./${file}`))
  return place < 0 ? FIRST.length : place
}

// Tests wait more than they work.
const slots = availableParallelism() + 2
const outcomes: Outcome[] = []
const asked = process.argv.slice(2).join(' ')
if (asked !== '' && asked !== 'node') {
  console.log(`verify.ts: found ${asked}, wanted nothing (everything) or node; a file alone: bun test FILE`)
  finish(1)
}
const [guards, all] = asked === 'node' ? [[], stories.map(onNode)] : [GUARDS, whole]
const checks = [...guards, ...all.toSorted((a, b) => urgency(a) - urgency(b))]
// They are groups of their own, whom nobody else tells that this is over.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    endAll()
    console.log(`\nended by ${signal}: not everything was run`)
    finish(1)
  })
await runAll(checks, { slots, run, over: tell })
const failures = outcomes.filter(({ trouble }) => trouble !== undefined)

const slow = outcomes.flatMap(({ name, slow: some }) => some.map((one) => ({ name, ...one })))
if (slow.length > 0) console.log('\n── what took long')
for (const { name, test, seconds } of slow.toSorted((a, b) => b.seconds - a.seconds))
  console.log(`${time(seconds)}  ${name}: ${test}`)
// Once more, where whoever looks for them looks: logs are long, and get cut in the middle.
for (const failure of failures) tellTrouble(failure)
finish()

/** The last line, and what the shell is told. @param more failures that no check has told of. */
function finish(more = 0): never {
  const sum = (of: 'passed' | 'failed') => outcomes.reduce((total, outcome) => total + outcome[of], 0)
  const failed = sum('failed') + more
  console.log(`\n${sum('passed')} passed, ${failed} failed`)
  process.exit(failed === 0 ? 0 : 1)
}

function tell(outcome: Outcome): void {
  outcomes.push(outcome)
  const { name, seconds, passed, failed, skipped, trouble } = outcome
  const counts = [
    `${passed} passed`,
    failed > 0 && `${failed} failed`,
    skipped.length > 0 && `${skipped.length} skipped`,
  ]
  console.log(
    `${time(seconds)}  ${trouble === undefined ? 'ok' : 'FAILED'}  ${name}: ${counts.filter(Boolean).join(', ')}`,
  )
  for (const test of skipped) console.log(`         skipped: ${test}`)
  if (trouble !== undefined) tellTrouble(outcome)
}

function tellTrouble({ name, trouble }: Outcome): void {
  console.log(`\n── FAILED: ${name}\n${trouble}\n`)
}

function time(seconds: number): string {
  return `${seconds.toFixed(1)} s`.padStart(8)
}
