// A client on a real WebSocket: everything it hears in order, and ways to wait for what it wants to hear.

export interface Closed {
  code: number
  reason: string
}

export type Frame = Record<string, unknown>

export interface ClientOptions {
  headers?: Record<string, string>
  /** Default: any certificate will do. */
  tls?: { ca?: string; rejectUnauthorized?: boolean }
}

/** Bun's own takes headers. */
const Socket = WebSocket as unknown as new (url: string, options: Required<ClientOptions>) => WebSocket

export class Client implements AsyncDisposable {
  readonly socket: WebSocket
  readonly closed: Promise<Closed>
  /** Every text that came, oldest first. */
  readonly heard: string[] = []
  #read = 0
  #over = false
  #news = Promise.withResolvers<void>()

  private constructor(socket: WebSocket) {
    this.socket = socket
    this.socket.onmessage = ({ data }) => {
      this.heard.push(String(data))
      this.#tell()
    }
    this.closed = new Promise((resolve) => {
      this.socket.onclose = ({ code, reason }) => {
        this.#over = true
        this.#tell()
        resolve({ code, reason })
      }
    })
  }

  /** Rejects with what the gateway said instead of opening. */
  static async connect(url: string, options: ClientOptions = {}): Promise<Client> {
    const client = new Client(new Socket(url, { headers: {}, tls: { rejectUnauthorized: false }, ...options }))
    await new Promise<void>((resolve, reject) => {
      client.socket.onopen = () => resolve()
      client.socket.onerror = (event) => reject(new Error(String((event as ErrorEvent).message)))
    })
    client.socket.onerror = null
    return client
  }

  /** On a socket that is open already. */
  static over(socket: WebSocket): Client {
    return new Client(socket)
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  /** The next text nobody has taken yet that `wanted` likes; those before it are passed over. */
  async text(wanted: (frame: Frame, raw: string) => boolean = () => true): Promise<string> {
    for (;;) {
      while (this.#read < this.heard.length) {
        const raw = this.heard[this.#read++] ?? ''
        if (wanted(JSON.parse(raw), raw)) return raw
      }
      if (this.#over)
        throw new Error(`client: the link closed before it heard that; it heard ${this.heard.length} frames`)
      await this.#news.promise
    }
  }

  /** As `text`, parsed. */
  async next(wanted?: (frame: Frame, raw: string) => boolean): Promise<Frame> {
    return JSON.parse(await this.text(wanted))
  }

  /** The next event of this kind: `post_type`, or `post_type.detail` as in `notice.client_status`. */
  event(kind: string): Promise<Frame> {
    const [post, detail] = kind.split('.')
    return this.next(
      (frame) => frame['post_type'] === post && (detail === undefined || frame[`${post}_type`] === detail),
    )
  }

  /** Calls and waits for the reply; events that come meanwhile are passed over. */
  async call(action: string, params: unknown = {}, echo: unknown = crypto.randomUUID()): Promise<Frame> {
    this.send({ action, params, echo })
    return this.next((frame) => Bun.deepEquals(frame['echo'], echo) && frame['post_type'] === undefined)
  }

  async close(code = 1000): Promise<Closed> {
    this.socket.close(code)
    return this.closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over) return
    this.socket.close()
    await this.closed
  }

  #tell(): void {
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }
}
