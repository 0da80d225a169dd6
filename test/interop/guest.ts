// Runs a program that is built on somebody else's package, and hears what it tells.

import { join } from 'node:path'
import { Inbox } from '../contract/witness.ts'

const ROOT = join(import.meta.dir, '../..')

/** Nothing that could lead a package astray: no proxies, no options for Node. */
const ENV = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LANG: 'C.UTF-8' }

export interface Told {
  fact: string
  [detail: string]: unknown
}

export class Guest implements AsyncDisposable {
  readonly #child: Bun.Subprocess<'pipe', 'pipe', 'pipe'>
  readonly #facts = new Inbox<Told>()
  readonly #over: Promise<number>
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
      this.#facts.push({ fact: 'over', code })
      return code
    })
  }

  /** The next fact of this name; others that come before are passed over. */
  async tells(fact: string, wanted: (told: Told) => boolean = () => true): Promise<Told> {
    for (;;) {
      const told = await this.#facts.take()
      if (told.fact === fact && wanted(told)) return told
      if (told.fact === 'over') throw new Error(`guest: ended with ${told['code']} before "${fact}":\n${this.#said}`)
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
    }
  }
}
