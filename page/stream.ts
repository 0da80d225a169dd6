// Reads a stream of server-sent events with the token in a header, which EventSource cannot do; comes back by itself.

import { Refused, request } from './api.ts'

export type StreamState = 'connecting' | 'open' | 'lost' | 'refused'

export interface StreamOptions {
  readonly path: string
  readonly event: (name: string, data: unknown) => void
  readonly state: (state: StreamState, why?: string) => void
}

const FIRST_PAUSE = 500
const LONGEST_PAUSE = 5_000
/** The gateway says something every 15 s; without that the connection is dead, whatever the socket says (ms). */
const SILENCE = 40_000

/** Returns what ends it. */
export function follow(options: StreamOptions): () => void {
  const ended = new AbortController()
  void keep(options, ended.signal)
  return () => ended.abort()
}

async function keep({ path, event, state }: StreamOptions, signal: AbortSignal): Promise<void> {
  let pause = FIRST_PAUSE
  while (!signal.aborted) {
    state('connecting')
    const began = Date.now()
    try {
      await read(path, signal, event, () => state('open'))
      if (!signal.aborted) state('lost')
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Refused && error.locked) return state('refused', error.message)
      state('lost', error instanceof Error ? error.message : String(error))
    }
    pause = Date.now() - began > LONGEST_PAUSE ? FIRST_PAUSE : Math.min(LONGEST_PAUSE, pause * 2)
    await sleep(pause, signal)
  }
}

async function read(
  path: string,
  signal: AbortSignal,
  event: StreamOptions['event'],
  opened: () => void,
): Promise<void> {
  const silent = new AbortController()
  let timer = setTimeout(() => silent.abort(), SILENCE)
  try {
    const { body } = await request(path, { signal: AbortSignal.any([signal, silent.signal]) })
    if (body === null) return
    opened()
    const reader = body.getReader()
    const decoder = new TextDecoder()
    let text = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      clearTimeout(timer)
      timer = setTimeout(() => silent.abort(), SILENCE)
      text += decoder.decode(value, { stream: true })
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        tell(text.slice(0, end), event)
        text = text.slice(end + 2)
      }
    }
  } finally {
    clearTimeout(timer)
  }
}

function tell(block: string, event: StreamOptions['event']): void {
  const [, name, json] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? []
  if (name === undefined || json === undefined) return
  try {
    event(name, JSON.parse(json))
  } catch {
    // An implementation may send what is no JSON: it has been counted elsewhere.
  }
}

const sleep = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
