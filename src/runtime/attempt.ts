// One dial from start to verdict: an open socket, an error, the clock or the caller's signal, whichever comes first.

import { DialError, type DialOptions, type Socket } from './host.ts'

export interface Attempt {
  readonly verdict: Promise<Socket>
  /** The handshake is done: tells the owner, then the dialler. */
  opened(socket: Socket): void
  failed(message: string, details?: { status?: number | undefined; cause?: unknown }): void
}

/** Without user and query, which may hold a token: messages end up in logs. */
function shown(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/\/\/[^/]*@/, '//')
}

/** The client refused to try. It has no cause: that would quote the whole address or header. */
export function unusable(url: string): DialError {
  return new DialError(`dial ${shown(url)}: not a usable address or header, wanted ws:// or wss://`)
}

/** `drop` closes the connection of an attempt that failed; a second verdict is ignored. */
export function attempt({ url, timeout, signal, events }: DialOptions, drop: () => void): Attempt {
  const { promise: verdict, resolve, reject } = Promise.withResolvers<Socket>()
  let over = false
  const settle = (): boolean => {
    if (over) return false
    over = true
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
    return true
  }
  const failed: Attempt['failed'] = (message, details) => {
    if (!settle()) return
    reject(new DialError(`dial ${shown(url)}: ${message}`, details))
    drop()
  }
  const opened: Attempt['opened'] = (socket) => {
    if (!settle()) return
    resolve(socket)
    events.open?.(socket)
  }
  const abort = () => failed('given up by the caller', { cause: signal?.reason })
  const timer = setTimeout(() => failed(`no answer to the handshake within ${timeout} ms`), timeout)
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  return { verdict, opened, failed }
}
