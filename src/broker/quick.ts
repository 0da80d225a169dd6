// Carries out a quick operation as ordinary calls, sent in order, whose replies nobody waits for.

import { isObject, parse } from '../onebot/object.ts'
import { quickOperation } from '../onebot/quick-operation.ts'
import { refuse } from '../onebot/retcode.ts'
import type { Bot } from './bot.ts'
import { termsOf } from './call.ts'
import type { Caller } from './caller.ts'

/**
 * What `operation` asks for in answer to `event`, both JSON text. The calls count as those of the one who asked.
 * @throws ActionError when the implementation is away, or the one who asked may not do all of it: nothing was done then.
 */
export function carryOut(bot: Bot, event: string, operation: string, caller: Omit<Caller, 'reply'>): void {
  const steps = quickOperation(event, operation)
  if (steps.length > 0 && !bot.online)
    refuse('unavailable', 'the implementation is not connected: the operation was not carried out')
  for (const { action, params } of steps) {
    const parsed = parse(params)
    const forbidden = termsOf(caller)?.forbids(action, isObject(parsed) ? parsed : {})
    if (forbidden !== undefined) refuse('forbidden', forbidden)
  }
  for (const { action, params } of steps)
    bot.call({ ...caller, reply: () => undefined }, `{"action":${JSON.stringify(action)},"params":${params}}`)
}
