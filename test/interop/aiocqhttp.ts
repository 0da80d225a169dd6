// Stands in for aiocqhttp, which waits to be dialled: sends what it sends, insists on what it insists on.

import { OPCODE, type RawPeer, rawServer } from '../contract/raw.ts'
import { Inbox } from '../contract/witness.ts'
import { acceptOf, type Fields, headerOf, isText, nextFrame, ujson } from './wire.ts'

export interface Aiocqhttp extends AsyncDisposable {
  readonly url: string
  /** The role and the account of the next link that was let in. */
  readonly linked: Inbox<{ role: string; selfId: string }>
  /** Handshakes it refused, with the status. */
  readonly refused: readonly number[]
  /** Replies to calls that it never made. */
  readonly strays: readonly Fields[]
  /** What a handler of group messages answers: an object is a quick operation. */
  onMessage: (event: Fields) => Promise<Fields | undefined>
  /** `bot.call_action(action, **params)`, by the link of this account. */
  call(selfId: string, action: string, params: Fields): Promise<unknown>
}

export async function aiocqhttp(token: string): Promise<Aiocqhttp> {
  const server = await rawServer({ mute: true })
  const clients = new Map<string, RawPeer>()
  const futures = new Map<number, (reply: Fields) => void>()
  const linked: Aiocqhttp['linked'] = new Inbox()
  const refused: number[] = []
  const strays: Fields[] = []
  let seq = 1

  const result = (reply: Fields): void => {
    const { echo } = reply
    const number = typeof echo === 'object' && echo !== null ? (echo as Fields)['seq'] : undefined
    const future = Number.isInteger(number) ? futures.get(Number(number)) : undefined
    if (future === undefined) strays.push(reply)
    else future(reply)
  }

  const event = async (payload: Fields): Promise<void> => {
    if (payload['post_type'] !== 'message') return
    const operation = await self.onMessage(payload)
    if (operation === undefined) return
    const { message: _, raw_message: __, sender: ___, ...context } = payload
    const self_id = payload['self_id']
    await self.call(String(self_id), '.handle_quick_operation_async', { self_id, context, operation })
  }

  const universal = async (peer: RawPeer, selfId: string): Promise<void> => {
    clients.set(selfId, peer)
    for (;;) {
      const frame = await nextFrame(peer)
      if (typeof frame === 'string' || frame.opcode === OPCODE.close) break
      if (!isText(frame)) continue
      const payload: Fields = JSON.parse(frame.payload.toString())
      if ('post_type' in payload) void event(payload)
      else result(payload)
    }
    // Whoever took its place goes with it: two links of one account do it no good.
    clients.delete(selfId)
    peer.socket.end()
  }

  const admit = (peer: RawPeer, head: string): void => {
    const shown = /^(?:[Tt]oken|[Bb]earer) (\S+)$/.exec(headerOf(head, 'authorization') ?? '')?.[1]
    const role = headerOf(head, 'x-client-role') ?? ''
    const selfId = headerOf(head, 'x-self-id')
    const status = shown === undefined ? 401 : shown !== token ? 403 : undefined
    if (status !== undefined) {
      refused.push(status)
      peer.socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
      return
    }
    const accept = acceptOf(headerOf(head, 'sec-websocket-key') ?? '')
    peer.socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    // Any other role, and a missing account, end the handler at once.
    if (role.toLowerCase() !== 'universal' || selfId === undefined) peer.socket.end()
    else void universal(peer, selfId)
    linked.push({ role, selfId: selfId ?? '' })
  }

  const serve = async (): Promise<void> => {
    for (;;) {
      const peer = await server.next()
      void peer.head.then((head) => head !== '' && admit(peer, head))
    }
  }
  void serve()

  const self: Aiocqhttp = {
    url: `${server.url}ws/`,
    linked,
    refused,
    strays,
    onMessage: async () => undefined,
    async call(selfId, action, params) {
      const number = seq++
      const reply = new Promise<Fields>((resolve) => futures.set(number, resolve))
      const client = clients.get(selfId)
      if (client === undefined) throw new Error('aiocqhttp: ApiNotAvailable')
      client.send(OPCODE.text, ujson({ action, params, echo: { seq: number } }))
      const { status, retcode, data } = await reply
      futures.delete(number)
      if (status === 'failed') throw new Error(`aiocqhttp: ActionFailed ${retcode}`)
      return data
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
  return self
}
