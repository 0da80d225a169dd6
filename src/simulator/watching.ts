// Watching the simulated QQ and acting in it as its people, over HTTP: what a chat window needs.

import { Hono } from 'hono'
import * as v from 'valibot'
import type { HostEnv } from '../runtime/host.ts'
import type { Happening } from './chat.ts'
import { befriend, join, leave, poke, recall } from './deeds.ts'
import { fail } from './failure.ts'
import { given } from './given.ts'
import type { Implementation } from './implementation.ts'
import { checked, count, id, name } from './params.ts'

/** The longest that anybody waits for something new (ms). */
const LONGEST_WAIT = 60_000
/** Params of calls are looked at, not used: longer texts are cut. */
const LONGEST_TEXT = 200

export function watching(implementation: Implementation): Hono<HostEnv> {
  const app = new Hono<HostEnv>()
  const { chat, messages } = implementation
  app.get('/chat', async (c) => {
    const { after = 0, wait = 0 } = checked(since, c.req.query(), '')
    if (wait > 0) c.env.keepOpen()
    const happened = await chat.beyond(after, Math.min(wait, LONGEST_WAIT), c.req.raw.signal)
    return c.json({ since: chat.since, last: chat.last, happened: happened.map(shown) })
  })
  app.get('/forward', (c) => {
    const { id: key } = checked(forwarded, c.req.query(), '')
    return c.json({ nodes: messages.forwarded(key) ?? fail(`forward ${key}: not known`) })
  })
  app.post('/recall', async (c) => {
    const { message_id } = checked(recalling, await given(c), '')
    return c.json(implementation.do(recall(message_id)))
  })
  app.post('/poke', async (c) => {
    const { user_id, group_id, target_id } = checked(poking, await given(c), '')
    return c.json(implementation.do(poke(user_id, group_id, target_id)))
  })
  app.post('/join', async (c) => {
    const { group_id, user_id } = checked(joining, await given(c), '')
    return c.json(implementation.do(join(group_id, user_id)))
  })
  app.post('/leave', async (c) => {
    const { group_id, user_id } = checked(leaving, await given(c), '')
    return c.json(implementation.do(leave(group_id, user_id)))
  })
  app.post('/befriend', async (c) => {
    const { user_id } = checked(befriending, await given(c), '')
    return c.json(implementation.do(befriend(user_id)))
  })
  return app
}

const since = v.object({ after: v.optional(count), wait: v.optional(count) })
const forwarded = v.object({ id: name })
const recalling = v.strictObject({ message_id: id })
const poking = v.strictObject({ user_id: id, group_id: v.optional(id), target_id: v.optional(id) })
const joining = v.strictObject({ group_id: id, user_id: v.optional(id) })
const leaving = v.strictObject({ group_id: id, user_id: id })
const befriending = v.strictObject({ user_id: v.optional(id) })

function shown(one: Happening): object {
  if (one.kind !== 'call') return one
  return { ...one, params: JSON.parse(JSON.stringify(one.params, short)) }
}

const short = (_key: string, value: unknown) =>
  typeof value === 'string' && value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}...` : value
