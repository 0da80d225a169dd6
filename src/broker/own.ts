// Carries out an action of our own, and gives its caller the reply.

import type { Mode } from '../onebot/action.ts'
import { type ActionFrame, ownReply } from '../onebot/frame.ts'
import type { Caller, OwnAction, OwnAnswer } from './ports.ts'

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
