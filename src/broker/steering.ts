// What is done to a client from outside: it gets another name, its events are held back or dropped, its link is closed.

import { refuse } from '../onebot/retcode.ts'
import type { Bot } from './bot.ts'
import { CLOSING, type Closing } from './closing.ts'
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
