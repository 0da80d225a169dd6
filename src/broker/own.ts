// The actions that the gateway answers itself: what they are asked, what they answer, how their caller gets it.

import type { Mode } from '../onebot/action.ts'
import { type ActionFrame, ownReply } from '../onebot/frame.ts'
import type { Caller } from './caller.ts'

/** A call the gateway answers itself. Throws ActionError for a failed reply. */
export type OwnAction = (call: OwnCall) => OwnAnswer | Promise<OwnAnswer>
/** What is known of its caller stands in it: for calls made in its name. */
export interface OwnCall extends Omit<Caller, 'reply' | 'gone'> {
  readonly params: Record<string, unknown>
  /** The text the client sent. */
  readonly raw: string
}
export interface OwnAnswer {
  readonly data?: unknown
  /** The work goes on after the reply: `async`, retcode 1. */
  readonly async?: true
}

/** The actions the gateway answers itself, by name without suffix. */
export type OwnActions = (action: string) => OwnAction | undefined

/** The reply's retcode; throws what the action throws, and then there was no reply. At once where the action is quick. */
export function answerOwn(own: OwnAction, caller: Caller, frame: ActionFrame, mode: Mode): number | Promise<number> {
  const { session, terms, key, open } = caller
  const { params, raw, echo } = frame
  const reply = ({ data, async }: OwnAnswer) => {
    const later = async ?? mode !== 'plain'
    const retcode = later ? 1 : 0
    caller.reply(ownReply({ status: later ? 'async' : 'ok', retcode, data: later ? null : data, echo }))
    return retcode
  }
  const work = own({ session, terms, key, open, params, raw })
  return work instanceof Promise ? work.then(reply) : reply(work)
}
