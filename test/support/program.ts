// Runs perpetua as a process of its own and listens to what it says.

import { join, resolve } from 'node:path'

export interface Ended {
  code: number
  stdout: string
  stderr: string
}

export interface Program extends AsyncDisposable {
  readonly pid: number
  /** Everything said so far, on both streams. */
  readonly output: string
  /** Resolves when the output matches; rejects when the program ends before. */
  says(pattern: RegExp): Promise<RegExpMatchArray>
  signal(name: NodeJS.Signals): void
  /** Presses keys; only on a terminal. */
  types(keys: string): void
  /** Closes the terminal's window. */
  hangUp(): void
  readonly ended: Promise<Ended>
}

export interface ProgramOptions {
  cwd: string
  env?: Record<string, string>
  /** Path in the repository. Default: the real entry. */
  entry?: string
  /** The program as PERPETUA_BIN and PERPETUA_RUNTIME want it, in the place of `entry`. Default: Bun and the entry. */
  as?: 'perpetua'
  /** A program that is there already, in the place of both. */
  file?: string
  /** A terminal for all three streams: everything said counts as stdout then. */
  terminal?: boolean
}

const ROOT = join(import.meta.dir, '../..')
/** Nothing of the tester's own settings. */
const CLEAN = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(PERPETUA_.*|NO_COLOR|FORCE_COLOR|CI)$/.test(name)),
)

/** Deno itself: its launcher is a process of its own, which signals would stop at. */
function deno(): string {
  const [file] = new Bun.Glob('node_modules/@deno/*/deno{,.exe}').scanSync({ cwd: ROOT })
  if (file === undefined) throw new Error('program: no Deno in node_modules/@deno; install the packages first')
  return join(ROOT, file)
}

/** The command that is the whole program. */
function perpetua(): string[] {
  const { PERPETUA_BIN: binary, PERPETUA_RUNTIME: runtime = 'bun' } = process.env
  const main = join(ROOT, 'src/main.ts')
  if (binary !== undefined) return [resolve(ROOT, binary)]
  if (runtime === 'deno') return [deno(), 'run', '-A', '--node-modules-dir=manual', '--no-check', main]
  return runtime === 'node' ? [join(ROOT, 'node_modules/.bin/node'), main] : [process.execPath, main]
}

export function program(words: string[], options: ProgramOptions): Program {
  const { cwd, env = {}, entry = 'src/main.ts', terminal = false, as, file } = options
  const said = { stdout: '', stderr: '', all: '' }
  let heard = Promise.withResolvers<void>()
  const listen = (name: 'stdout' | 'stderr', text: string) => {
    said[name] += text
    said.all += text
    heard.resolve()
    heard = Promise.withResolvers()
  }
  const collect = async (name: 'stdout' | 'stderr', stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const bytes of stream) listen(name, decoder.decode(bytes, { stream: true }))
  }
  const own = as === 'perpetua' ? perpetua() : [process.execPath, join(ROOT, entry)]
  const command = [...(file === undefined ? own : [file]), ...words]
  const common = { cwd, env: { ...CLEAN, ...env } }
  const decoder = new TextDecoder()
  const child = terminal
    ? Bun.spawn(command, {
        ...common,
        terminal: { data: (_terminal, bytes) => listen('stdout', decoder.decode(bytes, { stream: true })) },
      })
    : Bun.spawn(command, { ...common, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })

  const streams = (['stdout', 'stderr'] as const).map((name) => {
    const stream = child[name]
    return stream instanceof ReadableStream ? collect(name, stream) : undefined
  })
  let over = false
  // A grandchild that lives on may hold the pipes: what was said is said soon after the end, or never.
  const quiet = Promise.race([Promise.all(streams), child.exited.then(() => Bun.sleep(2_000))])
  const ended = Promise.all([child.exited, quiet]).then(([code]) => {
    over = true
    heard.resolve()
    return { code, stdout: said.stdout, stderr: said.stderr }
  })
  return {
    pid: child.pid,
    get output() {
      return said.all
    },
    async says(pattern) {
      for (;;) {
        const match = said.all.match(pattern)
        if (match) return match
        if (over) throw new Error(`program: ended without saying ${pattern}:\n${said.all}`)
        await heard.promise
      }
    },
    signal: (name) => child.kill(name),
    types: (keys) => child.terminal?.write(keys),
    hangUp: () => child.terminal?.close(),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
