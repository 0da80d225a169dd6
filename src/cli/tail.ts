// perpetua tail: what a running gateway hears and does, line by line.

import { defineCommand } from 'citty'
import { oneLine } from '../observe/line.ts'
import { EXIT } from './exit.ts'
import { reaching, reachOptions } from './reach.ts'
import { say } from './say.ts'

const filter = (valueHint: string, description: string) => ({ type: 'string', valueHint, description }) as const

export const tail = defineCommand({
  meta: { name: 'tail', description: 'Show events and actions of a running gateway as they happen' },
  args: {
    ...reachOptions,
    kinds: filter('list', 'event, action, reply, fact, log, separated by commas (default: event,action,reply)'),
    texts: { type: 'boolean', description: 'Show the texts of messages, too' },
    bot: filter('account', 'Of this bot only'),
    type: filter('type', 'Events of this kind only: message, or message.group'),
    action: filter('name', 'Actions of this name only; * stands for anything'),
    client: filter('name', 'Of this client only'),
    group: filter('number', 'About this group only'),
    user: filter('number', 'About this user only'),
    level: filter('level', 'For log: the least important level'),
  },
  run: ({ args }) =>
    reaching(args, (api) => {
      const { kinds, bot, type, action, client, group, user, level } = args
      const query = new URLSearchParams()
      for (const [key, value] of Object.entries({ kinds, bot, type, action, client, group, user, level }))
        if (value !== undefined) query.set(key, value)
      if (args.texts) query.set('texts', '1')
      // Who listened has gone: perpetua tail | head
      process.stdout.on('error', () => process.exit(EXIT.ok.code))
      return api.stream(`/api/tap?${query}`, (event, data) =>
        say(args.json ? `${JSON.stringify({ kind: event }).slice(0, -1)},${data.slice(1)}` : lineOf(event, data)),
      )
    }),
})

type Told = Readonly<Record<string, unknown>>

function lineOf(kind: string, data: string): string {
  const { time, bot, client, ...told }: Told = JSON.parse(data)
  const head = [clock(time), kind.padEnd(6), bot, client].filter((part) => part !== undefined).join(' ')
  return oneLine(`${head} ${textOf(kind, told)}`)
}

function textOf(kind: string, told: Told): string {
  if (kind === 'skipped') return `${told['skipped']} more were too many to be shown`
  if (kind === 'log') return `${told['level']} ${told['text']}`
  if (kind === 'event') return eventText(told['event'] as Told) // our own answer
  const { action, params, size: _size, ...rest } = told
  const name = typeof action === 'string' ? [action] : []
  return [...name, ...(params === undefined ? [] : [JSON.stringify(params)]), fields(rest)].filter(Boolean).join(' ')
}

function eventText(event: Told): string {
  const post = String(event['post_type'])
  const kind = [post, event[`${post.replace(/_sent$/, '')}_type`], event['sub_type']].filter(Boolean).join('.')
  const { group_id: group, user_id: user, message_id: message, raw_message: text } = event
  return [kind, fields({ group, user, message }), text].filter(Boolean).join(' ')
}

const fields = (told: Told) =>
  Object.entries(told)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(' ')

const clock = (time: unknown) => (typeof time === 'number' ? new Date(time).toTimeString().slice(0, 8) : '')
