// Keeps one process running: starts it, starts it again when it ends, gives up in the end, and ends it when asked.

import { setTimeout as sleep } from 'node:timers/promises'
import { Backoff, type Patience } from '../lib/backoff.ts'
import type { Child, Ending, Host, SpawnOptions } from '../runtime/host.ts'
import { Lines } from './lines.ts'
import { PidFile } from './pid-file.ts'

export type From = 'stdout' | 'stderr'

/** Times are milliseconds since 1970. */
export type SupervisorState = { since: number } & Stateful

type Stateful =
  /** `why`: it was given up, and what to do. */
  | { state: 'stopped'; why?: string }
  /** `pid`: as soon as there is a process. */
  | { state: 'starting'; pid?: number }
  | { state: 'waiting-for-login'; pid: number }
  | { state: 'running'; pid: number }
  | { state: 'stopping'; pid: number }
  | { state: 'backing-off'; until: number; tries: number; why: string }

export type SupervisorFact =
  | { kind: 'started'; pid: number }
  /** By itself, or it could not be started; it will be, in `inMs`. `tries`: failures in a row. */
  | { kind: 'exited'; how: string; inMs: number; tries: number }
  /** It keeps ending soon: nothing more is tried until somebody restarts it. `why` says what to do, `output` is its last. */
  | { kind: 'given-up'; why: string; output: readonly string[] }
  /** Because it was stopped or restarted. */
  | { kind: 'ended'; how: string }
  /** It did not end when asked to, so it is made to. */
  | { kind: 'stubborn'; pid: number; afterMs: number }
  /** A gateway that was killed left it running: it is ended now. */
  | { kind: 'left-over'; pid: number }
  /** Should the gateway be killed, this child will not be known at the next start. */
  | { kind: 'unnoted'; pid: number; why: string }

export interface SupervisorOptions {
  readonly spawn: Host['spawn']
  /** Asked before every start. Settles soon after the signal's abort; a rejection counts as a failed start. */
  readonly program: (signal: AbortSignal) => Promise<Pick<SpawnOptions, 'command' | 'args' | 'cwd' | 'env'>>
  readonly stdin: SpawnOptions['stdin']
  /** Each line as it came, colours and all, without its end; the rest of one beyond 4 KiB is cut off. */
  readonly line: (text: string, from: From) => void
  /** Called in the turn a fact becomes true; must not throw. */
  readonly report: (fact: SupervisorFact) => void
  readonly pidFile: string
  readonly patience?: Patience | undefined
  /** `most` ends in a row, each within so many milliseconds of its start, and it is given up. */
  readonly quick?: { readonly within: number; readonly most: number } | undefined
  /** From SIGTERM to SIGKILL (ms). */
  readonly graceMs?: number | undefined
}

const QUICK = { within: 30_000, most: 5 }
const GRACE_MS = 5_000
/** What it says without ending the line is a question, if nothing follows for this long (ms). */
const QUESTION_MS = 500
/** How many of its last lines are kept. */
const LAST_LINES = 20

