// Stands in for NoneBot with its OneBot v11 adapter: sends what it sends, insists on what it insists on.

import { OPCODE, type RawPeer, type RawServer, rawServer, request } from '../contract/raw.ts'
import { Inbox } from '../contract/witness.ts'
import { acceptOf, type Fields, headerOf, isText, nextFrame, pythonJson } from './wire.ts'

/** Its aiohttp driver gives up a link on which nothing comes for so long (ms). */
const SILENCE = 30_000

export interface Limits {
  /** Default: the real patience. */
  silence?: number
}

/** One bot of a NoneBot process, whichever side dialled. */
export class NoneBot implements AsyncDisposable {
  /** Known from the handshake (reverse), or from the first lifecycle (forward): without it nothing is handled. */
  selfId: string | undefined
  /** Frames that came before the bot was known, which nobody ever sees. */
  readonly ignored: string[] = []
  /** Frames its event models refuse. */
  readonly refused: string[] = []
  /** Milliseconds until it answers a close frame. */
  slowToClose = 0
  readonly peer: RawPeer
  readonly #events = new Inbox<Fields>()
  readonly #futures = new Map<number, (reply: Fields) => void>()
  readonly #reading: Promise<void>
  #seq = 1

  constructor(peer: RawPeer, selfId: string | undefined, { silence = SILENCE }: Limits = {}) {
    this.peer = peer
    this.selfId = selfId
    this.#reading = this.#read(silence)
  }

  /** The next event of this `post_type`. Rejects when the driver gives the link up, saying why. */
  async hears(postType: string, wanted: (event: Fields) => boolean = () => true): Promise<Fields> {
    for (;;) {
      const event = await this.#events.take()
      if (event['post_type'] === postType && wanted(event)) return event
      if (event['post_type'] === 'over' && postType !== 'over') throw new Error(`nonebot: ${event['why']}`)
    }
  }

  /** `bot.send(event, text)`. */
  send(event: Fields, text: string): Promise<unknown> {
    const { user_id, group_id, message_type } = event
    const message = [{ type: 'text', data: { text } }]
    return this.call('send_msg', { user_id, group_id, message_type, message })
  }

  /** Echoes are "1", "2", ... in every process anew. */
  async call(action: string, params: Fields): Promise<unknown> {
    const seq = this.#seq++
    const reply = new Promise<Fields>((resolve) => this.#futures.set(seq, resolve))
    this.peer.send(OPCODE.text, pythonJson({ action, params, echo: String(seq) }))
    const { status, data, ...why } = await reply
    if (status === 'failed') throw new Error(`ActionFailed ${JSON.stringify(why)}`)
    return data
  }

  /** The process ends: an orderly close. */
  leave(): void {
    this.peer.send(OPCODE.close, Buffer.from([0x03, 0xe8]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.peer.socket.destroy()
    await this.#reading
  }

  async #read(silence: number): Promise<void> {
    let why = 'gone'
    for (;;) {
      const frame = await nextFrame(this.peer, silence)
      if (typeof frame === 'string') why = frame
      else if (isText(frame)) {
        this.#received(frame.payload.toString())
        continue
      }
      // It answers no PING itself: any frame that is no message is an error of type.
      else if (frame.opcode !== OPCODE.close) why = `received unexpected frame type: ${frame.opcode}`
      else {
        await new Promise((resolve) => setTimeout(resolve, this.slowToClose))
        this.peer.send(OPCODE.close, frame.payload.subarray(0, 2))
      }
      break
    }
    this.peer.socket.end()
    this.#events.push({ post_type: 'over', why })
  }

  #received(text: string): void {
    const json: unknown = JSON.parse(text)
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return
    const fields = json as Fields // an object, as just seen
    if (!('post_type' in fields)) this.#result(fields)
    else if (!isEvent(fields)) this.refused.push(text)
    else if (this.selfId !== undefined || this.#meets(fields)) this.#events.push(fields)
    else this.ignored.push(text)
  }

  #meets(event: Fields): boolean {
    if (event['meta_event_type'] !== 'lifecycle' || event['sub_type'] !== 'connect') return false
    this.selfId = String(event['self_id'])
    return true
  }

  /** Only a string of digits is an echo. */
  #result(reply: Fields): void {
    const { echo } = reply
    if (typeof echo !== 'string' || !/^\d+$/.test(echo)) return
    this.#futures.get(Number(echo))?.(reply)
    this.#futures.delete(Number(echo))
  }
}

/** What the base model of all events wants. */
const isEvent = ({ time, self_id, post_type }: Fields) =>
  Number.isInteger(time) && Number.isInteger(self_id) && typeof post_type === 'string'

/** Its forward driver: dials, then waits for the first lifecycle. */
export async function nonebotDials(url: string, token: string, limits?: Limits): Promise<NoneBot> {
  const { hostname, port, pathname, host } = new URL(url)
  const key = Buffer.from(crypto.randomUUID().slice(0, 16)).toString('base64')
  const peer = request(
    Number(port),
    `GET ${pathname}`,
    {
      Host: host,
      Authorization: `Bearer ${token}`,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': key,
      Accept: '*/*',
      'Accept-Encoding': 'gzip, deflate',
      'User-Agent': 'Python/3.12 aiohttp/3.9.5',
    },
    hostname,
  )
  const head = await peer.head
  if (!head.startsWith('HTTP/1.1 101 ') || headerOf(head, 'sec-websocket-accept') !== acceptOf(key))
    throw new Error(`nonebot: handshake refused: ${head.split('\r\n')[0]}`)
  return new NoneBot(peer, undefined, limits)
}

export interface NoneBotServer extends AsyncDisposable {
  readonly url: string
  /** The next bot that was let in. */
  next(): Promise<NoneBot>
  /** Handshakes answered with 403, and why. */
  readonly refused: readonly string[]
}

/** Its reverse driver: one link per account, and no second before the first is gone. */
export async function nonebotServes({ token }: { token: string }): Promise<NoneBotServer> {
  const server: RawServer = await rawServer({ mute: true })
  const bots = new Map<string, NoneBot>()
  const met = new Inbox<NoneBot>()
  const refused: string[] = []
  const admit = (peer: RawPeer, head: string): void => {
    const selfId = headerOf(head, 'x-self-id')
    const shown = /^(?:Bearer|Token) (\S+)$/i.exec(headerOf(head, 'authorization') ?? '')?.[1]
    const why =
      selfId === undefined
        ? 'Missing X-Self-ID Header'
        : bots.has(selfId)
          ? `There's already a bot ${selfId}`
          : shown !== token
            ? 'Authorization Header is invalid'
            : undefined
    if (selfId === undefined || why !== undefined) {
      refused.push(why ?? '')
      peer.socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      return
    }
    const accept = acceptOf(headerOf(head, 'sec-websocket-key') ?? '')
    peer.socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    const bot = new NoneBot(peer, selfId)
    bots.set(selfId, bot)
    void peer.closed.then(() => bots.delete(selfId))
    met.push(bot)
  }
  const serve = async () => {
    for (;;) {
      const peer = await server.next()
      void peer.head.then((head) => head !== '' && admit(peer, head))
    }
  }
  void serve()
  return {
    url: server.url.replace(/\/$/, '/onebot/v11/ws'),
    next: () => met.take(),
    refused,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
