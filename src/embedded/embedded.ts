// Runs a bot's own implementation: found or fetched, set up, started, minded, and dialled for as long as it lives.

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../broker/status.ts'
import { Backoff } from '../lib/backoff.ts'
import type { Host } from '../runtime/host.ts'
import type { Kind, OutputFact, Reader, Settings, Wanted } from './kind.ts'
import { freePort } from './port.ts'
import { Supervisor, type SupervisorFact } from './supervisor.ts'

export interface EmbeddedOptions {
  /** The bot's name, for facts. */
  readonly bot: string
  /** Asked once; from then on it is that one. */
  readonly kind: () => Promise<Kind>
  /** Its working directory: settings, keys and pictures are there. */
  readonly cwd: string
  readonly pidFile: string
  /** Asked anew before each start. */
  readonly wanted: () => Wanted
  readonly spawn: Host['spawn']
  /** Whether a person at a terminal may type to it. */
  readonly stdin: 'inherit' | 'ignore'
  /** Resolves with the program, found or fetched. Rejects with what to do about it. */
  readonly program: (kind: Kind, signal: AbortSignal, progress: (what: string) => void) => Promise<string>
  /** Keeps a connection to it, for the bot. */
  readonly dial: (kind: Kind, at: { url: string; token: string }) => { stop(): Promise<void> }
  readonly report: Report
}

/** What it sees of ours: all but our own settings, among which there are tokens; and .NET paints only where told to. */
const ENVIRONMENT: Record<string, string> = {
  DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION: process.stdout.isTTY === true ? '1' : '0',
  ...Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('PERPETUA_') ? [] : [[name, value]],
    ),
  ),
}

/** Pauses (ms) after a program that could not be had: a network that is not up yet soon is, a wrong setting takes longer. */
const PATIENCE = { first: 10_000, most: 600_000, stable: 0 }

export class Embedded {
  readonly #options: EmbeddedOptions
  readonly #supervisor: Supervisor
  readonly #stopped = new AbortController()
  #kind: Kind | undefined
  #reader: Reader = () => []
  #settings: Settings | undefined
  #dialled: { stop(): Promise<void> } | undefined
  #work: Promise<void> = Promise.resolve()
  /** The program is there, and its supervisor knows better what it does. */
  #ready = false
  /** When the run of now began (ms since 1970). */
  #since = Date.now()

