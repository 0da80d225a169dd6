// `.handle_quick_operation`: carries out what a client wants done about an event, with ordinary actions.

import type { Bot } from '../broker/bot.ts'
import type { OwnAction } from '../broker/own.ts'
import { carryOut } from '../broker/quick.ts'
import { locate } from '../onebot/json-text.ts'
import { isObject, own } from '../onebot/object.ts'
import { refuse } from '../onebot/retcode.ts'

export function quickOperationAction(bot: Bot): OwnAction {
  return ({ params, raw, ...caller }) => {
    for (const key of ['context', 'operation'])
      if (!isObject(own(params, key))) refuse('bad-request', `.handle_quick_operation: params.${key}: wanted an object`)
    carryOut(bot, cut(raw, 'context'), cut(raw, 'operation'), caller)
    return { data: null }
  }
}

/** The text as the client wrote it: ids may be more than our numbers can hold. */
function cut(raw: string, key: string): string {
  const span = locate(raw, ['params', key])
  return span === undefined ? '{}' : raw.slice(span.start, span.end)
}
