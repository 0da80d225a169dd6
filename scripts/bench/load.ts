// The clients of the bench, all in one process: they count what arrives, tell how old it is, and call.

import { answer } from './child.ts'
import { age, clock, eventBytes, stampAt } from './frame.ts'
import { quantile } from './measure.ts'
import { type Client, connect } from './socket.ts'

export interface Delays {
  p50: number
  p99: number
  max: number
  count: number
}

export interface CallLoad {
  url: string
  links: number
  /** Calls that each link has open at a time. */
  depth: number
  seconds: number
}

export interface Crowd {
  name: string
  url: string
  size: number
  named?: boolean
  hello?: string | undefined
}

const SECRET = /"secret":"([^"]+)"/
/** How many handshakes are under way at a time. */
const AT_ONCE = 64

const clients = new Map<string, Client[]>()
const ofOurs = eventBytes()
/** What is shorter is no event: heartbeats, notices. */
let shortest = ofOurs
const offset = stampAt()
let events = 0
let frames = 0
let perAcknowledgement = 0
let chunks = 0
let source: WebSocket | undefined
let ages: number[] | undefined
/** Of all links together. */
let called = 0

function heard(length: number, chunk: Uint8Array, at: number): void {
  frames += 1
  if (length < shortest) return
  events += 1
  if (ages !== undefined) {
    const ms = age(chunk, at + offset, clock())
    if (ms !== undefined) ages.push(ms)
  }
  if (events === perAcknowledgement * (chunks + 1)) {
    chunks += 1
    source?.send(String(chunks))
  }
}

function delays(values: number[]): Delays {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: quantile(values, 1), count: values.length }
}

const group = (name: string) => clients.get(name) ?? []

const handlers = answer({
  /** Where bursts are acknowledged. */
  async acknowledgeTo(url: string): Promise<void> {
    source = new WebSocket(url)
    await new Promise((resolve) => source?.addEventListener('open', resolve, { once: true }))
  },

  /** Makes the group this big. `named`: each says its name, that of the group and its number. `hello`: what each says first. */
  async grow({ name, url, size, named = false, hello }: Crowd): Promise<void> {
    const members = group(name)
    clients.set(name, members)
    while (members.length < size) {
      const first = members.length
      const urls = Array.from({ length: Math.min(AT_ONCE, size - first) }, (_, at) =>
        named ? `${url}?client_name=${name}${first + at}` : url,
      )
      const fresh = await Promise.all(urls.map((one) => connect({ url: one, heard })))
      if (hello !== undefined) for (const client of fresh) client.send(hello)
      members.push(...fresh)
    }
  },

  /** Comes, is told with which secret it may come back, and goes. */
  async visit(url: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    const client = await connect({
      url,
      heard(length, chunk, at) {
        const secret = SECRET.exec(Buffer.from(chunk.subarray(at, at + length)).toString())?.[1]
        if (secret !== undefined) resolve(secret)
      },
    })
    const secret = await promise
    client.end()
    return secret
  },

  /** Comes back, and goes once it has so many events. Milliseconds. */
  async catchUp({ url, events: missed }: { url: string; events: number }): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const began = performance.now()
    let count = 0
    const client = await connect({
      url,
      heard(length) {
        if (length < ofOurs) return
        count += 1
        if (count === missed) resolve()
      },
    })
    await promise
    client.end()
    return performance.now() - began
  },

  /** One that reads nothing from now on. */
  async stuck({ name, url }: { name: string; url: string }): Promise<void> {
    const client = await connect({ url, heard() {} })
    client.pause()
    clients.set(name, [client])
  },

  end(name: string): void {
    for (const client of group(name)) client.end()
    clients.delete(name)
  },

  open: (name: string) => group(name).filter((client) => client.open).length,

  /** From here on each `deliveries` events of this length or more are acknowledged. */
  expect(deliveries: number, length = ofOurs): void {
    perAcknowledgement = deliveries
    shortest = length
    events = 0
    chunks = 0
  },

  /** Events since the last `expect`. */
  events: () => events,

  /** Resolves once so many have come since then. */
  async arrived(deliveries: number): Promise<void> {
    while (events < deliveries) await Bun.sleep(5)
  },

  /** Resolves once nothing has come for so long (ms). */
  async quiet(ms: number): Promise<void> {
    for (let before = -1; before !== frames; ) {
      before = frames
      await Bun.sleep(ms)
    }
  },

  watchAges(): void {
    ages = []
  },

  ages(): Delays {
    const seen = ages ?? []
    ages = undefined
    return delays(seen)
  },

  /** Calls until the time is up, and waits for the last reply. Milliseconds. */
  async calls({ url, links, depth, seconds }: CallLoad): Promise<Delays & { ms: number }> {
    const waits: number[] = []
    const began = performance.now()
    const end = began + seconds * 1000
    await Promise.all(Array.from({ length: links }, () => callsOnOneLink({ url, depth, end, waits })))
    return { ...delays(waits), ms: performance.now() - began }
  },
})

async function callsOnOneLink({
  url,
  depth,
  end,
  waits,
}: {
  url: string
  depth: number
  end: number
  waits: number[]
}) {
  const { promise, resolve } = Promise.withResolvers<void>()
  /** Replies come in the order of the calls. */
  const sent: number[] = []
  let count = 0
  const call = () => {
    count += 1
    sent.push(performance.now())
    // Equal reads would share one call upstream.
    client.send(`{"action":"get_login_info","params":{"nth":${++called}},"echo":"${count}"}`)
  }
  const client = await connect({
    url,
    heard() {
      const now = performance.now()
      waits.push(now - (sent.shift() ?? now))
      if (now < end) call()
      else if (sent.length === 0) resolve()
    },
  })
  for (let index = 0; index < depth; index++) call()
  await promise
  client.end()
}

export type Load = typeof handlers
