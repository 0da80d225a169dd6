// Runs a program that is built on somebody else's package, and hears what it tells.

import { join } from 'node:path'

const ROOT = join(import.meta.dir, '../..')

/** Nothing that could lead a package astray: no proxies, no options for Node. */
const ENV = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LANG: 'C.UTF-8' }

export interface Told {
  fact: string
  [detail: string]: unknown
}

export class Guest implements AsyncDisposable {
  readonly #child: Bun.Subprocess<'pipe', 'pipe', 'pipe'>
  readonly #facts: Told[] = []
  readonly #over: Promise<number>
  #news = Promise.withResolvers<void>()
  #code: number | undefined
  #said = ''

  /** Under Node, where all of these packages live. */
  constructor(name: string, settings: Record<string, string>) {
    this.#child = Bun.spawn(
      [
        join(ROOT, 'node_modules/.bin/node'),
        '--disable-warning=ExperimentalWarning',
        join(import.meta.dir, 'programs', `${name}.ts`),
        JSON.stringify(settings),
      ],
      { cwd: ROOT, env: ENV, stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' },
    )
    const heard = Promise.all([this.#listen(this.#child.stdout), this.#listen(this.#child.stderr)])
    this.#over = Promise.all([this.#child.exited, heard]).then(([code]) => {
      this.#code = code
      this.#tell()
      return code
    })
  }

  /** The oldest fact of this name that nobody has asked for yet: programs tell some in an order of their own. */
  async tells(fact: string, wanted: (told: Told) => boolean = () => true): Promise<Told> {
    for (;;) {
      const index = this.#facts.findIndex((told) => told.fact === fact && wanted(told))
      const [told] = index < 0 ? [] : this.#facts.splice(index, 1)
      if (told !== undefined) return told
      if (this.#code !== undefined) throw new Error(`guest: ended with ${this.#code} before "${fact}":\n${this.#said}`)
      await this.#news.promise
    }
  }

  /** Ends it in its own way. Resolves with its exit code. */
  async leave(): Promise<number> {
    this.#child.stdin.end()
    return this.#over
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#over
  }

  async #listen(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const bytes of stream) {
      const text = decoder.decode(bytes, { stream: true })
      this.#said += text
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.startsWith('{"fact":')) this.#facts.push(JSON.parse(line))
      this.#tell()
    }
  }

  #tell(): void {
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }
}
