// Follows the simulated QQ: who is there, what has happened, and how the asking fares.

import { useEffect, useRef, useState } from 'preact/hooks'
import { ask, Refused } from './api.ts'
import { type Happening, type Known, more, type News, type World } from './happenings.ts'
import type { StreamState } from './stream.ts'

/** How long the gateway may hold a question for news (ms). */
const WAIT = 25_000
const PAUSE = 1_500

export interface Sandbox {
  readonly link: { state: StreamState; why?: string }
  readonly world: World | undefined
  readonly all: readonly Happening[]
  /** Something was done there: it is looked at again. */
  readonly changed: () => void
}

export function useSandbox(lock: (why?: string) => void): Sandbox {
  const [link, setLink] = useState<Sandbox['link']>({ state: 'connecting' })
  const [world, setWorld] = useState<World>()
  const [known, setKnown] = useState<Known>()
  const asked = useRef({ last: 0, least: 0 })
  /** `anew`: what was asked before tells of a world that has changed since. */
  const look = async ({ anew = false, signal }: { anew?: boolean; signal?: AbortSignal } = {}) => {
    const mine = ++asked.current.last
    if (anew) asked.current.least = mine
    const found = await ask<World>('api/sandbox/state', undefined, signal)
    if (mine >= asked.current.least) setWorld(found)
  }
  useEffect(() => {
    const ended = new AbortController()
    const problem = (error: unknown) => {
      if (ended.signal.aborted) return
      if (error instanceof Refused && error.locked) return lock(error.message)
      setLink({ state: 'lost', why: error instanceof Error ? error.message : String(error) })
    }
    void listen({
      signal: ended.signal,
      problem,
      news: setKnown,
      world: () => look({ signal: ended.signal }),
      open: () => setLink({ state: 'open' }),
    })
    return () => ended.abort()
  }, [])
  const changed = () => void look({ anew: true }).catch(() => undefined) // the next news bring it
  return { link, world, all: known?.all ?? [], changed }
}

interface Listening {
  readonly signal: AbortSignal
  readonly problem: (error: unknown) => void
  readonly news: (set: (known: Known | undefined) => Known) => void
  readonly world: () => Promise<void>
  readonly open: () => void
}

/** Asks for what is new, again and again; each answer is there as soon as something happened. */
async function listen({ signal, problem, news, world, open }: Listening): Promise<void> {
  let seen: { since: number; last: number } | undefined
  while (!signal.aborted) {
    try {
      const wait = seen === undefined ? 0 : WAIT
      const found = await ask<News>(`api/sandbox/chat?after=${seen?.last ?? 0}&wait=${wait}`, undefined, signal)
      const restarted = seen !== undefined && found.since !== seen.since
      seen = restarted ? { since: found.since, last: 0 } : found
      if (!restarted) news((known) => more(known, found))
      await world()
      open()
    } catch (error) {
      problem(error)
      seen = undefined
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }
}
