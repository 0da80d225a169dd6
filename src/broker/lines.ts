// The calls that cannot go yet: a line for each conversation of each caller, and whose turn it is. Owns no timer.

import { Heap } from '../lib/heap.ts'
import { isRead } from '../onebot/action.ts'
import { own } from '../onebot/object.ts'
import { type Call, keyOf } from './call.ts'

/** Calls of one caller that are alike: one of them that must wait makes the later ones wait, and no others. */
interface Line {
  readonly key: string
  readonly party: Party
  /** In order; what was taken out of the middle is still there, and knows it. */
  queue: Call[]
  /** Where the first one stands. */
  at: number
  /** Those that are really there. */
  count: number
  /** Of the first one, when it was put in a heap. */
  order: number
  /** Not before (ms). */
  until: number
  /** Longer than this (ms) nobody waits here, by its policy's last word. */
  most: number | undefined
  /** What it waits for until then. */
  why: Reason | undefined
  place: 'ready' | 'blocked' | 'nowhere'
}

/** What makes a call wait: a limit, an open circuit, its turn as `_rate_limited`, a disk that takes nothing. */
export type Reason = 'limit' | 'circuit' | 'paced' | 'disk'

export interface Wait {
  /** Not before then (ms). */
  readonly until: number
  /** Not for longer than this (ms) in all. */
  readonly most?: number | undefined
  readonly why?: Reason | undefined
}

/** One caller. */
interface Party {
  readonly key: string
  readonly lines: Map<string, Line>
  readonly ready: Heap<Line>
  /** When it was last served; the longest ago is next. */
  turn: number
  listed: boolean
  bytes: number
}

/**
 * Round robin between callers, and in order within each. A line whose first call must wait is passed over until its
 * time has come; another line of the same caller may go meanwhile.
 */
export class Lines {
  readonly #parties = new Map<string, Party>()
  readonly #where = new Map<Call, Line>()
  readonly #ready = new Heap<Party>((a, b) => a.turn < b.turn)
  readonly #blocked = new Heap<Line>((a, b) => a.until < b.until)
  #turns = 0
  #bytes = 0
  #paced = 0

  get size(): number {
    return this.#where.size
  }
  get bytes(): number {
    return this.#bytes
  }
  /** `_rate_limited` ones among them. */
  get paced(): number {
    return this.#paced
  }
  /** Whether somebody's turn may have come. */
  get ready(): boolean {
    return this.#ready.size > 0
  }
  /** When the first line that must wait may go on (ms). */
  get due(): number {
    return this.#blocked.first?.until ?? Number.POSITIVE_INFINITY
  }

