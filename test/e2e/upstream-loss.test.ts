import { expect, test } from 'bun:test'
import type { Client, Frame } from '../support/client.ts'
import { numbered, numberIn } from '../support/crowd.ts'
import { EAGER, gateway, type TestGateway } from '../support/gateway.ts'
import { heartbeat, lifecycle, ok } from '../support/implementation.ts'
import { testbed } from '../support/testbed.ts'
import { overOneBot } from '../support/upstream.ts'

const KILLS = 10
const CLIENTS = 5
/** Calls each client keeps in flight. */
const WINDOW = 20

/** A client that calls as fast as it is answered, reads and writes in turn, and counts the replies to each call. */
class Busy {
  readonly replies = new Map<string, Frame[]>()
  readonly numbers: number[] = []
  readonly #client: Client
  readonly #name: string
  #calls = 0
  #wanted = true

  constructor(client: Client, name: string) {
    this.#client = client
    this.#name = name
    client.socket.addEventListener('message', ({ data }) => this.#heard(String(data)))
    for (let i = 0; i < WINDOW; i++) this.#call()
  }

  get answered(): number {
    return [...this.replies.values()].filter(({ length }) => length > 0).length
  }
  get open(): number {
    return this.replies.size - this.answered
  }
  finish(): void {
    this.#wanted = false
  }

  #call(): void {
    if (!this.#wanted) return
    const n = this.#calls++
    const [action, kind] = n % 2 === 0 ? ['get_group_list', 'read'] : ['send_group_msg', 'write']
    const echo = `${this.#name}-${kind}-${n}`
    this.replies.set(echo, [])
    this.#client.send({ action, params: kind === 'read' ? {} : { group_id: n, message: 'x' }, echo })
  }

  #heard(raw: string): void {
    const number = numberIn(raw)
    if (number > 0) return void this.numbers.push(number)
    const frame: Frame = JSON.parse(raw)
    if (frame['post_type'] !== undefined) return
    this.replies.get(String(frame['echo']))?.push(frame)
    // Who is told that nobody is there asks again a little later.
    if (frame['retcode'] === 1503) setTimeout(() => this.#call(), 5)
    else this.#call()
  }
}

/** Resolves in the turn of the loop in which it has become so. */
async function when(fact: () => boolean): Promise<void> {
  while (!fact()) await Bun.sleep(1)
}

test('[LOAD5] [LOAD6] with the implementation killed ten times under load, clients stay and each call gets one reply', async () => {
  await using bed = await testbed({ patience: EAGER, config: { actions: { hold: '0s' } } })
  const { bot } = bed
  bot.answer = (frame) => {
    setTimeout(() => bot.send(ok(frame)), 2)
    return undefined
  }
  await bot.handshakes.take()
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => bed.client()))
  const busy = clients.map((client, i) => new Busy(client, `client${i}`))
  const total = () => busy.reduce((sum, { answered }) => sum + answered, 0)
  let spoken = 0
  const speaking = setInterval(() => {
    if (bot.links.size > 0) for (let i = 0; i < 5; i++) bot.send(numbered(++spoken))
  }, 1)

  for (let kill = 0; kill < KILLS; kill++) {
    const [before, saidBefore] = [total(), spoken]
    await when(() => total() >= before + 200 && spoken >= saidBefore + 50)
    if (kill % 3 === 0) bot.drop()
    else if (kill % 3 === 1) bot.close(1001, 'restarting')
    else {
      await bot.stop()
      await when(() => bed.gateway.facts.some(({ kind }) => kind === 'upstream-retry'))
      bot.start()
    }
    await bot.handshakes.take()
  }
  clearInterval(speaking)
  for (const one of busy) one.finish()
  await when(() => busy.every(({ open }) => open === 0))
  await bed.gateway.until(({ bots }) => bots[0]?.online === true)
  bot.send(numbered(++spoken))
  await when(() => busy.every(({ numbers }) => numbers.at(-1) === spoken))

