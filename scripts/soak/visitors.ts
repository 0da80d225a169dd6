// Clients that come and go in every way there is: politely, without a word, in the middle of a call, halfway through the door.

import { answer } from '../bench/child.ts'
import { connect } from '../bench/socket.ts'

/** Visits under way at a time. */
const AT_ONCE = 50

const ignore = () => {}

/** Where visitors go: each way of being connected leaves something else to clean up. */
const VISITS: ((ws: string, http: string, number: number) => Promise<void>)[] = [
  async (ws) => (await connect({ url: `${ws}/onebot/v11/ws`, heard: ignore })).end(),
  async (ws) => (await connect({ url: `${ws}/event`, heard: ignore })).end(),
  async (ws, _http, number) =>
    (await connect({ url: `${ws}/onebot/v11/ws?client_name=visitor-${number}`, heard: ignore })).end(),
  async (ws) => {
    const client = await connect({ url: `${ws}/api`, heard: ignore })
    for (const action of ['get_login_info', 'send_private_msg', 'get_online_clients'])
      client.send(`{"action":"${action}","params":{},"echo":1}`)
    client.end()
  },
  async (ws) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const client = await connect({ url: `${ws}/onebot/v11/ws/api`, heard: () => resolve() })
    client.send('{"action":"get_online_clients","echo":{"any":"thing"}}')
    await promise
    client.end()
  },
  politely,
  async (ws) => {
    const client = await connect({ url: `${ws}/onebot/v11/ws`, heard: ignore })
    for (const text of ['', '{', '[]', 'null', '{"action":1}', '{"__proto__":{}}']) client.send(text)
    client.end()
  },
  halfwayThroughTheDoor,
]
/** Now and then somebody asks for a port of their own. */
const ALLOTTED_EVERY = 97

const handlers = answer({
  async visit({ ws, http, count }: { ws: string; http: string; count: number }): Promise<void> {
    let next = 0
    const visitor = async () => {
      while (next < count) {
        const number = next++
        if (number % ALLOTTED_EVERY === 0) await allotted(http)
        else await VISITS[number % VISITS.length]?.(ws, http, number)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, visitor))
  },
})

export type Visitors = typeof handlers

async function politely(ws: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = new WebSocket(`${ws}/`)
  socket.onopen = () => socket.close(1000, 'bye')
  socket.onclose = () => resolve()
  await promise
}

async function halfwayThroughTheDoor(ws: string): Promise<void> {
  const { hostname, port } = new URL(ws)
  const socket = await Bun.connect({ hostname, port: Number(port), socket: { data: ignore, error: ignore } })
  socket.write('GET /onebot/v11/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n')
  socket.terminate()
}

async function allotted(http: string): Promise<void> {
  const response = await fetch(`${http}/api/get_ws_port`)
  const { data } = (await response.json()) as { data: { port: number } } // the gateway's own answer
  const client = await connect({ url: `ws://127.0.0.1:${data.port}/`, heard: ignore })
  client.end()
}
