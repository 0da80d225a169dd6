// Steering the simulator over HTTP, for people and tests on this machine: events, words, faults, what was sent.

import { Hono, type MiddlewareHandler } from 'hono'
import * as v from 'valibot'
import { members } from '../onebot/json-text.ts'
import { isObject, own, parse } from '../onebot/object.ts'
import type { HostEnv } from '../runtime/host.ts'
import type { BurstOptions, BurstResult } from './burst.ts'
import { Failure } from './failure.ts'
import type { Faults } from './faults.ts'
import { given } from './given.ts'
import type { Implementation } from './implementation.ts'
import type { Links } from './links.ts'
import { checked, count, flag, id, text } from './params.ts'
import type { Called } from './sent.ts'
import { watching } from './watching.ts'

export interface ControlOptions {
  readonly implementation: Implementation
  readonly links: Links
  burst(options: BurstOptions): Promise<BurstResult>
}

/** The longest that anybody waits for something new (ms). */
const LONGEST_WAIT = 600_000

export function control({ implementation, links, burst }: ControlOptions): Hono<HostEnv> {
  const app = new Hono<HostEnv>()
  app.use(local)
  app.onError((error, c) => {
    if (error instanceof Failure) return c.json({ error: error.message }, 400)
    throw error
  })
  app.post('/event', async (c) => {
    implementation.inject(await c.req.text())
    return c.json({ links: links.count })
  })
  app.post('/say', async (c) => c.json(implementation.say(checked(word, await given(c), ''))))
  app.post('/request', async (c) => c.json(implementation.ask(checked(asking, await given(c), ''))))
  app.get('/sent', async (c) => {
    const { after = 0, wait = 0 } = checked(since, c.req.query(), '')
    if (wait > 0) c.env.keepOpen()
    const calls = await implementation.sent.beyond(after, Math.min(wait, LONGEST_WAIT), c.req.raw.signal)
    return c.body(`[${calls.map(calledText).join(',\n')}]\n`, 200, { 'Content-Type': 'application/json' })
  })
  app.get('/state', (c) => c.json(state(implementation, links)))
  app.post('/faults', async (c) => {
    const { silent, 'slow-replies': slow, 'lost-replies': lost } = checked(faults, await given(c), '')
    if (silent !== undefined) implementation.faults.silent = silent
    if (slow !== undefined) implementation.faults.slowReplies = slow
    if (lost !== undefined) implementation.faults.lostReplies = Number(lost)
    return c.json(faultsShown(implementation.faults))
  })
  app.post('/drop', (c) => {
    const { close } = checked(dropping, c.req.query(), '')
    const dropped = links.count
    links.drop(close)
    return c.json({ dropped })
  })
  app.post('/burst', async (c) => {
    const options = checked(bursting, await given(c), '')
    c.env.keepOpen()
    return c.json(await burst({ ...options, signal: c.req.raw.signal }))
  })
  app.route('/', watching(implementation))
  app.all('*', (c) => c.json({ error: `nothing at ${c.req.path}` }, 404))
  return app
}

const word = v.strictObject({ text, user_id: v.optional(id), group_id: v.optional(id) })
const asking = v.strictObject({
  type: v.picklist(['friend', 'group'], 'wanted friend or group'),
  sub_type: v.optional(v.picklist(['add', 'invite'], 'wanted add or invite')),
  user_id: v.optional(id),
  group_id: v.optional(id),
  comment: v.optional(text),
})
const since = v.object({ after: v.optional(count), wait: v.optional(count) })
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1))
const faults = v.strictObject({
  silent: v.optional(flag),
  'slow-replies': v.optional(count),
  'lost-replies': v.optional(v.union([v.boolean(), share], 'wanted true, false or a share from 0 to 1')),
})
const code = v.pipe(
  count,
  v.check(
    (one) => one === 1000 || one === 1001 || (one >= 1007 && one <= 1014) || (one >= 3000 && one <= 4999),
    'wanted a close code',
  ),
)
const dropping = v.object({ close: v.optional(code) })
const positive = v.pipe(v.number('wanted a number'), v.minValue(Number.MIN_VALUE, 'wanted a number above 0'))
const bursting = v.strictObject({ count, rate: v.optional(positive), size: v.optional(count) })

/**
 * Only people and programs on this machine: no page of another site in its browser, whatever name that site has given
 * to our address, and nobody behind a proxy.
 */
const local: MiddlewareHandler<HostEnv> = async (c, next) => {
  const host = c.req.header('host') ?? ''
  const origin = c.req.header('origin')
  const forwarded = FORWARDED.some((name) => c.req.header(name) !== undefined)
  const known = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host)
  const own = origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`
  if (isLoopback(c.env.peer) && !forwarded && known && own) return next()
  return c.json({ error: 'the simulator is steered from this machine only, and by no other site' }, 403)
}

const FORWARDED = ['x-forwarded-for', 'forwarded', 'x-real-ip']
const isLoopback = (peer: string) => peer === '::1' || /^127\./.test(peer)

/** Params in the caller's own text: numbers of ours cannot hold every id. */
function calledText({ n, time, action, params, raw }: Called): string {
  return `{"n":${n},"time":${time},"action":${JSON.stringify(action)},"params":${paramsText(params, raw)}}`
}

function paramsText(params: Called['params'], raw: string | undefined): string {
  const frame = raw === undefined ? undefined : parse(raw)
  if (raw === undefined || !isObject(frame)) return JSON.stringify(params)
  // An HTTP body is nothing but params.
  if (typeof own(frame, 'action') !== 'string') return raw
  const span = members(raw).findLast(({ key }) => key === 'params')?.value
  const found = span && raw.slice(span.start, span.end)
  return found === undefined || found === 'null' ? '{}' : found
}

function state({ selfId, world, faults, sent }: Implementation, links: Links) {
  return {
    self_id: selfId,
    nickname: world.self.nickname,
    links: links.count,
    sent: sent.last,
    faults: faultsShown(faults),
    friends: [...world.friends.values()],
    groups: [...world.groups.values()].map((group) => ({ ...group, members: [...group.members.values()] })),
    requests: [...world.requests.values()],
  }
}

const faultsShown = ({ silent, slowReplies, lostReplies }: Faults) => ({
  silent,
  'slow-replies': slowReplies,
  'lost-replies': lostReplies,
})
