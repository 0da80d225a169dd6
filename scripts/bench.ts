// Measures the gateway against bare relays in one run, and prints a table with the targets; see docs/benchmarks.md.

import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { calls } from './bench/calls.ts'
import { catchUp } from './bench/catch-up.ts'
import { fanout } from './bench/fanout.ts'
import { commandOf } from './bench/gateway.ts'
import { growth } from './bench/growth.ts'
import { idle } from './bench/idle.ts'
import { lanes } from './bench/lanes.ts'
import { latency } from './bench/latency.ts'
import { milky } from './bench/milky.ts'
import { markdown, met, type Part, type Row, table } from './bench/rows.ts'
import { satori } from './bench/satori.ts'
import { simulator } from './bench/simulator.ts'
import { sqlite } from './bench/sqlite.ts'
import { start } from './bench/start.ts'
import { watched } from './bench/watched.ts'

const PARTS: Record<string, Part> = {
  ...{ start, calls, simulator, fanout, satori, milky, lanes, latency },
  ...{ sqlite, 'catch-up': catchUp, growth, watched, idle },
}
const BUILT = 'dist/perpetua'

const USAGE = `bun run bench [options] [${Object.keys(PARTS).join(' | ')} ...]

  --quick       a minute or two: fewer, shorter rounds, smaller crowds
  --json        the rows as JSON on stdout, progress on stderr
  --markdown    the table as docs/benchmarks.md has it
  --bin FILE    measure the executable file instead of the source
`

const { values, positionals } = arguments_()
if (process.platform !== 'linux') {
  console.error('bench: processor time and memory are read from /proc, which only Linux has')
  process.exit(2)
}
if (values.bin !== undefined && !existsSync(values.bin)) {
  console.error(`bench: ${values.bin} is not there; "bun run build" makes ${BUILT}`)
  process.exit(2)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.setMaxListeners(0)
const wanted = Object.entries(PARTS).filter(([name]) => positionals.length === 0 || positionals.includes(name))
const bench = {
  command: commandOf(values.bin),
  binary: values.bin ?? (wanted.some(([, part]) => part === start) ? await built() : undefined),
  quick: values.quick,
  say: (text: string) => console.error(`  ${text}`),
}
const rows: Row[] = []
for (const [, part] of wanted) for await (const row of part(bench)) rows.push(row)

if (values.json)
  console.log(JSON.stringify({ machine: machine(), rows: rows.map((row) => ({ ...row, ok: met(row) })) }))
else {
  const missed = rows.filter((row) => met(row) === false).length
  const shown = values.markdown ? markdown(rows) : table(rows)
  console.log(`${shown}\n\n${machine()}; ${missed === 0 ? 'all targets met' : `${missed} targets missed`}`)
}

function machine(): string {
  const [first] = cpus()
  return `${cpus().length} cores (${first?.model.trim()}), Bun ${Bun.version}`
}

/** Starts are measured from the executable file, too: from a fresh one. */
async function built(): Promise<string | undefined> {
  const build = Bun.spawn([process.execPath, 'scripts/build.ts'], { stdout: 'ignore', stderr: 'inherit' })
  return (await build.exited) === 0 ? BUILT : undefined
}

function arguments_() {
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        bin: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (parsed.values.help) {
      console.log(USAGE)
      process.exit()
    }
    const unknown = parsed.positionals.find((name) => !Object.hasOwn(PARTS, name))
    if (unknown === undefined) return parsed
    throw new Error(`no rows "${unknown}"`)
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exit(2)
  }
}
