// What is done to a client from outside: it gets another name, its events are held back or dropped, its link is closed.

import { readAction } from '../onebot/frame.ts'
import { fieldsOf } from '../onebot/object.ts'
import { refuse, worked } from '../onebot/retcode.ts'
import type { Bot } from './bot.ts'
import type { Caller } from './caller.ts'
import { CLOSING, type Closing } from './closing.ts'
import { plainText } from './durable.ts'
import { type FailedCall, retcodeIn } from './failures.ts'
import type { Guests } from './ports.ts'
import { nameProblem } from './registry.ts'
import type { Session } from './session.ts'
import type { Report } from './status.ts'

export interface Naming {
  readonly guests: Guests
  readonly report: Report
  /** For messages: where the name was said. */
  readonly where: string
}

/** Gives it another name, with what governs somebody of that name. @throws ActionError where it cannot have that name. */
export function rename(bot: Bot, session: Session, name: string, { guests, report, where }: Naming): void {
  const problem = nameProblem(name)
  if (problem !== undefined) refuse('bad-request', `${where}: params.name: ${problem}`)
  // An entry of the configuration stays what it is under any name.
  const terms = guests.terms({ ...session.claim, name })
  if (terms === undefined) refuse('forbidden', `${where}: "${name}" is a client with a token of its own`)
  if (!bot.sessions.rename(session, name)) refuse('conflict', `${where}: another client is named "${name}"`)
  report({ kind: 'session-named', bot: bot.name, session, name })
  bot.settle(session, terms)
}

/** Closes its link, and waits for it no more; what it asked for and was not sent yet is not sent. */
export function kick(bot: Bot, session: Session): void {
  bot.replace(session, CLOSING.kicked)
}

/** Closes its link, since it would not be let in like this any more; where it may come back, it is waited for. */
export function turnOut(bot: Bot, session: Session, closing: Closing): void {
  session.link.close(closing)
  bot.leave(session, closing.code, closing.text)
}

/** Its events are held back, or sent on: what it has missed it gets from the journal. */
export function pause(bot: Bot, session: Session, paused: boolean, report: Report): void {
  if (session.paused === paused) return
  report({ kind: paused ? 'session-paused' : 'session-unpaused', bot: bot.name, session })
  const { fanout } = bot.members
  if (paused) fanout.pause(session)
  else fanout.unpause(session)
}

/** What it has yet to get from the journal is dropped. Returns how many events that is. */
export function skip(bot: Bot, session: Session, report: Report): number {
  const dropped = bot.members.fanout.skip(session)
  if (dropped > 0) report({ kind: 'session-skipped', bot: bot.name, session, dropped })
  return dropped
}

/** Why the operator's doing ends a call; its client reads it. */
const GIVEN_UP = 'given up by the operator'

/** A call that waits is answered 1503 and not sent; one that failed is not kept any more. False: the bot has no such call. */
export function giveUp(bot: Bot, id: string, report: Report): boolean {
  const action = heldAction(bot, id)
  if (action === undefined) return bot.failures.drop(id)
  report({ kind: 'call-given-up', bot: bot.name, action, id })
  return bot.giveUp(id, GIVEN_UP)
}

/** What the call asks for that waits under this id; undefined: none does. */
export function heldAction(bot: Bot, id: string): string | undefined {
  for (const { call } of bot.held()) if (call.token === id) return call.action
  return undefined
}

export interface Retrying {
  /** Who waits for the reply, as whom it is asked. */
  readonly caller: Pick<Caller, 'key' | 'open'>
  /** It is known that it may have been carried out already. */
  readonly twice: boolean
  readonly report: Report
}

/**
 * Sends a call that failed once more, as the operator's: without its suffix, so that there is a reply to see. Resolves
 * with that reply. @throws ActionError where it is not to be sent.
 */
export function retry(bot: Bot, failed: FailedCall, { caller, twice, report }: Retrying): Promise<string> {
  const frame = sendableAgain(failed, twice)
  const { id, action } = failed
  bot.failures.sending(id)
  return new Promise((resolve) => {
    const reply = (text: string) => {
      const fields = fieldsOf(text)
      bot.failures.sentAgain(id, fields)
      report({ kind: 'call-retried', bot: bot.name, action, id, retcode: retcodeIn(fields) })
      resolve(text)
    }
    bot.call({ ...caller, watching: true, reply }, frame)
  })
}

/** @throws ActionError */
function sendableAgain({ text, action, again, outcome, id }: FailedCall, twice: boolean): string {
  const what = `${action} ${id}`
  if (again !== undefined && again.retcode === undefined) refuse('conflict', `${what}: it is being sent again already`)
  if (worked(again?.retcode)) refuse('conflict', `${what}: it was sent again already, and worked`)
  if (text === undefined)
    return refuse('conflict', `${what}: its frame is not kept: it was too long, or newer ones took its room`)
  if (outcome === 'unknown' && !twice)
    refuse(
      'conflict',
      `${what}: it may have been carried out, and would be twice; say twice=1 (--twice) to send it all the same`,
    )
  const frame = readAction(text)
  return frame.kind === 'bad' ? refuse('conflict', `${what}: ${frame.message}`) : plainText(frame, action)
}
