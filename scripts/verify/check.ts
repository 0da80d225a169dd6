// One check: a command that must succeed, run to its end, and what became of it.

import { readTests, type Tests } from './tests.ts'

export interface Check {
  readonly name: string
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The name of a check that must have succeeded before. */
  readonly after?: string
}

export interface Outcome extends Tests {
  readonly name: string
  readonly seconds: number
  /** What it said of its failure; absent: it succeeded. */
  readonly trouble?: string
}

/** Some ten times what the longest takes (ms): one that hangs shall end, and be named. */
const PATIENCE = 300_000

/** Windows has none. */
const GROUPS = process.platform !== 'win32'
const running = new Set<number>()

/** Ends everything that checks have started and that still runs. */
export function endAll(): void {
  for (const pid of running) end(pid)
}

function end(pid: number): void {
  running.delete(pid)
  if (!GROUPS) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left.
  }
}

export async function run({ name, command, env }: Check, patience = PATIENCE): Promise<Outcome> {
  const began = performance.now()
  const child = Bun.spawn([...command], {
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: patience,
    killSignal: 'SIGKILL',
    // With all that it starts it is a group of its own, which ends with it.
    detached: GROUPS,
  })
  running.add(child.pid)
  let said = ''
  let results = ''
  const listen = async (stream: ReadableStream<Uint8Array>, hear: (text: string) => void) => {
    const decoder = new TextDecoder()
    for await (const bytes of stream) hear(decoder.decode(bytes, { stream: true }))
  }
  const quiet = Promise.all([
    listen(child.stdout, (text) => {
      said += text
    }),
    // Where the runner of tests says how they went: what they write on the other stream does not get in between.
    listen(child.stderr, (text) => {
      said += text
      results += text
    }),
  ])
  const code = await child.exited
  end(child.pid)
  // What left the group may live on and hold the pipes.
  await Promise.race([quiet, Bun.sleep(10_000)])
  const seconds = (performance.now() - began) / 1_000
  const ok = code === 0 ? 1 : 0
  const tests = command.includes('test') ? readTests(results) : { passed: ok, failed: 0, skipped: [], slow: [] }
  const any = tests.passed + tests.skipped.length > 0
  if (code === 0 && tests.failed === 0 && any) return { name, seconds, ...tests }
  const how = child.signalCode === null ? `exit code ${code}` : `ended by ${child.signalCode}`
  // A runner that died, or had nothing to run, counts as one failure even when no test of it failed.
  return { name, seconds, ...tests, failed: Math.max(tests.failed, 1), trouble: `${trouble(said)}\n${how}` }
}

/** Lines that are kept of what a failed check said, at its beginning and at its end. */
const HEAD = 200
const TAIL = 100

/** What is worth reading again: not the tests that passed. */
function trouble(said: string): string {
  const lines = said
    .trim()
    .split('\n')
    .filter((line) => !/^\((?:pass|skip|todo)\) /.test(line))
  if (lines.length <= HEAD + TAIL) return lines.join('\n')
  const left = `... ${lines.length - HEAD - TAIL} lines left out ...`
  return [...lines.slice(0, HEAD), left, ...lines.slice(-TAIL)].join('\n')
}
