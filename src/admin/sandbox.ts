// The simulated QQ behind the gateway, for whoever talks to a bot without an account: its steering interface, passed on.

import { refuse } from '../onebot/retcode.ts'
import { type Asked, bodyOf, list, object, type Route, text, whole } from './route.ts'

export interface SandboxPort {
  /** Where the simulator is steered: `http://127.0.0.1:5700/simulator`; undefined: there is none. */
  readonly simulator: () => string | undefined
}

/** What of it is passed on; the rest is for programs on this machine. */
const LOOKS = ['state', 'chat', 'forward'] as const
const DEEDS = ['say', 'request', 'recall', 'poke', 'join', 'leave', 'befriend', 'faults', 'drop'] as const
/** Longer than it ever waits itself (ms). */
const PATIENCE = 90_000

export function sandboxRoutes({ simulator }: SandboxPort): Route[] {
  const base = () => simulator() ?? refuse('not-found', 'no simulated bot is connected: start perpetua sandbox')
  return [
    {
      method: 'get',
      path: '/api/sandbox/:look',
      summary: `What is to be seen in the simulated QQ: ${LOOKS.join(', ')}`,
      query: {
        after: 'for chat: what happened after this number',
        wait: 'for chat: milliseconds to wait for something new',
        id: 'for forward: the forwarded message',
      },
      answer: object({ since: whole, last: whole, happened: list({ type: 'object' }) }, ['since', 'last', 'happened']),
      handle(c) {
        const look = oneOf(LOOKS, c.req.param('look'))
        return passed(c, `${base()}/${look}${new URL(c.req.url).search}`)
      },
    },
    {
      method: 'post',
      path: '/api/sandbox/:deed',
      summary: `Does something as the people of the simulated QQ, or to its implementation: ${DEEDS.join(', ')}`,
      query: { close: 'for drop: the close code; without, links end as when the power fails' },
      body: { type: 'object' },
      answer: object({ error: text }, ['error']),
      async handle(c) {
        const deed = oneOf(DEEDS, c.req.param('deed'))
        const body = JSON.stringify(await bodyOf(c))
        const query = deed === 'drop' ? new URL(c.req.url).search : ''
        return passed(c, `${base()}/${deed}${query}`, body)
      },
    },
  ]
}

function oneOf<T extends string>(known: readonly T[], asked: string | undefined): T {
  return (
    known.find((one) => one === asked) ??
    refuse('not-found', `${JSON.stringify(asked)}: wanted one of ${known.join(', ')}`)
  )
}

/** @param body the values, where something is done. */
async function passed(c: Asked, url: string, body?: string): Promise<Response> {
  c.env.keepOpen()
  // The token is ours: it goes no further.
  const target = new URL(url)
  target.searchParams.delete('access_token')
  const signal = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(PATIENCE)])
  const answer = await asked(target, body, signal)
  const text = await answer.text()
  if (!answer.ok) refuse('bad-request', reason(text))
  return new Response(text, { headers: { 'Content-Type': 'application/json; charset=utf-8' } })
}

async function asked(target: URL, body: string | undefined, signal: AbortSignal): Promise<Response> {
  const json = { 'Content-Type': 'application/json' }
  try {
    return await fetch(target, body === undefined ? { signal } : { method: 'POST', body, headers: json, signal })
  } catch {
    return refuse('unavailable', `the simulated bot does not answer at ${target.host}`)
  }
}

function reason(text: string): string {
  try {
    const { error } = JSON.parse(text)
    return typeof error === 'string' ? error : text.slice(0, 200)
  } catch {
    return text.slice(0, 200)
  }
}
