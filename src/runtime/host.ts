// What a host runtime lends us: listeners, dialled WebSockets, processes; one interface, an implementation per runtime.

import type { Context, Hono } from 'hono'

/** One WebSocket, accepted or dialled. Text frames only: we never send binary. */
export interface Socket {
  /** Bytes we handed over that the kernel has not taken yet. Exact on accepted sockets. */
  readonly buffered: number
  readonly open: boolean
  /** Queues one text frame; published frames queued before it leave first. False: the socket is closed, nothing was queued. */
  send(text: string): boolean
  /** Sends a PING. Only for peers that asked for it: a PING makes some clients disconnect. */
  ping(data?: string): void
  /** Starts the closing handshake, after everything queued so far. `reason` is cut to the 123 bytes a close frame holds. */
  close(code: number, reason: string): void
  /** Drops the connection at once, without a closing handshake. */
  terminate(): void
}

/** A socket accepted by one of our listeners: it can take part in that listener's topics. */
export interface AcceptedSocket extends Socket {
  subscribe(topic: string): void
  unsubscribe(topic: string): void
}

/**
 * What a socket tells its owner. Callbacks run one at a time per socket, `open` first, `close` last and exactly once
 * (also after an error, then with code 1006). An exception in a callback is a bug: it surfaces as an uncaught error.
 */
export interface SocketEvents<S extends Socket = Socket> {
  open?(socket: S): void
  text(socket: S, text: string): void
  /** A binary frame came; OneBot knows none. Default: ignored. */
  binary?(socket: S, bytes: Uint8Array): void
  /** The kernel took bytes again after pressure: `buffered` has fallen. */
  drain?(socket: S): void
  pong?(socket: S, data: string): void
  close(socket: S, code: number, reason: string): void
}

/** What every request handler finds in `c.env`. */
export interface HostEnv {
  Bindings: {
    /** The peer's IP address as the socket has it (never from a header). `::ffff:` prefixes are removed. */
    peer: string
    /** The listener the request came in by. */
    listener: Listener
    /**
     * Answers a WebSocket handshake with 101 and binds the socket to `events`. The caller has finished every check:
     * after this the socket is open. Its value must be returned from the handler.
     * Undefined when the request is not a well-formed WebSocket handshake.
     */
    upgrade(c: Context<HostEnv>, events: SocketEvents<AcceptedSocket>): Promise<Response | undefined>
    /** Lets this response take as long as it likes (long polls, streams); the default cuts after a few idle seconds. */
    keepOpen(): void
  }
}

export interface ListenOptions {
  host: string
  /** 0: any free port. */
  port: number
  app: Hono<HostEnv>
  /** Bytes; a longer frame closes its link with 1009, a longer HTTP body answers 413. */
  maxFrame: number
  /** PEM texts. */
  tls?: { cert: string; key: string } | undefined
}

export interface Listener extends AsyncDisposable {
  readonly host: string
  /** The real port, also when 0 was asked for. */
  readonly port: number
  /**
   * Sends one text frame to every socket of this listener that is subscribed to `topic`; one native call.
   * Positive: handed over. -1: handed over, and at least one socket is under pressure. 0: nobody is subscribed, or a
   * socket's queue is beyond the runtime's last limit (64 MiB above `maxFrame`) and dropped it: owners keep far below.
   */
  publish(topic: string, text: string): number
  /** Stops accepting; open sockets and requests in flight live on. Frees the port. */
  stop(): Promise<void>
  /** Stops accepting and drops everything still open. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface DialOptions {
  /** ws:// or wss:// */
  url: string
  headers: Record<string, string>
  /** Bytes; a longer frame closes the link with 1009 (checked after receipt where the runtime has no limit). */
  maxFrame: number
  /** `ca`: PEM text that replaces the system's roots. `insecure`: accept any certificate. */
  tls?: { ca?: string | undefined; insecure?: boolean | undefined } | undefined
  /** Milliseconds until an unanswered handshake is given up. */
  timeout: number
  /** Gives the dial up; once aborted, `open` is not called any more. An open socket is not touched. */
  signal?: AbortSignal | undefined
  events: SocketEvents
}

/** A dial that did not become an open socket. `status`: the HTTP status the peer answered the handshake with, if it did. */
export class DialError extends Error {
  override name = 'DialError'
  readonly status: number | undefined
  constructor(message: string, options: { status?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.status = options.status
  }
}

export interface SpawnOptions {
  /** Path of the executable. */
  command: string
  args: readonly string[]
  cwd: string
  /** The whole of the child's environment. Default: ours. */
  env?: Record<string, string> | undefined
  /** `inherit`: it reads our terminal. `ignore`: it finds the end at once. */
  stdin: 'inherit' | 'ignore'
  /** Bytes as they come, one call at a time, never after `exited`. They are the owner's to keep. */
  output(bytes: Uint8Array, from: 'stdout' | 'stderr'): void
}

/** How a process ended: one of both, `code` alone on Windows. */
export interface Ending {
  readonly code: number | null
  readonly signal: string | null
}

/** A process we started. It does not end with us: whoever starts it ends it. */
export interface Child {
  readonly pid: number
  /**
   * Resolves once it has ended and its last output was handed over; where a process of its own keeps the pipes open,
   * a second after its end, and what that one says is lost.
   */
  readonly exited: Promise<Ending>
  /** Without effect once it has ended. Windows knows no signals: there each of them ends it at once. */
  kill(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): void
}

/** A command that could not be started. `code` is the system's: ENOENT, EACCES, ENOEXEC, ... */
export class SpawnError extends Error {
  override name = 'SpawnError'
  readonly code: string
  constructor(message: string, options: { code: string; cause: unknown }) {
    super(message, { cause: options.cause })
    this.code = options.code
  }
}

export interface Host {
  readonly name: 'bun' | 'deno' | 'node'
  /** Resolves once the port accepts connections. Rejects with the system's error (`code` EADDRINUSE, EACCES, ...) kept as cause or itself. */
  listen(options: ListenOptions): Promise<Listener>
  /** Resolves when the handshake is done (after `events.open` ran); rejects with DialError. Sends no PING of its own, ever. */
  dial(options: DialOptions): Promise<Socket>
  /** Resolves once the process runs; rejects with SpawnError. */
  spawn(options: SpawnOptions): Promise<Child>
}
