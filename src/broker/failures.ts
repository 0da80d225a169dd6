// The last calls that failed, for who is to find out why and to send them again; what went well leaves nothing here.

import { Buffer } from 'node:buffer'
import { isRead, type Mode, outcomeOf, suffix } from '../onebot/action.ts'
import type { ActionFrame } from '../onebot/frame.ts'
import { type Fields, own } from '../onebot/object.ts'
import { type ActionError, RETCODE } from '../onebot/retcode.ts'
import { keyOf, type Taker } from './call.ts'
import type { Caller } from './caller.ts'
import { LIMITS } from './limits.ts'
import type { DurableCall } from './ports.ts'

/** What became of a call: it never went up, it was looked at and not done, or nobody knows whether it was done. */
export type FailedOutcome = 'not-sent' | 'failed' | 'unknown'

export interface FailedCall {
  readonly id: string
  readonly action: string
  readonly mode: Mode
  /** Who asked, by the name of then; both are undefined for calls of an earlier run. */
  readonly appId: string | undefined
  readonly client: string | undefined
  /** When it failed, and how long that took since it was asked (ms). */
  readonly time: number
  readonly ms: number
  readonly retcode: number
  readonly message: string
  outcome: FailedOutcome
  /** Characters of the frame. */
  readonly size: number
  /** The frame, with whatever echo; undefined: it was too long, or had to make room. */
  text: string | undefined
  /** It was sent again, then (ms), with this end; `retcode`: undefined while that is under way. */
  again: { readonly time: number; readonly retcode: number | undefined; readonly message: string } | undefined
}

interface Entry extends FailedCall {
  /** Who it is as far as fairness goes. */
  readonly key: string
}

export interface Failing {
  readonly action: string
  readonly mode: Mode
  /** '': it is not there any more. */
  readonly text: string
  readonly durable?: string | undefined
}

export interface Failed {
  readonly retcode: number
  readonly message: string
  readonly outcome: FailedOutcome
}

/** What implementations say of a failure is a line; some quote the whole message. */
const LONGEST_MESSAGE = 500

