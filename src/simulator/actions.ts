// Carries out calls: finds the action, and turns what became of it into an answer.

import { suffix } from '../onebot/action.ts'
import type { OwnReply } from '../onebot/frame.ts'
import { Failure } from './failure.ts'
import { groupActions } from './group-actions.ts'
import { infoActions } from './info-actions.ts'
import { requestActions } from './request-actions.ts'
import { sendActions } from './send-actions.ts'
import type { Action, Stage } from './stage.ts'

export type Answer = Omit<OwnReply, 'echo'>

const ACTIONS = new Map<string, Action>(
  [sendActions, groupActions, requestActions, infoActions].flatMap((actions) => Object.entries(actions)),
)

/** Names of all actions, without suffixes. */
export const ACTION_NAMES: readonly string[] = [...ACTIONS.keys()]

export const NO_SUCH_ACTION = 1404

/** What is under way when the reply goes out. */
const STARTED: Answer = { status: 'async', retcode: 1 }

/** Never throws but for bugs. */
export function perform(name: string, params: unknown, stage: Stage): Answer {
  const { base, mode } = ACTIONS.has(name) ? { base: name, mode: 'plain' } : suffix(name)
  const act = ACTIONS.get(base)
  if (act === undefined) return { status: 'failed', retcode: NO_SUCH_ACTION, message: `no action named ${name}` }
  try {
    const data = act(params, stage)
    return base === 'set_restart' || mode === 'async' ? STARTED : { status: 'ok', retcode: 0, data }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (mode === 'async') return STARTED
    return { status: 'failed', retcode: error.retcode, message: error.message }
  }
}