  /** All that wait; each caller's lines one after the other. */
  all(): Call[] {
    return [...this.#where.keys()]
  }

  /** The same, for who looks at some of them only. */
  each(): Iterable<Call> {
    return this.#where.keys()
  }

  /** Those of one caller. */
  of(key: string): Call[] {
    const lines = [...(this.#parties.get(key)?.lines.values() ?? [])]
    return lines.flatMap((line) => line.queue.slice(line.at).filter((call) => this.#where.get(call) === line))
  }

  has(call: Call): boolean {
    return this.#where.has(call)
  }

  /** Characters that wait for this caller. */
  bytesOf(call: Call): number {
    return this.#parties.get(keyOf(call))?.bytes ?? 0
  }

  /** Whether calls wait that must go before this one. */
  behind(call: Call): boolean {
    const line = this.#parties.get(keyOf(call))?.lines.get(lineKey(call))
    return line !== undefined && line.count > 0
  }

  /** What its line's policy has said: longer than this (ms) it does not wait; and when the line may go on (ms). */
  patience(call: Call): { most: number | undefined; until: number; why: Reason | undefined } {
    const line = this.#where.get(call)
    return { most: line?.most, until: line?.until ?? 0, why: line?.place === 'blocked' ? line.why : undefined }
  }

  /** At the end of its line. `until`: not before (ms), and it is alone there. */
  add(call: Call, wait?: Wait): void {
    const line = this.#line(call)
    this.#put(call, line)
    if (line.place !== 'nowhere') return
    line.order = call.order
    if (wait === undefined) this.#list(line)
    else this.#block(line, wait)
  }

  /** Puts calls back where they stood before: in front of those that came after them. All lines are asked anew. */
  restore(calls: readonly Call[]): void {
    const touched = new Set<Line>()
    for (const call of calls) {
      const line = this.#line(call)
      this.#put(call, line)
      touched.add(line)
    }
    for (const line of touched) {
      line.queue = line.queue.slice(line.at).sort((a, b) => a.order - b.order)
      line.at = 0
    }
    this.wake()
  }

  /** The call whose turn it is; `went`, `blocked` or `stays` must be said of it. */
  next(): Call | undefined {
    for (;;) {
      const party = this.#ready.take()
      if (party === undefined) return undefined
      party.listed = false
      const line = party.ready.take()
      if (line === undefined) continue
      line.place = 'nowhere'
      const call = this.#head(line)
      // Its first one has left: another line may come before it now.
      if (call !== undefined && call.order !== line.order) {
        line.order = call.order
        this.#list(line)
      } else if (call !== undefined) return call
      else this.#tidy(line)
    }
  }

  /** It waits no more; its caller has had its turn. */
  went(call: Call): void {
    const line = this.#where.get(call)
    if (line === undefined) return
    line.party.turn = ++this.#turns
    this.drop(call)
    if (this.#where.size > 0) this.#again(line)
  }

  /** It must wait, and so must all behind it. */
  blocked(call: Call, wait: Wait): void {
    const line = this.#where.get(call)
    if (line?.place !== 'nowhere') return
    this.#block(line, wait)
    this.#relist(line.party)
  }

  /** Nothing has changed. */
  stays(call: Call): void {
    const line = this.#where.get(call)
    if (line !== undefined) this.#again(line)
  }

  /** Takes it out, wherever it stands. */
  drop(call: Call): void {
    const line = this.#where.get(call)
    if (line === undefined) return
    this.#where.delete(call)
    line.count -= 1
    line.party.bytes -= call.size
    this.#bytes -= call.size
    if (call.mode === 'rate-limited') this.#paced -= 1
    if (this.#where.size === 0) this.clear()
  }

  /** Lines whose time has come may go on. */
  wakeDue(now: number): void {
    while (this.due <= now) {
      const line = this.#blocked.take()
      if (line === undefined) return
      line.place = 'nowhere'
      this.#again(line)
    }
  }

  /** Every line may go on, or is to be asked again. */
  wake(): void {
    this.#ready.clear()
    this.#blocked.clear()
    for (const party of [...this.#parties.values()]) {
      party.ready.clear()
      party.listed = false
      for (const line of [...party.lines.values()]) {
        line.place = 'nowhere'
        this.#again(line)
      }
    }
  }

  clear(): void {
    this.#parties.clear()
    this.#where.clear()
    this.#ready.clear()
    this.#blocked.clear()
    this.#bytes = 0
    this.#paced = 0
  }

  #line(call: Call): Line {
    const [who, key] = [keyOf(call), lineKey(call)]
    let party = this.#parties.get(who)
    if (party === undefined) {
      const ready = new Heap<Line>((a, b) => a.order < b.order)
      party = { key: who, lines: new Map(), ready, turn: ++this.#turns, listed: false, bytes: 0 }
      this.#parties.set(who, party)
    }
    let line = party.lines.get(key)
    if (line === undefined) {
      const empty = { queue: [], at: 0, count: 0, order: 0, until: 0, most: undefined, why: undefined }
      line = { key, party, ...empty, place: 'nowhere' }
      party.lines.set(key, line)
    }
    return line
  }

  #put(call: Call, line: Line): void {
    line.queue.push(call)
    line.count += 1
    line.party.bytes += call.size
    this.#bytes += call.size
    if (call.mode === 'rate-limited') this.#paced += 1
    this.#where.set(call, line)
  }

  /** The first one that is really there. */
  #head(line: Line): Call | undefined {
    const { queue } = line
    while (line.at < queue.length) {
      const call = queue[line.at]
      if (call !== undefined && this.#where.get(call) === line) return call
      line.at += 1
    }
    return undefined
  }

  #again(line: Line): void {
    if (line.place !== 'nowhere') return
    const call = this.#head(line)
    if (call === undefined) return this.#tidy(line)
    // More than half of it is past: what is left moves up.
    if (line.at > 1_024 && line.at * 2 > line.queue.length) {
      line.queue.splice(0, line.at)
      line.at = 0
    }
    line.order = call.order
    this.#list(line)
  }

  #list(line: Line): void {
    line.place = 'ready'
    line.until = 0
    line.party.ready.add(line)
    this.#relist(line.party)
  }

  #block(line: Line, { until, most, why }: Wait): void {
    line.place = 'blocked'
    line.until = until
    line.most = most
    line.why = why
    this.#blocked.add(line)
  }

  #relist(party: Party): void {
    if (party.listed || party.ready.size === 0) return
    party.listed = true
    this.#ready.add(party)
  }

  /** Nothing is left in it. */
  #tidy(line: Line): void {
    const { party } = line
    party.lines.delete(line.key)
    if (party.lines.size === 0) this.#parties.delete(party.key)
    else this.#relist(party)
  }
}

/**
 * What must keep its order among a caller's calls that wait: what goes to one conversation, reads, and what it wants
 * paced. A group whose limit is used up holds nobody else's message.
 */
function lineKey({ action, mode, params }: Call): string {
  if (mode === 'rate-limited') return 'paced'
  if (isRead(action)) return 'read'
  const target = own(params, 'group_id') ?? own(params, 'user_id')
  const kind = SENDS.test(action) ? 'send' : MOVES.test(action) ? 'file' : 'manage'
  return typeof target === 'number' || typeof target === 'string' ? `${kind} ${target}` : kind
}

const SENDS = /^_?send_/
const MOVES = /^(?:upload_|download_)/
