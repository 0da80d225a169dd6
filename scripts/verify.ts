// Runs every check in turn, says which failed, and ends with one line that counts the tests.

export {}

const BIN = 'node_modules/.bin'

interface Check {
  name: string
  command: string[]
  env?: Record<string, string>
}

/** The same stories, told by the program under another runtime or from the binary. */
const checks: Check[] = [
  { name: 'types', command: [`${BIN}/tsc`, '--noEmit'] },
  { name: 'lint', command: [`${BIN}/biome`, 'ci', '.'] },
  { name: 'unused', command: [process.execPath, `${BIN}/knip`] },
  { name: 'layers', command: [process.execPath, 'scripts/check-layers.ts'] },
  { name: 'spec', command: [process.execPath, 'scripts/check-spec.ts'] },
  { name: 'docs', command: [process.execPath, 'scripts/check-docs.ts'] },
  { name: 'tests', command: [process.execPath, 'test', '--timeout', '60000'] },
  {
    name: 'deno',
    command: [process.execPath, 'test', '--timeout', '60000', 'test/e2e/', 'test/interop/'],
    env: { PERPETUA_RUNTIME: 'deno' },
  },
  {
    name: 'node',
    command: [process.execPath, 'test', '--timeout', '60000', 'test/e2e/smoke.test.ts'],
    env: { PERPETUA_RUNTIME: 'node' },
  },
  { name: 'build', command: [process.execPath, 'scripts/build.ts'] },
  {
    name: 'binary',
    command: [process.execPath, 'test', '--timeout', '60000', 'test/e2e/smoke.test.ts'],
    env: { PERPETUA_BIN: 'dist/perpetua' },
  },
]

let passed = 0
let failed = 0
for (const { name, command, env } of checks) {
  const began = performance.now()
  console.log(`\n── ${name}: ${command.join(' ').replace(process.execPath, 'bun')}`)
  const run = Bun.spawn(command, { env: { ...process.env, ...env }, stdout: 'pipe', stderr: 'pipe', stdin: 'ignore' })
  const outputs = await Promise.all([passOn(run.stdout, process.stdout), passOn(run.stderr, process.stderr)])
  const ok = (await run.exited) === 0
  const counts = command.includes('test') ? testCounts(outputs.join('\n')) : undefined
  passed += counts?.passed ?? (ok ? 1 : 0)
  // A runner that died counts as one failure even when no test of it failed.
  failed += Math.max(counts?.failed ?? 0, ok ? 0 : 1)
  console.log(`── ${name}: ${ok ? 'ok' : 'FAILED'} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

async function passOn(from: ReadableStream<Uint8Array>, to: NodeJS.WriteStream): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of from) {
    to.write(chunk)
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

function testCounts(output: string): { passed: number; failed: number } {
  const count = (word: string) => Number(new RegExp(`^\\s*(\\d+) ${word}$`, 'm').exec(output)?.[1] ?? 0)
  return { passed: count('pass'), failed: count('fail') }
}
