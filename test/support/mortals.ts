// The story in which everybody is killed in turn under load, and what everybody has noted at its end.

import { appendFileSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Folder, folder } from './folder.ts'
import { type Lasting, lasting } from './lasting.ts'
import type { Mortal } from './mortal-life.ts'
import { ownPort } from './port.ts'
import { type Program, program } from './program.ts'
import type { Returner } from './returner.ts'
import { milky } from './upstream.ts'
import { confirmations, type Notes, notesOf, type Told } from './verdict.ts'

export interface Story {
  rounds: number
  /** Events a second while the gateway is there: those of a time without an implementation follow when one is back. */
  rate: number
  /** Calls a second, of all clients together: likewise. */
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
/** Whose notes tell what was heard. */
const NOTES = [...CLIENTS.map(({ name }) => name), 'hook']
/** So much more is offered than is wanted: what dies with the dead is never heard, nor asked anew. */
const MORE = 1.03
/** How long (ms) everybody may do nothing before it is said who is missing. */
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
  /** Since when the gateway is there (ms since 1970), and how long (ms) earlier ones were. */
  #since = 0
  #up = 0
  /** What each client had confirmed when this life of the gateway began. */
  #confirmed: number[] = []
  #implementation: Program | undefined
  #gateway: Lasting | undefined

