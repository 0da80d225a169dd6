// The story in which everybody is killed in turn under load, and what everybody has noted at its end.

import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Folder, folder } from './folder.ts'
import { type Lasting, lasting } from './lasting.ts'
import type { Mortal } from './mortal.ts'
import { ownPort } from './port.ts'
import { type Program, program } from './program.ts'
import type { Returner } from './returner.ts'
import { type Notes, notesOf, type Told } from './verdict.ts'

export interface Story {
  rounds: number
  /** Events a second. */
  rate: number
  /** Calls a second, of all clients together. */
  calls: number
  /** How long (ms) everybody lives between two deaths. */
  life: number
  say?: (text: string) => void
}

const CLIENTS = [
  { name: 'token', token: 'token-of-its-own', ack: 'ping' },
  { name: 'secret', ack: 'ping' },
  { name: 'explicit', token: 'another-token', ack: 'explicit' },
] as const
/** Milliseconds between two durable calls of a client. */
const DURABLES = 250
/** How long (ms) everybody is waited for before it is said who is missing. */
const PATIENCE = 60_000

/** Tells what became of it all. */
export async function mortals(story: Story): Promise<Told> {
  await using stage = new Stage(await folder(), story)
  return await stage.play()
}

class Stage implements AsyncDisposable {
  readonly #home: Folder
  readonly #story: Story
  readonly #hook: Bun.Server<undefined>
  readonly #clients = new Map<string, Program>()
  readonly #port = ownPort()
  #lives = 0
  #implementation: Program | undefined
  #gateway: Lasting | undefined

