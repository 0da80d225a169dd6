// Processes of the bench that answer questions: one side starts a script and asks it, the other side answers.

import { join } from 'node:path'

/** What a script can be asked: a function per question. */
// biome-ignore lint/suspicious/noExplicitAny: only `any` lets handlers of every signature in; each call is typed by `Ask`.
type Handlers = Record<string, (...input: any[]) => unknown>

export interface Child<H extends Handlers> extends AsyncDisposable {
  readonly pid: number
  ask<K extends keyof H & string>(what: K, ...input: Parameters<H[K]>): Promise<Awaited<ReturnType<H[K]>>>
  kill(signal?: NodeJS.Signals): Promise<void>
}

interface Question {
  id: number
  what: string
  input: unknown[]
}

interface Answer {
  id: number
  value?: unknown
  error?: string
}

/** 10,000 clients need as many files. */
const FILES = 20_000

/** A shell raises the limit of open files as far as it may, and becomes the program. */
export const withFiles = (command: string[]) => [
  'sh',
  '-c',
  `ulimit -n ${FILES} 2>/dev/null || ulimit -n $(ulimit -Hn) 2>/dev/null; exec "$@"`,
  'sh',
  ...command,
]

export function child<H extends Handlers>(script: string, args: string[] = []): Child<H> {
  const open = new Map<number, PromiseWithResolvers<unknown>>()
  let count = 0
  const process_ = Bun.spawn(withFiles([process.execPath, join(import.meta.dir, script), ...args]), {
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    ipc({ id, value, error }: Answer) {
      const question = open.get(id)
      open.delete(id)
      if (error === undefined) question?.resolve(value)
      else question?.reject(new Error(`${script}: ${error}`))
    },
    onExit(_process, code, signal) {
      for (const { reject } of open.values()) reject(new Error(`${script}: ended with ${signal ?? code}`))
      open.clear()
    },
  })
  endsWithUs(process_)
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    process_.kill(signal)
    await process_.exited
  }
  return {
    pid: process_.pid,
    ask(what, ...input) {
      const id = ++count
      const question = Promise.withResolvers<unknown>()
      open.set(id, question)
      process_.send({ id, what, input } satisfies Question)
      return question.promise as ReturnType<Child<H>['ask']> // what the handler of that name returned
    },
    kill,
    [Symbol.asyncDispose]: () => kill(),
  }
}

/** Nothing that was started stays behind, however this process ends (but by SIGKILL). */
export function endsWithUs(started: { kill(signal: NodeJS.Signals): void }): void {
  process.once('exit', () => started.kill('SIGKILL'))
}

/** Answers until whoever asks is gone. */
export function answer<H extends Handlers>(handlers: H): H {
  process.on('message', async ({ id, what, input }: Question) => {
    try {
      process.send?.({ id, value: await handlers[what]?.(...input) } satisfies Answer)
    } catch (error) {
      process.send?.({ id, error: String(error) } satisfies Answer)
    }
  })
  process.on('disconnect', () => process.exit())
  return handlers
}