  constructor(home: Folder, story: Story) {
    this.#home = home
    this.#story = story
    const notes = openSync(home.at('hook'), 'a')
    this.#hook = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      async fetch(request) {
        const { raw_message: text } = (await request.json()) as { raw_message?: string } // what the mortal said
        if (text !== undefined) writeSync(notes, `at ${Date.now()}\nevent ${text}\n`)
        return new Response(null, { status: 204 })
      },
    })
  }

  async play(): Promise<Told> {
    const { rounds, say = () => undefined } = this.#story
    await this.#begin()
    for (let round = 1; round <= rounds; round++) {
      await this.#haveConfirmed()
      await this.#afterLife()
      await this.#killGateway()
      await this.#afterLife()
      await this.#killImplementation()
      await this.#afterLife()
      await this.#killClients()
      say(`killed everybody ${round} of ${rounds} times`)
    }
    await this.#haveConfirmed()
    await this.#afterLife()
    await this.#end()
    return {
      clients: CLIENTS.map(({ name }) => this.#read(name)),
      hook: this.#read('hook'),
      did: [...this.#text('did').matchAll(/^did (.*)$/gm)].map(([, what = '']) => what),
      links: new Set([...this.#text('did').matchAll(/^link (\d+)$/gm)].map(([, link]) => Number(link))),
      up: this.#up,
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
    await this.#bear(0, 0)
    const tokens = CLIENTS.flatMap((client) => ('token' in client ? [client] : []))
    this.#gateway = await lasting({
      'ntqq-impl': milky
        ? { mode: 'milky', milky: { url: `http://127.0.0.1:${this.#port}` } }
        : { 'external-web-socket': `ws://127.0.0.1:${this.#port}/` },
      clients: tokens.map(({ name, token, ack }) => ({ name, token, resume: { ack } })),
      'http-post': [{ name: 'hook', url: `http://127.0.0.1:${this.#hook.port}/`, filter: { types: ['message'] } }],
      // What is asked for again and again must go up each time.
      actions: { coalesce: false },
    })
    await this.#gateway.until(({ bots }) => bots[0]?.online === true)
    this.#moved()
    for (const { name } of CLIENTS) this.#client(name, this.#since)
    await this.#allThere()
    await this.#killImplementation(this.#since)
  }

  async #killGateway(): Promise<void> {
    await this.#its.kill()
    this.#up += Date.now() - this.#since
    appendFileSync(this.#home.at('hook'), `killed ${Date.now()}\n`)
    await this.#its.start()
    this.#moved()
    await this.#its.until(({ bots }) => bots[0]?.online === true)
    await this.#allThere()
  }

  /** @param silent since when nothing has been said (ms since 1970). */
  async #killImplementation(silent?: number): Promise<void> {
    this.#implementation?.signal('SIGKILL')
    await this.#implementation?.ended
    const since = silent ?? Date.now()
    await this.#its.until(({ bots }) => bots[0]?.online === false)
    await this.#bear(this.#story.rate * MORE, since)
    await this.#its.until(({ bots }) => bots[0]?.online === true)
  }

  async #killClients(): Promise<void> {
    for (const { name } of CLIENTS) {
      const client = this.#clients.get(name)
      client?.signal('SIGKILL')
      await client?.ended
      this.#client(name, Date.now())
    }
    await this.#allThere()
  }

  /** No more news: what was said arrives, what was asked is answered. */
  async #end(): Promise<void> {
    this.#up += Date.now() - this.#since
    for (const client of this.#clients.values()) client.signal('SIGUSR1')
    this.#implementation?.signal('SIGUSR1')
    let until = performance.now() + PATIENCE
    let before = 0
    for (let missing = this.#missing(); missing !== undefined; missing = this.#missing()) {
      // Slow is not stuck: a busy machine may have much to catch up with.
      const now = NOTES.reduce((sum, name) => sum + this.#text(name).length, 0)
      if (now > before) until = performance.now() + PATIENCE
      else if (performance.now() > until) throw new Error(`mortals: nothing happens for a minute, and ${missing}`)
      before = now
      await sleep(100)
    }
    // Durable calls that were kept up to now are answered, too.
    await this.#its.until(({ bots }) => bots[0]?.waiting.waiting === 0 && bots[0].waiting.replies === 0)
  }

  #missing(): string | undefined {
    const last = /^last (.*)$/m.exec(this.#text('did'))?.[1]
    if (last === undefined) return 'the implementation speaks on'
    for (const name of NOTES) {
      const text = this.#text(name)
      if (!lastEvent(text).startsWith(`${last}\n`)) return `${name} has not heard event ${last}`
      const { open } = notesOf(name, text)
      if (open.size > 0) return `${name} has no reply to ${[...open].slice(0, 3)}`
    }
    return undefined
  }

  async #bear(rate: number, since: number): Promise<void> {
    const [notes, hook] = [this.#home.at('did'), this.#home.at('hook')]
    const wish: Mortal = { port: this.#port, life: this.#lives++, rate, since, notes, hook }
    const entry = milky ? 'test/support/milky-mortal.ts' : 'test/support/mortal.ts'
    this.#implementation = program([JSON.stringify(wish)], { cwd: this.#home.path, entry })
    await this.#implementation.says(/ready/)
  }

  #client(wanted: string, since: number): void {
    const client = CLIENTS.find(({ name }) => name === wanted) ?? CLIENTS[0]
    const notes = this.#home.at(wanted)
    appendFileSync(notes, '')
    const wish: Returner = {
      ...client,
      address: this.#home.at('address'),
      notes,
      calls: (this.#story.calls * MORE) / CLIENTS.length,
      since,
    }
    const born = program([JSON.stringify(wish)], { cwd: this.#home.path, entry: 'test/support/returner.ts' })
    this.#clients.set(wanted, born)
  }

  #moved(): void {
    this.#since = Date.now()
    this.#confirmed = this.#confirmations()
    // At once or not at all: others read it all the time.
    writeFileSync(this.#home.at('moving'), `${this.#its.ws} ${this.#since}`)
    renameSync(this.#home.at('moving'), this.#home.at('address'))
  }

  /** Each client has confirmed something in this life of the gateway: else its death would say nothing of that. */
  async #haveConfirmed(): Promise<void> {
    while (this.#confirmations().some((count, at) => count <= (this.#confirmed[at] ?? 0))) await sleep(200)
  }
  #confirmations(): number[] {
    return CLIENTS.map(({ name }) => confirmations(this.#read(name).marks).length)
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

/** Where the last event stands in notes, to their end. Without a look at the rest, which is long. */
function lastEvent(notes: string): string {
  const mark = '\nevent '
  const at = notes.lastIndexOf(mark)
  return at < 0 ? '' : notes.slice(at + mark.length)
}