export class Failures {
  // Nobody who still looks at a list of an earlier run may send another call than the one that was meant.
  readonly #prefix = crypto.randomUUID().slice(0, 8)
  readonly #now: () => number
  /** The oldest first. */
  readonly #kept = new Map<string, Entry>()
  /** How many of each caller. */
  readonly #counts = new Map<string, number>()
  #count = 0
  #characters = 0
  #changes = 0
  #era = 0

  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#kept.size
  }
  /** Grows with every change. */
  get changes(): number {
    return this.#changes
  }

  /** Another one with each account. */
  get era(): number {
    return this.#era
  }

  /** The newest first. */
  all(): readonly FailedCall[] {
    return [...this.#kept.values()].reverse()
  }

  get(id: string): FailedCall | undefined {
    return this.#kept.get(id)
  }

  /** False: it is not there. */
  drop(id: string): boolean {
    const entry = this.#kept.get(id)
    if (entry === undefined) return false
    this.#remove(entry)
    return true
  }

  clear(): void {
    this.#kept.clear()
    this.#counts.clear()
    this.#characters = 0
    this.#changes += 1
    this.#era += 1
  }

  /** The call has failed for this one of those who asked. */
  add(call: Failing, taker: Taker, failed: Failed): void {
    const { caller, since, size } = taker
    // What we ask in our own name is nobody's to send again; who sends one again sees what came of it.
    if (caller === undefined ? call.durable === undefined : caller.watching === true) return
    const { action, mode, text } = call
    const { retcode, message } = failed
    const time = this.#now()
    const key = keyOf(taker)
    this.#makeRoom(key)
    this.#count += 1
    const entry: Entry = {
      id: `${this.#prefix}-${this.#count.toString(36)}`,
      action,
      mode,
      ...whoIs(caller),
      key,
      time,
      ms: time - since,
      retcode,
      message: cut(message),
      // A read can be asked again whatever became of it.
      outcome: failed.outcome === 'unknown' && isRead(action) ? 'failed' : failed.outcome,
      size,
      text: text === '' || text.length > LIMITS.failedFrame ? undefined : text,
      again: undefined,
    }
    this.#kept.set(entry.id, entry)
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    this.#characters += entry.text?.length ?? 0
    this.#changes += 1
    if (this.#characters > LIMITS.failedCharacters) this.#forgetFrames()
  }

  /** What was asked was not even tried. */
  refused(caller: Caller, { action, raw, echo }: ActionFrame, why: ActionError, since: number): void {
    const { base, mode } = suffix(action)
    const { retcode, message } = why
    const taker = { caller, echo, since, size: raw.length }
    this.add({ action: base, mode, text: raw }, taker, { retcode, message, outcome: 'not-sent' })
  }

  /** An earlier run sent it, and nobody knows what has become of it. */
  lost({ id, action, text, since }: DurableCall, message: string): void {
    const { code: retcode } = RETCODE['outcome-unknown']
    const taker = { caller: undefined, echo: undefined, since, size: text.length }
    this.add({ action, mode: 'async', text, durable: id }, taker, { retcode, message, outcome: 'unknown' })
  }

  /** It is sent again from now on. */
  sending(id: string): void {
    const entry = this.#kept.get(id)
    if (entry === undefined) return
    entry.again = { time: this.#now(), retcode: undefined, message: '' }
    this.#changes += 1
  }

  /** What has become of that; the same entry tells it. */
  sentAgain(id: string, reply: Fields): void {
    const entry = this.#kept.get(id)
    if (entry === undefined) return
    const retcode = retcodeIn(reply)
    entry.again = { time: this.#now(), retcode, message: cut(reasonIn(reply)) }
    // Once in doubt it stays in doubt.
    const doubtful = retcode !== RETCODE.unavailable.code && outcomeOf(reply) === 'failed'
    if (doubtful && !isRead(entry.action)) entry.outcome = 'unknown'
    this.#changes += 1
  }

  /** One whose calls fail by the thousand pushes out its own, and leaves half of the room to others. */
  #makeRoom(key: string): void {
    if (this.#kept.size < LIMITS.failedCalls) return
    const own = (this.#counts.get(key) ?? 0) >= LIMITS.failedCalls / 2
    for (const entry of this.#kept.values()) if (!own || entry.key === key) return this.#remove(entry)
  }

  #forgetFrames(): void {
    for (const entry of this.#kept.values()) {
      if (this.#characters <= LIMITS.failedCharacters) return
      this.#characters -= entry.text?.length ?? 0
      entry.text = undefined
    }
  }

  #remove(entry: Entry): void {
    const left = (this.#counts.get(entry.key) ?? 0) - 1
    if (left > 0) this.#counts.set(entry.key, left)
    else this.#counts.delete(entry.key)
    this.#kept.delete(entry.id)
    this.#characters -= entry.text?.length ?? 0
    this.#changes += 1
  }
}

/** By name where it has one; a bare HTTP call by the entry whose token it shows, or by its address. */
export function whoIs(caller: Caller | undefined): { appId: string | undefined; client: string | undefined } {
  const { session, key, terms } = caller ?? {}
  return { appId: session?.appId, client: session?.name ?? session?.appId ?? (terms?.client || key) }
}

/** What a failed reply says of its reason. */
function reasonIn(reply: Fields): string {
  for (const key of ['message', 'wording', 'msg']) {
    const said = own(reply, key)
    if (typeof said === 'string' && said !== '') return said
  }
  return ''
}

/** What the implementation has answered: it did not like it, or could not, and then nobody knows. */
export const failureIn = (reply: Fields): Failed => ({
  retcode: retcodeIn(reply),
  message: reasonIn(reply),
  outcome: outcomeOf(reply) === 'refused' ? 'failed' : 'unknown',
})

export function retcodeIn(reply: Fields): number {
  const said = own(reply, 'retcode')
  return typeof said === 'number' ? said : 0
}

/** A copy: a slice would keep the whole text. */
const cut = (text: string) =>
  text.length <= LONGEST_MESSAGE ? text : `${Buffer.from(text.slice(0, LONGEST_MESSAGE)).toString()}...`
