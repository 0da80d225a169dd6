// Dials a client's reverse WebSocket, and dials again whenever the link is gone.

import { DialError, type DialOptions, type Host, type SocketEvents } from '../runtime/host.ts'

export interface ReverseOptions {
  readonly url: string
  readonly token?: string | undefined
}

export interface DialFact {
  readonly kind: 'dial failed'
  readonly url: string
  readonly why: string
}

interface Surroundings {
  readonly host: Host
  readonly selfId: number
  readonly maxFrame: number
  /** Milliseconds between a link's end and the next dial. */
  readonly redial: number
  events(url: string, gone: () => void): SocketEvents
  report(fact: DialFact): void
}

/** Milliseconds for one handshake. */
const TIMEOUT = 10_000

/** Dials until disposed; the open link is not its to close then. */
export function keepDialling({ url, token }: ReverseOptions, around: Surroundings): Disposable {
  const stopping = new AbortController()
  const { signal } = stopping
  let timer: ReturnType<typeof setTimeout> | undefined
  const again = () => {
    if (!signal.aborted) timer = setTimeout(() => void dial(), around.redial)
  }
  const headers: Record<string, string> = {
    'User-Agent': 'OneBot/11',
    'X-Self-ID': String(around.selfId),
    'X-Client-Role': 'Universal',
    ...(token ? { Authorization: `Bearer ${token}` } : {}),
  }
  const options: DialOptions = {
    url,
    headers,
    maxFrame: around.maxFrame,
    timeout: TIMEOUT,
    signal,
    events: around.events(url, again),
  }
  async function dial(): Promise<void> {
    try {
      await around.host.dial(options)
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof DialError)) throw error
      around.report({ kind: 'dial failed', url, why: error.message })
      again()
    }
  }
  void dial()
  return {
    [Symbol.dispose]() {
      stopping.abort()
      clearTimeout(timer)
    },
  }
}
