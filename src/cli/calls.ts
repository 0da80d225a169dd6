// perpetua calls, retry and drop: which calls wait and which failed, one more try, and one less.

import { defineCommand } from 'citty'
import { EXIT } from './exit.ts'
import { reaching, reachOptions } from './reach.ts'
import { say } from './say.ts'
import { bytes, lasting, table } from './table.ts'

/** What the admin API tells, as far as it is shown here. */
interface Common {
  readonly id: string
  readonly bot: string
  readonly client: string | null
  readonly action: string
  readonly mode: string
  readonly size: number
  readonly params: unknown
}
interface Held extends Common {
  readonly since: number
  readonly why: string
  readonly next: number | null
  readonly until: number | null
}
interface Failed extends Common {
  readonly time: number
  readonly ms: number
  readonly retcode: number
  readonly message: string
  readonly outcome: string
  readonly kept: boolean
  readonly again: { readonly retcode: number | null } | null
}
interface Calls {
  readonly waiting: number
  readonly held: readonly Held[]
  readonly failed: readonly Failed[]
}

const filter = (valueHint: string, description: string) => ({ type: 'string', valueHint, description }) as const

export const calls = defineCommand({
  meta: { name: 'calls', description: 'List the calls of a running gateway that wait, and those that failed' },
  args: {
    ...reachOptions,
    held: { type: 'boolean', description: 'Those that wait only' },
    failed: { type: 'boolean', description: 'Those that failed only' },
    texts: { type: 'boolean', description: 'Show what somebody wrote, too' },
    bot: filter('account', 'Of this bot only'),
    client: filter('name', 'Of this client only'),
    action: filter('name', 'Of this name only; * stands for anything'),
  },
  run: ({ args }) =>
    reaching(args, async (api) => {
      const { bot, client, action, texts } = args
      const query = new URLSearchParams()
      for (const [key, value] of Object.entries({ bot, client, action })) if (value !== undefined) query.set(key, value)
      if (texts) query.set('texts', '1')
      // The cast: both sides are of one program.
      const all = (await api.get(`/api/calls?${query}`)) as Calls
      const both = (args.held ?? false) === (args.failed ?? false)
      const held = both || args.held ? all.held : []
      const failed = both || args.failed ? all.failed : []
      if (args.json) return say(JSON.stringify({ waiting: all.waiting, held, failed }))
      const several = new Set([...held, ...failed].map((one) => one.bot)).size > 1
      const set = <C extends Common>(heads: readonly string[], rows: readonly C[], row: (one: C) => string[]) =>
        table(
          several ? ['bot', ...heads] : heads,
          rows.map((one) => (several ? [one.bot, ...row(one)] : row(one))),
        )
      if (both || args.held) {
        if (held.length === 0) say(all.waiting === 0 ? 'No call waits.' : 'No such call waits.')
        else say(`${held.length} of ${all.waiting} that wait:\n${set(HELD, held, heldRow)}`)
      }
      if (both || args.failed) {
        if (failed.length === 0) say('No failed call is kept.')
        else say(`${failed.length} failed, newest first:\n${set(FAILED, failed, failedRow)}`)
      }
    }),
})

const id = {
  type: 'positional',
  required: true,
  description: 'Its id, as perpetua calls tells it',
} as const

export const retry = defineCommand({
  meta: { name: 'retry', description: 'Send a failed call again through a running gateway' },
  args: {
    id,
    twice: { type: 'boolean', description: 'Even though it may have been carried out already' },
    ...reachOptions,
  },
  run: async ({ args }) => {
    let failed = false
    const code = await reaching(args, async (api) => {
      const path = `/api/calls/${encodeURIComponent(args.id)}/retry${args.twice ? '?twice=1' : ''}`
      const text = await api.text(path, {})
      const reply: unknown = JSON.parse(text)
      // Longer numbers than JavaScript has are shown as they came.
      say(args.json || /\d{16}/.test(text) ? text : JSON.stringify(reply, null, 2))
      failed = typeof reply === 'object' && reply !== null && 'status' in reply && reply.status === 'failed'
    })
    return failed ? EXIT.failed.code : code
  },
})

export const drop = defineCommand({
  meta: { name: 'drop', description: 'Give up a call that waits, or take a failed one off the list' },
  args: { id, ...reachOptions },
  run: ({ args }) =>
    reaching(args, async (api) => {
      await api.post(`/api/calls/${encodeURIComponent(args.id)}/drop`)
      say(args.json ? JSON.stringify({ dropped: args.id }) : `Dropped ${args.id}.`)
    }),
})

const HELD = ['id', 'client', 'action', 'waits for', 'since', 'goes in', 'given up in', 'size', 'params']
const FAILED = ['id', 'client', 'action', 'failed', 'took', 'retcode', 'outcome', 'again', 'why', 'params']

const WHY: Readonly<Record<string, string>> = {
  away: 'the implementation',
  stalled: 'the implementation to take something',
  limit: 'a rate limit',
  circuit: 'an open circuit',
  paced: 'its turn (rate limited)',
  disk: 'the disk',
  turn: 'its turn',
}

const heldRow = ({ id, client, action, mode, why, since, next, until, size, params }: Held): string[] => [
  id,
  client ?? '',
  named(action, mode),
  WHY[why] ?? why,
  lasting(Math.max(0, now() - since)),
  next === null ? '' : lasting(Math.max(0, next - now())),
  until === null ? 'never' : lasting(Math.max(0, until - now())),
  bytes(size),
  params === null ? '' : JSON.stringify(params),
]

const failedRow = (failed: Failed): string[] => {
  const { id, client, action, mode, time, ms, retcode, message, outcome, kept, again, params } = failed
  return [
    id,
    client ?? '',
    named(action, mode),
    `${lasting(Math.max(0, now() - time))} ago`,
    ms < 1_000 ? `${ms} ms` : lasting(ms / 1_000),
    String(retcode),
    outcome,
    again === null ? (kept ? '' : 'no frame') : again.retcode === null ? 'under way' : String(again.retcode),
    message,
    params === null ? '' : JSON.stringify(params),
  ]
}

const named = (action: string, mode: string) => (mode === 'plain' ? action : `${action} (${mode})`)
const now = () => Date.now() / 1_000