  constructor(options: EmbeddedOptions) {
    this.#options = options
    this.#supervisor = new Supervisor({
      spawn: options.spawn,
      stdin: options.stdin,
      pidFile: options.pidFile,
      program: () => this.#prepare(),
      line: (text) => this.#said(text),
      report: (fact) => this.#supervised(fact),
    })
  }

  start(): void {
    this.#work = this.#run()
  }

  /** An open connection to it means that it has logged in. */
  connected(): void {
    this.#supervisor.mark('running')
  }

  /** Resolves once the old one has ended; one at a time. */
  restart(): Promise<void> {
    return this.#supervisor.restart()
  }

  /** What clients show where the config says nothing: the token that the user gave the program; '' when there is none. */
  get clientToken(): string {
    return this.#settings?.userToken ?? ''
  }

  /** For the operator. */
  status() {
    const state = this.#ready ? this.#supervisor.state : { state: 'starting', since: this.#since }
    return { kind: this.#kind?.name ?? null, url: this.#settings?.url ?? null, ...state }
  }

  /** The picture of the QR code to scan; undefined while none is waited for. */
  async qrcode(): Promise<Uint8Array | undefined> {
    if (this.#supervisor.state.state !== 'waiting-for-login') return undefined
    const file = await this.#kind?.qrcode(this.#options.cwd, this.#since)
    return file === undefined ? undefined : await readFile(file).catch(() => undefined)
  }

  /** The end is near: what ends now by itself (a Ctrl-C reaches it, too) is not started again. */
  windDown(): void {
    this.#stopped.abort()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await Promise.all([this.#work, this.#dialled?.stop(), this.#supervisor.stop()])
  }

  /** Until the program is there; from then on the supervisor minds it. */
  async #run(): Promise<void> {
    const { bot, report } = this.#options
    const { signal } = this.#stopped
    const backoff = new Backoff(PATIENCE)
    while (!signal.aborted)
      try {
        await this.#located()
        if (signal.aborted) return
        this.#supervisor.start()
        this.#ready = true
        return
      } catch (error) {
        if (signal.aborted) return
        const inMs = backoff.next()
        report({ kind: 'embedded-failed', bot, why: error instanceof Error ? error.message : String(error), inMs })
        await sleep(inMs, undefined, { signal }).catch(() => undefined) // woken early to end
      }
  }

  async #located(): Promise<string> {
    const { bot, program, report } = this.#options
    return program(await this.#chosen(), this.#stopped.signal, (what) =>
      report({ kind: 'embedded-progress', bot, what }),
    )
  }

  async #chosen(): Promise<Kind> {
    this.#kind ??= await this.#options.kind()
    return this.#kind
  }

  /** Before each start, and after what an earlier gateway left has ended: it may still have had the port. */
  async #prepare(): Promise<{ command: string; args: string[]; cwd: string; env: Record<string, string> }> {
    const { bot, cwd, wanted, report } = this.#options
    this.#stopped.signal.throwIfAborted()
    const command = await this.#located()
    const kind = await this.#chosen()
    const settings = await kind.settings(cwd, wanted(), freePort)
    const notes = settings.notes.filter((note) => !this.#settings?.notes.includes(note))
    if (settings.changed || notes.length > 0) report({ kind: 'embedded-settings', bot, file: settings.file, notes })
    await this.#listensAt(kind, settings)
    this.#reader = kind.reader()
    this.#since = Date.now()
    return { command, args: [], cwd, env: ENVIRONMENT }
  }

  /** Its settings may have been edited between two runs. */
  async #listensAt(kind: Kind, settings: Settings): Promise<void> {
    const before = this.#settings
    this.#settings = settings
    if (before?.url === settings.url && before.token === settings.token) return
    await this.#dialled?.stop()
    if (!this.#stopped.signal.aborted) this.#dialled = this.#options.dial(kind, settings)
  }

  #said(text: string): void {
    for (const fact of this.#reader(text)) this.#heard(fact, text)
  }

  #heard(fact: OutputFact, raw: string): void {
    const { bot, report } = this.#options
    switch (fact.kind) {
      case 'qr':
        this.#supervisor.mark('waiting-for-login')
        return report({ kind: 'embedded-qr', bot, text: fact.text })
      case 'qr-expired':
        return report({ kind: 'embedded-qr-expired', bot, why: fact.why })
      case 'logged-in':
        return report({ kind: 'embedded-logged-in', bot, account: fact.account })
      case 'login-failed':
        return report({ kind: 'embedded-login-failed', bot, why: fact.why })
      case 'level':
        return report({ kind: 'embedded-output', bot, level: fact.level, text: fact.text, raw })
      default:
        return fact satisfies never
    }
  }

  #supervised(fact: SupervisorFact): void {
    const { bot, report } = this.#options
    switch (fact.kind) {
      case 'started':
        return report({ kind: 'embedded-started', bot, pid: fact.pid })
      case 'exited':
        return report({ kind: 'embedded-exited', bot, how: fact.how, inMs: fact.inMs })
      case 'given-up':
        return report({ kind: 'embedded-given-up', bot, why: fact.why, output: fact.output })
      case 'ended':
        return report({ kind: 'embedded-ended', bot, how: fact.how })
      case 'stubborn':
        return report({
          kind: 'embedded-trouble',
          bot,
          what: `it did not end within ${fact.afterMs} ms: killed`,
          pid: fact.pid,
        })
      case 'left-over':
        return report({
          kind: 'embedded-trouble',
          bot,
          what: 'one that an earlier gateway left is ended first',
          pid: fact.pid,
        })
      case 'unnoted':
        return report({ kind: 'embedded-trouble', bot, what: `it cannot be noted down: ${fact.why}`, pid: fact.pid })
      default:
        return fact satisfies never
    }
  }
}
