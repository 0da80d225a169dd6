// Calls that outlive us: kept on disk until they are answered, sent at most once unless it is wanted otherwise.

import type { Mode } from '../onebot/action.ts'
import { type ActionFrame, actionText, paramsText, readAction } from '../onebot/frame.ts'
import { assign, without } from '../onebot/json-text.ts'
import type { Fields } from '../onebot/object.ts'
import { own } from '../onebot/object.ts'
import { ActionError, refuse } from '../onebot/retcode.ts'
import type { CallParts } from './call.ts'
import type { DurableCall, DurableStore } from './ports.ts'
import type { Report } from './status.ts'

export interface DurablesOptions {
  readonly bot: string
  /** Undefined: nothing is kept on disk. */
  readonly store: DurableStore | undefined
  readonly account: () => string | undefined
  readonly report: Report
  /** Nobody will ever know what has become of a call of an earlier run, for this reason. */
  readonly lost: (call: DurableCall, why: string) => void
}

export class Durables {
  readonly #options: DurablesOptions
  /** In hand: by id, what they ask for, and whether that they are sent is on disk. */
  readonly #inHand = new Map<string, { readonly action: string; noted: boolean }>()
  /** What is on disk for this account is in hand. */
  #recalled = false

  constructor(options: DurablesOptions) {
    this.#options = options
  }

  /** On disk when it returns. @throws ActionError where that cannot be. */
  keep(frame: ActionFrame, action: string, since: number): { id: string; text: string } {
    const { store, account, bot, report } = this.#options
    if (store === undefined)
      return refuse('bad-request', 'params.durable: nothing is kept on disk here; set journal.persist: true to use it')
    const text = plainText(frame, action)
    try {
      const id = store.add({ account: account(), action, text, since })
      this.#inHand.set(id, { action, noted: false })
      report({ kind: 'durable-queued', bot, id, action })
      return { id, text }
    } catch (error) {
      report({ kind: 'durable-trouble', bot, why: String(error) })
      if (error instanceof ActionError) throw error
      throw new ActionError('unavailable', `it cannot be kept on disk, and was not sent: ${error}`, { cause: error })
    }
  }

  /** It is about to be sent. False: the disk does not take it, so it must not be. */
  mark(id: string): boolean {
    const { store, bot, report } = this.#options
    const call = this.#inHand.get(id)
    if (call === undefined || store === undefined) return false
    if (call.noted) return true
    if (!this.#tried(() => store.sent(id))) return false
    call.noted = true
    report({ kind: 'durable-sent', bot, id, action: call.action })
    return true
  }

  /** The implementation has answered. */
  done(id: string, retcode: number): void {
    const { bot, report } = this.#options
    const action = this.#over(id)
    if (action !== undefined) report({ kind: 'durable-done', bot, id, action, retcode })
  }

  /** It was sent, and nobody will ever know whether it was carried out. */
  unknown(id: string, why: string): void {
    const { bot, report } = this.#options
    const action = this.#over(id)
    if (action !== undefined) report({ kind: 'durable-unknown', bot, id, action, why })
  }

  /**
   * Those of this account that are on disk and not in hand; they are now. Of earlier ones that were sent already only
   * where `always`; the others are done with.
   */
  recall(always: boolean, token: () => string): CallParts[] {
    const { store, account } = this.#options
    const self = account()
    if (store === undefined || self === undefined || this.#recalled) return []
    const found: DurableCall[] = []
    this.#recalled = this.#tried(() => {
      for (const call of store.waiting())
        if ((call.account === undefined || call.account === self) && !this.#inHand.has(call.id)) found.push(call)
    })
    for (const { id, action, state } of found) this.#inHand.set(id, { action, noted: state === 'sent' })
    return found.flatMap((call) => this.#recalledAs(call, always, token()))
  }

  #recalledAs(call: DurableCall, always: boolean, token: string): CallParts[] {
    const { id, action, text, state, since } = call
    const frame = sendable(text, token)
    if (frame === undefined) this.unknown(id, 'what was kept is no action any more')
    else if (state === 'queued' || always) {
      const begun = state === 'sent'
      return [{ ...frame, token, action, since, size: text.length, durable: id, mode: 'async', begun }]
    } else {
      const why = 'the gateway ended, or lost the account, before the implementation had answered'
      this.#options.lost(call, why)
      this.unknown(id, why)
    }
    return []
  }

  /** There may be more on disk than there was. */
  again(): void {
    this.#recalled = false
  }

  /** They stay on disk, and are in hand no more: the account is another now, or the end has come. */
  forget(): void {
    this.#inHand.clear()
    this.#recalled = false
  }

  #over(id: string): string | undefined {
    const call = this.#inHand.get(id)
    this.#inHand.delete(id)
    if (call !== undefined) this.#tried(() => this.#options.store?.done(id))
    return call?.action
  }

  #tried(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      this.#options.report({ kind: 'durable-trouble', bot: this.#options.bot, why: String(error) })
      return false
    }
  }
}

/** What is kept, or sent again: no echo, no suffix, nothing that is said to us rather than to the implementation. */
export function plainText(frame: ActionFrame, action: string): string {
  const params = without(paramsText(frame), 'durable')
  return without(assign(frame.raw, { action: JSON.stringify(action), params }), 'echo')
}

/** The frame to send for what was kept, and its params; undefined: it is no action any more. */
export function sendable(text: string, token: string): { text: string; params: Fields } | undefined {
  const frame = readAction(text)
  return frame.kind === 'bad' ? undefined : { text: actionText(frame, token), params: frame.params }
}

/** Whether a call asks to be kept; only an `_async` one may. A query can only say it as text. @throws ActionError */
export function wantsDurable(params: Fields, mode: Mode): boolean {
  const wish = own(params, 'durable')
  if (mode !== 'async') {
    // Whoever writes this relies on it; anything else is between the client and the implementation.
    if (wish === true) refuse('bad-request', 'params.durable: only an action with the suffix _async is kept')
    return false
  }
  if (wish === true || wish === 'true') return true
  if (wish === undefined || wish === null || wish === false || wish === 'false') return false
  return refuse('bad-request', 'params.durable: wanted true or false')
}
