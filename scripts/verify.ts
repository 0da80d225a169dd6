// Runs every check, says which failed, and ends with one line that counts the tests.

export {}

const BIN = 'node_modules/.bin'
const TEST = [process.execPath, 'test', '--timeout', '60000']

interface Check {
  name: string
  command: string[]
  env?: Record<string, string>
}

interface Outcome {
  passed: number
  failed: number
}

/** Those that say most in a minute; all of test/e2e can be run so. */
const OVER_MILKY = [
  ...['smoke', 'lifecycle', 'failover', 'forward', 'reverse', 'actions', 'pools', 'resume', 'restart', 'upstream-loss'],
  ...['limits', 'guests', 'reload', 'status', 'mended-upstream', 'metrics', 'hostile'],
].map((name) => `test/e2e/${name}.test.ts`)

/** One stage after the other; the lanes of a stage side by side, the checks of a lane in turn. */
const STAGES: Check[][][] = [
  [
    [{ name: 'types', command: [`${BIN}/tsc`, '--noEmit'] }],
    [
      { name: 'lint', command: [`${BIN}/biome`, 'ci', '.'] },
      { name: 'unused', command: [process.execPath, `${BIN}/knip`] },
      { name: 'layers', command: [process.execPath, 'scripts/check-layers.ts'] },
      { name: 'spec', command: [process.execPath, 'scripts/check-spec.ts'] },
      { name: 'docs', command: [process.execPath, 'scripts/check-docs.ts'] },
      { name: 'milky', command: [process.execPath, 'scripts/check-milky.ts'] },
    ],
  ],
  // Stories wait more than they work.
  [
    [{ name: 'tests', command: TEST }],
    [
      { name: 'deno', command: [...TEST, 'test/e2e/', 'test/interop/'], env: { PERPETUA_RUNTIME: 'deno' } },
      { name: 'milky-e2e', command: [...TEST, ...OVER_MILKY], env: { PERPETUA_UPSTREAM: 'milky' } },
      { name: 'node', command: [...TEST, 'test/e2e/smoke.test.ts'], env: { PERPETUA_RUNTIME: 'node' } },
      { name: 'build', command: [process.execPath, 'scripts/build.ts', '--pack'] },
      {
        name: 'binary',
        command: [...TEST, 'test/e2e/smoke.test.ts', 'test/ship/packed.test.ts'],
        env: { PERPETUA_BIN: 'dist/perpetua' },
      },
    ],
  ],
]

const outcomes: Outcome[] = []
for (const lanes of STAGES) {
  // The first lane is heard as it speaks, the others when they are done: two at once cannot be read.
  const runs = lanes.map(async (checks, lane) => {
    for (const check of checks) outcomes.push(await run(check, lane === 0))
  })
  await Promise.all(runs)
}
const sum = (of: keyof Outcome) => outcomes.reduce((total, outcome) => total + outcome[of], 0)
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`)
process.exit(sum('failed') === 0 ? 0 : 1)

async function run({ name, command, env }: Check, live: boolean): Promise<Outcome> {
  const began = performance.now()
  const title = `\n── ${name}: ${command.join(' ').replace(process.execPath, 'bun')}`
  if (live) console.log(title)
  const child = Bun.spawn(command, { env: { ...process.env, ...env }, stdout: 'pipe', stderr: 'pipe', stdin: 'ignore' })
  const [out, err] = await Promise.all([read(child.stdout, live), read(child.stderr, live)])
  const ok = (await child.exited) === 0
  if (!live) console.log(`${title}\n${out}${err}`)
  console.log(`── ${name}: ${ok ? 'ok' : 'FAILED'} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
  const { passed, failed } = command.includes('test') ? testCounts(out + err) : { passed: ok ? 1 : 0, failed: 0 }
  // A runner that died counts as one failure even when no test of it failed.
  return { passed, failed: Math.max(failed, ok ? 0 : 1) }
}

async function read(from: ReadableStream<Uint8Array>, live: boolean): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of from) {
    if (live) process.stdout.write(chunk)
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

function testCounts(output: string): Outcome {
  const count = (word: string) => Number(new RegExp(`^\\s*(\\d+) ${word}$`, 'm').exec(output)?.[1] ?? 0)
  return { passed: count('pass'), failed: count('fail') }
}