  for (const { socket } of clients) expect(socket.readyState).toBe(WebSocket.OPEN)
  for (const { replies } of busy)
    for (const [echo, frames] of replies) {
      expect(frames).toHaveLength(1)
      // Reads are asked again; of writes in flight nobody can say what became of them.
      expect(echo.includes('read') ? [0, 1503] : [0, 1503, 1504]).toContain(Number(frames[0]?.['retcode']))
    }
  const codes = new Set(busy.flatMap(({ replies }) => [...replies.values()].map(([frame]) => frame?.['retcode'])))
  expect([...codes].sort()).toEqual([0, 1503, 1504])
  // The same events for everybody, in order, none twice; what was cut off on its way to us nobody can have.
  for (const { numbers } of busy) {
    expect(numbers).toEqual(busy[0]?.numbers ?? [])
    expect(numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? 0))).toBe(true)
  }
  expect(bed.gateway.facts.filter(({ kind }) => kind === 'upstream-lost')).toHaveLength(KILLS)
  expect((await bed.gateway.status()).bots[0]?.waiting).toEqual({
    replies: 0,
    waiting: 0,
    held: false,
    paced: 0,
    catchingUp: 0,
    away: 0,
  })
})

overOneBot('Milky has no heartbeats: [MLU5] is about those who fall silent there')(
  '[LOAD7] an implementation that falls silent is taken for dead after three of its heartbeats, and dialled again',
  async () => {
    await using bed = await testbed({ patience: EAGER, bot: { first: [lifecycle(), heartbeat(200)] } })
    const client = await bed.client()
    await bed.bot.handshakes.take()
    await bed.bot.handshakes.take()
    const lost = bed.gateway.facts.find((fact) => fact.kind === 'upstream-lost')
    const silentFor = Number(/^silent for (\d+) ms/.exec(lost?.reason ?? '')?.[1])
    expect(silentFor).toBeGreaterThan(600)
    expect(await bed.bot.ended.take()).toBe(1000)
    await bed.gateway.until(({ bots }) => bots[0]?.online === true)
    bed.bot.send(numbered(1))
    await client.next((_, raw) => numberIn(raw) === 1)
  },
)

/** An implementation that does not like our token, in one of the ways they have, until it is told to. */
class Picky implements AsyncDisposable {
  likes = false
  dials = 0
  readonly #server: Bun.Server<undefined>
  #link: Bun.ServerWebSocket<undefined> | undefined

  constructor(refuse: { status: number } | { frame?: string; code: number }) {
    this.#server = Bun.serve<undefined>({
      hostname: '127.0.0.1',
      port: 0,
      fetch: (request, server) => {
        this.dials += 1
        if (!this.likes && 'status' in refuse) return new Response('no', refuse)
        return server.upgrade(request) ? undefined : new Response('upgrade', { status: 426 })
      },
      websocket: {
        open: (link) => {
          this.#link = link
          if (this.likes) link.send(lifecycle())
          else if ('code' in refuse) {
            if (refuse.frame !== undefined) link.send(refuse.frame)
            link.close(refuse.code)
          }
        },
        message() {},
      },
    })
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.port}/`
  }
  drop(): void {
    this.#link?.terminate()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.stop(true)
  }
}

const REFUSED = 'the ways in which it refuses are its own: [MLU3] has those of Milky'
const refusals = ({ facts }: TestGateway) => facts.filter((fact) => fact.kind === 'upstream-refused')

for (const [how, refuse, reason] of [
  ['401', { status: 401 }, /: the peer answered 401$/],
  ['403', { status: 403 }, /: the peer answered 403$/],
  [
    'a 1403 frame',
    { frame: '{"status":"failed","retcode":1403,"data":null,"message":"token验证失败","echo":null}', code: 1000 },
    /^it answered 1403: token验证失败$/,
  ],
  ['close code 1008', { code: 1008 }, /^closed with 1008$/],
] as const)
  overOneBot(REFUSED)(`[LOAD8] a token refused by ${how} is told once, however often it is tried`, async () => {
    await using picky = new Picky(refuse)
    const config = { 'ntqq-impl': { 'external-web-socket': picky.url, 'external-access-token': 'wrong' } }
    await using running = await gateway(config, { patience: { ...EAGER, refused: 30 } })
    await when(() => picky.dials >= 5)
    expect(refusals(running)).toEqual([expect.objectContaining({ reason: expect.stringMatching(reason) })])
    expect(running.facts.filter(({ kind }) => kind === 'upstream-retry')).toEqual([])

    picky.likes = true
    await running.until(({ bots }) => bots[0]?.online === true)
    picky.likes = false
    picky.drop()
    await when(() => refusals(running).length === 2)
  })

overOneBot(REFUSED)('[LOAD8] after a refused token the next try is a minute away', async () => {
  await using picky = new Picky({ status: 403 })
  await using running = await gateway({ 'ntqq-impl': { 'external-web-socket': picky.url } }, { patience: EAGER })
  await when(() => refusals(running).length === 1)
  expect(refusals(running)[0]).toMatchObject({ inMs: 60_000 })
  expect(picky.dials).toBe(1)
})
