// Stands in for perpetua's official Java SDK: sends what it sends, insists on what it insists on.

import { OPCODE, type RawPeer, request } from '../contract/raw.ts'
import { Inbox } from '../contract/witness.ts'
import { acceptOf, type Fields, headerOf, isText, nextFrame } from './wire.ts'

export interface Client {
  app_id?: string
  client_name?: string
}

const POST_TYPES = ['message', 'request', 'notice', 'meta_event', 'distributed']

export class JavaSdk implements AsyncDisposable {
  /** Events it could not turn into objects of its own, each with the reason. */
  readonly dropped: string[] = []
  readonly port: number
  readonly #peer: RawPeer
  readonly #events = new Inbox<Fields>()
  readonly #waiting = new Map<string, (reply: Fields) => void>()
  readonly #reading: Promise<void>
  readonly #api: string

  private constructor(api: string, port: number, peer: RawPeer) {
    this.#api = api
    this.port = port
    this.#peer = peer
    this.#reading = this.#read()
  }

  /** `OneBotConnection.start`: asks for a port, connects to it, asks who it is. */
  static async start(api: string, token: string): Promise<JavaSdk> {
    // A cast to Integer on its side.
    const { port } = (await webApi(api, 'get_ws_port')) as { port: number }
    if (!Number.isInteger(port)) throw new Error(`java: ClassCastException: port ${port}`)
    const peer = await handshake(port, token)
    const sdk = new JavaSdk(api, port, peer)
    await sdk.request('get_login_info')
    return sdk
  }

  /** `getOnlineClients`, over HTTP: what is no list is an exception. */
  async onlineClients(): Promise<Client[]> {
    return JavaSdk.onlineClients(this.#api)
  }
  static async onlineClients(api: string): Promise<Client[]> {
    const clients = await webApi(api, 'get_online_clients')
    if (!Array.isArray(clients)) throw new Error(`java: NullPointerException: data is ${JSON.stringify(clients)}`)
    return clients
  }

  /** A call over the link; a reply that says `failed` is an exception. */
  async request(action: string, params: Fields = {}): Promise<Fields> {
    const echo = crypto.randomUUID()
    const reply = new Promise<Fields>((resolve) => this.#waiting.set(echo, resolve))
    this.#peer.send(OPCODE.text, JSON.stringify({ action, params, echo }))
    const response = await reply
    if (response['status'] === 'failed') throw new Error(`java: APIInvokeException: ${JSON.stringify(response)}`)
    return (response['data'] ?? {}) as Fields // data of all actions used here is an object
  }

  /** The next event `wanted` likes. */
  async hears(wanted: (event: Fields) => boolean): Promise<Fields> {
    for (;;) {
      const event = await this.#events.take()
      if (event['post_type'] === 'over') throw new Error(`java: the channel is closed: ${event['why']}`)
      if (wanted(event)) return event
    }
  }

  /** `channel.close()`: the connection ends, without a word. */
  async leave(): Promise<void> {
    this.#peer.socket.end()
    await this.#reading
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#peer.socket.destroy()
    await this.#reading
  }

  async #read(): Promise<void> {
    for (;;) {
      const frame = await nextFrame(this.#peer)
      if (frame !== 'gone' && frame !== 'silent' && isText(frame)) {
        this.#received(frame.payload.toString())
        continue
      }
      // PING and PONG end in a NullPointerException, and that in a closed channel; a close frame is not answered.
      const why = typeof frame === 'string' ? frame : `frame of type ${frame.opcode}`
      this.#peer.socket.end()
      this.#events.push({ post_type: 'over', why })
      return
    }
  }

  #received(text: string): void {
    const json: Fields = JSON.parse(text)
    // Present counts, even as null.
    if ('echo' in json) {
      const echo = String(json['echo'])
      this.#waiting.get(echo)?.(json)
      this.#waiting.delete(echo)
      return
    }
    const reason = whyDropped(json)
    if (reason === undefined) this.#events.push(json)
    else this.dropped.push(`${reason}: ${text}`)
  }
}

/** What its event types cannot be made of. */
function whyDropped(json: Fields): string | undefined {
  const postType = String(json['post_type'])
  if (!POST_TYPES.includes(postType)) return `TypeParseException: ${postType}`
  if (typeof json[`${postType}_type`] !== 'string') return `NullPointerException: ${postType}_type`
  if ('sub_type' in json && typeof json['sub_type'] !== 'string') return 'UnsupportedOperationException: sub_type'
  // Ten digits are seconds, anything else would be taken for milliseconds.
  if (!/^\d{10}$/.test(String(json['time']))) return `time: ${json['time']}`
  if (!Number.isInteger(json['self_id'])) return `NumberFormatException: self_id ${json['self_id']}`
  return undefined
}

/** Apache's client, and no header of ours: `status` must be the word in lower case. */
async function webApi(api: string, endpoint: string): Promise<unknown> {
  const response = await fetch(`${api}/api/${endpoint}`, {
    headers: { 'User-Agent': 'Apache-HttpClient/4.5.14 (Java/1.8.0_392)', 'Accept-Encoding': 'gzip,deflate' },
    signal: AbortSignal.timeout(120_000),
  })
  if (response.status !== 200) throw new Error(`java: Unexpected status: ${response.status}`)
  const { status, data } = (await response.json()) as { status: unknown; data: unknown }
  if (status !== 'ok' && status !== 'async') throw new Error(`java: APIInvokeException: status ${status}`)
  return data
}

/** Netty's: names in lower case, an Origin, compression offered, the token as it is. */
async function handshake(port: number, token: string): Promise<RawPeer> {
  const key = Buffer.from(crypto.randomUUID().slice(0, 16)).toString('base64')
  const peer = request(port, 'GET /', {
    upgrade: 'websocket',
    connection: 'upgrade',
    'sec-websocket-key': key,
    host: `127.0.0.1:${port}`,
    origin: `http://127.0.0.1:${port}`,
    'sec-websocket-version': '13',
    'content-type': 'application/json',
    ...(token === '' ? {} : { authorization: token }),
    'sec-websocket-extensions': 'permessage-deflate;client_max_window_bits,deflate-frame,x-webkit-deflate-frame',
  })
  const head = await peer.head
  const status = /^HTTP\/1\.1 (\d+)/.exec(head)?.[1]
  if (status !== '101') throw new Error(`java: WebSocketHandshakeException: status ${status}`)
  if (headerOf(head, 'sec-websocket-accept') !== acceptOf(key)) throw new Error('java: Invalid challenge')
  if (headerOf(head, 'sec-websocket-extensions') !== undefined) throw new Error('java: compression was accepted')
  return peer
}
