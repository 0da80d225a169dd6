// The actions the gateway answers itself: name -> handler.

import * as v from 'valibot'
import type { Bot } from '../broker/bot.ts'
import type { OwnAction, OwnActions } from '../broker/own.ts'
import type { Guests } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import { clientActions } from './clients.ts'
import { checked } from './params.ts'
import { quickOperationAction } from './quick-operation.ts'

export interface ActionPorts {
  readonly report: Report
  readonly guests: Guests
  /** Leases a listener for one client; resolves with its port, which accepts connections. @throws ActionError */
  readonly allot: (bot: Bot, wish: { name?: string | undefined; peer: string }) => Promise<number>
}

const MOST_DELAY = 24 * 3_600_000
const Restart = v.object({
  delay: v.optional(
    v.nullable(
      v.pipe(
        v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))], 'wanted milliseconds'),
        v.minValue(0, 'wanted 0 or more milliseconds'),
        v.maxValue(MOST_DELAY, `wanted at most ${MOST_DELAY} milliseconds`),
      ),
    ),
  ),
})
const Allot = v.object({ client_name: v.optional(v.nullable(v.string('wanted a string'))) })

export function ownActions(bot: Bot, { report, guests, allot }: ActionPorts): OwnActions {
  const table: Record<string, OwnAction> = {
    ...clientActions(bot, report, guests),

    async get_ws_port({ params, session }) {
      const { client_name } = checked('get_ws_port', Allot, params)
      return {
        data: { port: await allot(bot, { name: client_name || undefined, peer: session?.link.peer ?? 'http' }) },
      }
    },

    set_restart({ params }) {
      const { delay } = checked('set_restart', Restart, params)
      // Taken now, so that a second one is refused; carried out after the reply has left.
      bot.restart(delay ?? 0)
      return { async: true }
    },

    '.handle_quick_operation': quickOperationAction(bot),
  }
  return (action) => (Object.hasOwn(table, action) ? table[action] : undefined)
}