export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions
  readonly #pidFile: PidFile
  readonly #quick: { readonly within: number; readonly most: number }
  #state: SupervisorState = { state: 'stopped', since: Date.now() }
  /** What somebody asked for last; `again`: to end what there is and start anew. */
  #wanted: 'run' | 'again' | 'stop' = 'stop'
  #startAfterStop = false
  /** All that is under way, from start to stop or giving up; there is one at a time, and so one process. */
  #work: Promise<void> | undefined
  /** Cuts short whatever is waited for at the moment. */
  #interrupt = new AbortController()
  #restarted: PromiseWithResolvers<void> | undefined
  #backoff: Backoff
  #quickEnds = 0
  #lastLines: string[] = []

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#pidFile = new PidFile(options.pidFile)
    this.#quick = options.quick ?? QUICK
    this.#backoff = new Backoff(options.patience)
  }

  get state(): SupervisorState {
    return this.#state
  }

  /** Without effect when it runs or is about to; while it is being stopped, it is started after that. */
  start(): void {
    if (this.#work === undefined) this.#work = this.#mind()
    else this.#startAfterStop = this.#wanted === 'stop'
  }

  /**
   * Ends it and starts it anew, at once though it was backing off or given up. Calls meanwhile share one restart.
   * Resolves when the new one runs, could not be started (then it is tried again), or is no longer wanted.
   * Without effect before `start` and after `stop`.
   */
  restart(): Promise<void> {
    if (this.#wanted === 'stop') return Promise.resolve()
    if (this.#restarted) return this.#restarted.promise
    this.#restarted = Promise.withResolvers()
    const { promise } = this.#restarted
    if (this.#work === undefined) this.start()
    // Otherwise it is just being started anyway.
    else if (this.#state.state !== 'starting' || this.#state.pid !== undefined) {
      this.#wanted = 'again'
      this.#interrupt.abort()
    }
    return promise
  }

  /** Resolves once nothing is left of it. */
  async stop(): Promise<void> {
    this.#wanted = 'stop'
    this.#startAfterStop = false
    this.#interrupt.abort()
    await this.#work
    // After giving up there was nothing to wait for.
    if (this.#work === undefined && this.#state.state === 'stopped') this.#become({ state: 'stopped' })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** What its output or an open port means. Without effect while there is no process, or while it is being ended. */
  mark(state: 'waiting-for-login' | 'running'): void {
    const now = this.#state
    if (now.state === state || now.state === 'stopped' || now.state === 'stopping' || now.state === 'backing-off')
      return
    if (now.pid === undefined) return
    this.#become({ state, pid: now.pid })
    // A script that was started may have become the program meanwhile.
    void this.#note(now.pid)
  }

  async #mind(): Promise<void> {
    this.#forgive()
    for (;;) {
      this.#wanted = 'run'
      this.#interrupt = new AbortController()
      const { signal } = this.#interrupt
      const end = await this.#live(signal)
      if (this.#asked() === 'run') {
        const pause = this.#judge(end)
        if (pause === undefined) return this.#leave()
        await sleep(pause, undefined, { signal }).catch(() => {}) // woken early by what somebody wants
      }
      if (this.#asked() === 'stop') {
        this.#become({ state: 'stopped' })
        return this.#leave()
      }
      if (this.#asked() === 'again') this.#forgive()
    }
  }

  /** By now; it may change while anything is awaited. */
  #asked(): 'run' | 'again' | 'stop' {
    return this.#wanted
  }

  #leave(): void {
    this.#work = undefined
    this.#settleRestart()
    if (!this.#startAfterStop) return
    this.#startAfterStop = false
    this.start()
  }

  /** One life of the process, from before its start until after its end. */
  async #live(signal: AbortSignal): Promise<{ how: string; lasted: number }> {
    const { report, line } = this.#options
    this.#become({ state: 'starting' })
    this.#lastLines = []
    const readers = {
      stdout: new Lines((text) => this.#said(text, 'stdout', line)),
      stderr: new Lines((text) => this.#said(text, 'stderr', line)),
    }
    const began = performance.now()
    let asked: ReturnType<typeof setTimeout> | undefined
    let child: Child
    try {
      child = await this.#launch(signal, (bytes, from) => {
        clearTimeout(asked)
        readers[from].push(bytes)
        asked = setTimeout(() => readers[from].end(), QUESTION_MS)
      })
    } catch (error) {
      return { how: error instanceof Error ? error.message : String(error), lasted: 0 }
    } finally {
      this.#settleRestart()
    }
    this.#backoff.opened()
    this.#become({ state: 'starting', pid: child.pid })
    report({ kind: 'started', pid: child.pid })
    void this.#note(child.pid)
    const how = spelled(await this.#ended(child, signal))
    clearTimeout(asked)
    for (const reader of Object.values(readers)) reader.end()
    this.#pidFile.clear()
    if (signal.aborted) report({ kind: 'ended', how })
    return { how, lasted: performance.now() - began }
  }

  async #launch(signal: AbortSignal, output: SpawnOptions['output']): Promise<Child> {
    const { spawn, program, stdin, report, graceMs = GRACE_MS } = this.#options
    await this.#pidFile.settle(graceMs, (pid) => report({ kind: 'left-over', pid }))
    signal.throwIfAborted()
    const command = await program(signal)
    signal.throwIfAborted()
    return spawn({ ...command, stdin, output })
  }

  /** Waits for its end, and brings it about once the signal says so. */
  async #ended(child: Child, signal: AbortSignal): Promise<Ending> {
    const { report, graceMs = GRACE_MS } = this.#options
    let timer: ReturnType<typeof setTimeout> | undefined
    const end = () => {
      this.#become({ state: 'stopping', pid: child.pid })
      child.kill('SIGTERM')
      timer = setTimeout(() => {
        report({ kind: 'stubborn', pid: child.pid, afterMs: graceMs })
        child.kill('SIGKILL')
      }, graceMs)
    }
    // Where nobody waits for us any more, at least it is told to end.
    const abandon = () => child.kill('SIGTERM')
    process.once('exit', abandon)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
    const ending = await child.exited
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    process.off('exit', abandon)
    return ending
  }

  async #note(pid: number): Promise<void> {
    const why = await this.#pidFile.note(pid)
    if (why !== undefined) this.#options.report({ kind: 'unnoted', pid, why })
  }

  #said(text: string, from: From, line: SupervisorOptions['line']): void {
    this.#lastLines.push(text)
    if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift()
    line(text, from)
  }

  /** After an end that nobody asked for: the pause (ms) before the next start, or undefined when it is given up. */
  #judge({ how, lasted }: { how: string; lasted: number }): number | undefined {
    const { within, most } = this.#quick
    this.#quickEnds = lasted < within ? this.#quickEnds + 1 : 0
    if (this.#quickEnds >= most) {
      const why =
        `it ended ${most} times in a row, each time within ${within / 1000} s of its start (the last time: ${how}); ` +
        'mend what its last lines complain about, then restart it'
      this.#become({ state: 'stopped', why })
      this.#options.report({ kind: 'given-up', why, output: this.#lastLines })
      return undefined
    }
    const inMs = this.#backoff.next()
    const { tries } = this.#backoff
    this.#become({ state: 'backing-off', until: Date.now() + inMs, tries, why: how })
    this.#options.report({ kind: 'exited', how, inMs, tries })
    return inMs
  }

  /** Somebody wants it: what failed before counts no more. */
  #forgive(): void {
    this.#backoff = new Backoff(this.#options.patience)
    this.#quickEnds = 0
  }

  #settleRestart(): void {
    this.#restarted?.resolve()
    this.#restarted = undefined
  }

  #become(state: Stateful): void {
    this.#state = { ...state, since: Date.now() }
  }
}

/** Windows's codes beyond a byte are known in hexadecimal: 0xc0000005, 0xe0434352 (an exception in .NET). */
export function spelled({ code, signal }: Ending): string {
  if (signal !== null || code === null) return `ended by ${signal ?? 'something unknown'}`
  return `exit code ${code >= 0 && code < 256 ? code : `0x${(code >>> 0).toString(16)}`}`
}
