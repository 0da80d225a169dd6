// perpetua call: calls a OneBot action through a running gateway, and shows its reply.

import { defineCommand } from 'citty'
import { EXIT } from './exit.ts'
import { reaching, reachOptions } from './reach.ts'
import { say } from './say.ts'
import { UsageError, usable } from './values.ts'

export const call = defineCommand({
  meta: { name: 'call', description: 'Call a OneBot action through a running gateway' },
  args: {
    action: { type: 'positional', required: true, description: 'Its name, such as send_group_msg' },
    params: {
      type: 'positional',
      required: false,
      valueHint: 'key=value...',
      description: 'Its params, as key=value or as one JSON object',
    },
    bot: { type: 'string', valueHint: 'account', description: 'As which bot; the first by default' },
    ...reachOptions,
  },
  run: ({ args }) =>
    usable(async () => {
      const [, ...words] = args._
      const params = paramsOf(words)
      let failed = false
      const code = await reaching(args, async (api) => {
        const body = { action: args.action, params, ...(args.bot !== undefined && { self_id: args.bot }) }
        const text = await api.text('/api/call', body)
        const reply: unknown = JSON.parse(text)
        // Longer numbers than JavaScript has are shown as they came.
        say(args.json || /\d{16}/.test(text) ? text : JSON.stringify(reply, null, 2))
        failed = typeof reply === 'object' && reply !== null && 'status' in reply && reply.status === 'failed'
      })
      return failed ? EXIT.failed.code : code
    }),
})

/** @throws UsageError */
function paramsOf(words: readonly string[]): object {
  const [first] = words
  if (words.length === 1 && first?.trimStart().startsWith('{')) return objectOf(first)
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      if (at < 1) throw new UsageError(`params: found "${word}", wanted key=value, or one JSON object`)
      return [word.slice(0, at), valueIn(word.slice(at + 1))]
    }),
  )
}

function objectOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Said below.
  }
  throw new UsageError('params: found something that begins like JSON and is none, wanted a JSON object')
}

/** Text, unless it is a list or an object, true or false; numbers are taken from text where they are wanted. */
function valueIn(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  if (!/^[[{]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    // CQ codes begin with a bracket.
    return text
  }
}