  constructor(home: Folder, story: Story) {
    this.#home = home
    this.#story = story
    const notes = home.at('hook')
    this.#hook = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      async fetch(request) {
        const { raw_message: text } = (await request.json()) as { raw_message?: string } // what the mortal said
        if (text !== undefined) appendFileSync(notes, `at ${Date.now()}\nevent ${text}\n`)
        return new Response(null, { status: 204 })
      },
    })
  }

  async play(): Promise<Told> {
    const { rounds, say = () => undefined } = this.#story
    await this.#begin()
    for (let round = 1; round <= rounds; round++) {
      await this.#afterLife()
      await this.#killGateway()
      await this.#afterLife()
      await this.#killImplementation()
      await this.#afterLife()
      await this.#killClients()
      say(`killed everybody ${round} of ${rounds} times`)
    }
    await this.#afterLife()
    await this.#end()
    return {
      clients: CLIENTS.map(({ name }) => this.#read(name)),
      hook: this.#read('hook'),
      did: [...this.#text('did').matchAll(/^did (.*)$/gm)].map(([, what = '']) => what),
      unknown: [...this.#its.said.matchAll(/durable action: whether .* id=(\S+)/g)].map(([, id = '']) => id),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of [...this.#clients.values(), this.#implementation, this.#gateway])
      await one?.[Symbol.asyncDispose]()
    await this.#hook.stop(true)
    await this.#home[Symbol.asyncDispose]()
  }

  get #its(): Lasting {
    if (this.#gateway === undefined) throw new Error('mortals: there is no gateway yet')
    return this.#gateway
  }

  async #begin(): Promise<void> {
    // The first life is for the account to be known; what counts begins with the next one, when everybody is there.
    await this.#bear(0)
    const tokens = CLIENTS.flatMap((client) => ('token' in client ? [client] : []))
    this.#gateway = await lasting({
      'ntqq-impl': { 'external-web-socket': `ws://127.0.0.1:${this.#port}/` },
      clients: tokens.map(({ name, token, ack }) => ({ name, token, resume: { ack } })),
      'http-post': [{ name: 'hook', url: `http://127.0.0.1:${this.#hook.port}/`, filter: { types: ['message'] } }],
      // What is asked for again and again must go up each time.
      actions: { coalesce: false },
    })
    await this.#gateway.until(({ bots }) => bots[0]?.online === true)
    this.#moved()
    for (const { name } of CLIENTS) this.#client(name)
    await this.#allThere()
    await this.#killImplementation()
  }

  async #killGateway(): Promise<void> {
    await this.#its.kill()
    appendFileSync(this.#home.at('hook'), `killed ${Date.now()}\n`)
    await this.#its.start()
    this.#moved()
    await this.#its.until(({ bots }) => bots[0]?.online === true)
    await this.#allThere()
  }

  async #killImplementation(): Promise<void> {
    this.#implementation?.signal('SIGKILL')
    await this.#implementation?.ended
    await this.#its.until(({ bots }) => bots[0]?.online === false)
    await this.#bear(this.#story.rate)
    await this.#its.until(({ bots }) => bots[0]?.online === true)
  }

  async #killClients(): Promise<void> {
    for (const { name } of CLIENTS) {
      const client = this.#clients.get(name)
      client?.signal('SIGKILL')
      await client?.ended
      this.#client(name)
    }
    await this.#allThere()
  }

  /** No more news: what was said arrives, what was asked is answered. */
  async #end(): Promise<void> {
    for (const client of this.#clients.values()) client.signal('SIGUSR1')
    this.#implementation?.signal('SIGUSR1')
    const until = performance.now() + PATIENCE
    for (let missing = this.#missing(); missing !== undefined; missing = this.#missing()) {
      if (performance.now() > until) throw new Error(`mortals: after a minute ${missing}`)
      await sleep(100)
    }
    // Durable calls that were kept up to now are answered, too.
    await this.#its.until(({ bots }) => bots[0]?.waiting.waiting === 0 && bots[0].waiting.replies === 0)
  }

  #missing(): string | undefined {
    const last = /^last (.*)$/m.exec(this.#text('did'))?.[1]
    if (last === undefined) return 'the implementation speaks on'
    for (const name of [...CLIENTS.map((client) => client.name), 'hook']) {
      const notes = this.#read(name)
      if (notes.events.at(-1)?.text !== last) return `${name} has not heard event ${last}`
      if (notes.open.size > 0) return `${name} has no reply to ${[...notes.open].slice(0, 3)}`
    }
    return undefined
  }

  async #bear(rate: number): Promise<void> {
    const wish: Mortal = { port: this.#port, life: this.#lives++, rate, notes: this.#home.at('did') }
    this.#implementation = program([JSON.stringify(wish)], { cwd: this.#home.path, entry: 'test/support/mortal.ts' })
    await this.#implementation.says(/ready/)
  }

  #client(wanted: string): void {
    const client = CLIENTS.find(({ name }) => name === wanted) ?? CLIENTS[0]
    const notes = this.#home.at(wanted)
    appendFileSync(notes, '')
    const wish: Returner = {
      ...client,
      address: this.#home.at('address'),
      notes,
      calls: (1_000 * CLIENTS.length) / this.#story.calls,
      durables: DURABLES,
    }
    const born = program([JSON.stringify(wish)], { cwd: this.#home.path, entry: 'test/support/returner.ts' })
    this.#clients.set(wanted, born)
  }

  #moved(): void {
    writeFileSync(this.#home.at('address'), this.#its.ws)
  }

  async #allThere(): Promise<void> {
    const there = ({ transport, state }: { transport: string; state: string }) =>
      transport === 'forward' && (state === 'live' || state === 'catching-up')
    await this.#its.until(({ bots }) => bots[0]?.sessions.filter(there).length === CLIENTS.length)
  }

  #afterLife(): Promise<void> {
    return sleep(this.#story.life * (1 + Math.random() / 2))
  }

  #text(name: string): string {
    return existsSync(this.#home.at(name)) ? readFileSync(this.#home.at(name), 'utf8') : ''
  }
  #read(name: string): Notes {
    return notesOf(name, this.#text(name))
  }
}
