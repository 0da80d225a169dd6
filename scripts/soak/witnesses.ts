// Clients that stay and keep count: of events by life and number, of replies by echo.

import { answer } from '../bench/child.ts'

export interface Account {
  /** Links that ended, though nobody asked them to. */
  closed: number
  events: number
  lost: number
  doubled: number
  /** Events that not every client has. */
  unequal: number
  calls: number
  unanswered: number
  answeredTwice: number
  /** Replies by retcode. */
  retcodes: Record<string, number>
}

interface Frame {
  post_type?: string
  message_type?: string
  raw_message?: string
  retcode?: number
  echo?: string
}

class Witness {
  readonly socket: WebSocket
  /** The last number seen of each life. */
  readonly last = new Map<number, number>()
  readonly open = new Set<string>()
  readonly answered = new Set<string>()
  readonly retcodes: Record<string, number> = {}
  closed = false
  events = 0
  lost = 0
  doubled = 0
  answeredTwice = 0
  #calls = 0

  constructor(url: string) {
    this.socket = new WebSocket(url)
    this.socket.onmessage = ({ data }) => this.#heard(JSON.parse(String(data)))
    this.socket.onclose = () => {
      this.closed = true
    }
  }

  get calls(): number {
    return this.#calls
  }

  /** Reads and writes by turns: what becomes of them when the implementation is killed differs. */
  call(): void {
    const echo = String(++this.#calls)
    this.open.add(echo)
    const action = this.#calls % 2 === 0 ? 'get_login_info' : 'send_private_msg'
    this.socket.send(JSON.stringify({ action, params: { user_id: 1, message: 'x' }, echo }))
  }

  #heard(frame: Frame): void {
    if (frame.post_type === undefined) this.#reply(frame)
    else if (frame.message_type === 'private') this.#event(frame.raw_message ?? '')
  }

  #reply({ echo = '', retcode }: Frame): void {
    if (!this.open.delete(echo) || this.answered.has(echo)) this.answeredTwice += 1
    this.answered.add(echo)
    const key = String(retcode)
    this.retcodes[key] = (this.retcodes[key] ?? 0) + 1
  }

  #event(text: string): void {
    const [life = 0, count = 0] = text.split('.').map(Number)
    const last = this.last.get(life) ?? 0
    this.events += 1
    if (count <= last) this.doubled += 1
    else {
      this.lost += count - last - 1
      this.last.set(life, count)
    }
  }
}

/** Nothing came for so long: nothing is on its way. */
const QUIET_MS = 500

const witnesses: Witness[] = []
const heard = () => witnesses.reduce((sum, { events }) => sum + events, 0)
let calling: ReturnType<typeof setInterval> | undefined

const handlers = answer({
  async join({ url, clients }: { url: string; clients: number }): Promise<void> {
    for (let index = 0; index < clients; index++) witnesses.push(new Witness(url))
    await Promise.all(
      witnesses.map(({ socket }) => new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))),
    )
  },

  /** Each client makes a call every so many milliseconds. */
  callEvery(ms: number): void {
    calling = setInterval(() => {
      for (const witness of witnesses) if (!witness.closed) witness.call()
    }, ms)
  },

  /** No more calls; waits so long (ms) for the replies that are due, and for the events that are on their way. */
  async settle(most: number): Promise<Account> {
    clearInterval(calling)
    const end = performance.now() + most
    while (performance.now() < end && witnesses.some(({ open, closed }) => open.size > 0 && !closed))
      await Bun.sleep(50)
    for (let before = -1, now = heard(); now !== before; now = heard()) {
      before = now
      await Bun.sleep(QUIET_MS)
    }
    return account()
  },
})

export type Witnesses = typeof handlers

function account(): Account {
  const sum = (of: (witness: Witness) => number) => witnesses.reduce((total, witness) => total + of(witness), 0)
  const retcodes: Record<string, number> = {}
  for (const witness of witnesses)
    for (const [code, count] of Object.entries(witness.retcodes)) retcodes[code] = (retcodes[code] ?? 0) + count
  const lives = new Set(witnesses.flatMap(({ last }) => [...last.keys()]))
  let unequal = 0
  for (const life of lives) {
    const ends = witnesses.map(({ last }) => last.get(life) ?? 0)
    unequal += Math.max(...ends) - Math.min(...ends)
  }
  return {
    closed: sum(({ closed }) => Number(closed)),
    events: sum(({ events }) => events),
    lost: sum(({ lost }) => lost),
    doubled: sum(({ doubled }) => doubled),
    unequal,
    calls: sum(({ calls }) => calls),
    unanswered: sum(({ open }) => open.size),
    answeredTwice: sum(({ answeredTwice }) => answeredTwice),
    retcodes,
  }
}
