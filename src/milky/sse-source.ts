// Events over a response that does not end: server-sent events.

import type { IncomingMessage } from 'node:http'
import { NoAnswer, type Wire } from './http.ts'
import { isRefusal, type OpenSource, SourceError, type SourceEvents } from './source.ts'
import { SsePulse } from './sse-pulse.ts'
import { SseReader } from './sse-reader.ts'

/** A request that is not answered for this long (ms) is given up. */
const HANDSHAKE = 15_000
const BROKEN_OFF = 1006

/** @param maxFrame bytes of one event. @param now milliseconds, of a clock that never goes back. */
export function sseSource(wire: Wire, maxFrame: () => number, now = () => performance.now()): OpenSource {
  return async (on, signal) => {
    const ending = new AbortController()
    const late = setTimeout(() => ending.abort(new Error(`no answer in ${HANDSHAKE} ms`)), HANDSHAKE)
    const give = () => ending.abort(new Error('given up'))
    signal.addEventListener('abort', give, { once: true })
    try {
      const asked = { method: 'GET', path: '/event', accept: 'text/event-stream', signal: ending.signal } as const
      const response = await wire.open(asked, false)
      refuse(response)
      on.opened()
      const pulse = new SsePulse(now())
      const heard = (sign: boolean) => pulse.heard(now(), sign)
      void read(response, new SseReader(maxFrame(), on.heard), { on, heard, signal: ending.signal })
      return {
        close: () => ending.abort(new Error('the gateway is done with this link')),
        check() {
          if (ending.signal.aborted || !pulse.dead(now())) return
          const reason = 'the stream of events has fallen silent'
          ending.abort(new Error(reason))
          on.ended({ code: BROKEN_OFF, reason, refused: false })
        },
      }
    } catch (error) {
      ending.abort()
      if (error instanceof NoAnswer) throw new SourceError(error.message, false, { cause: error })
      throw error
    } finally {
      clearTimeout(late)
      signal.removeEventListener('abort', give)
    }
  }
}

/** @throws SourceError where it is no stream of events. */
function refuse({ statusCode, headers }: IncomingMessage): void {
  if (statusCode !== 200)
    throw new SourceError(
      `/event: HTTP ${statusCode}${statusCode === 404 ? ': are SSE switched on there?' : ''}`,
      isRefusal(statusCode),
    )
  const type = headers['content-type'] ?? 'nothing'
  if (!type.startsWith('text/event-stream'))
    throw new SourceError(`/event: found ${type.slice(0, 60)}, wanted text/event-stream`)
}

interface Reading {
  readonly on: SourceEvents
  /** Something came; `sign`: a comment among it. */
  readonly heard: (sign: boolean) => void
  readonly signal: AbortSignal
}

async function read(response: IncomingMessage, reader: SseReader, { on, heard, signal }: Reading): Promise<void> {
  const decoder = new TextDecoder()
  let reason = 'the stream of events ended'
  try {
    for await (const bytes of response as AsyncIterable<Uint8Array>) {
      const { comments } = reader
      reader.push(decoder.decode(bytes, { stream: true }))
      heard(reader.comments > comments)
      if (!reader.overfull) continue
      reason = 'an event was longer than web-socket.max-frame'
      break
    }
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error)
  }
  response.destroy()
  if (!signal.aborted) on.ended({ code: BROKEN_OFF, reason, refused: false })
}
