// Shows events, actions and facts as they happen to whoever listens in; costs nothing while nobody does.

import type { Session } from '../broker/session.ts'
import type { Report, Status } from '../broker/status.ts'
import { maskText } from '../lib/mask.ts'
import { Together } from '../lib/together.ts'
import { type Fields, fieldsOf, isObject, own } from '../onebot/object.ts'
import { hidden, hiddenText } from './hidden.ts'

export const TAPPED = ['event', 'action', 'reply', 'fact'] as const
export type Tapped = (typeof TAPPED)[number]

export interface TapWish {
  readonly kinds: ReadonlySet<Tapped>
  /** Of these only, where given. `type`: `message` or `message.group`; `action`: a name, * stands for anything. */
  readonly bot?: string | undefined
  readonly type?: string | undefined
  readonly action?: string | undefined
  readonly client?: string | undefined
  readonly group?: string | undefined
  readonly user?: string | undefined
  /** What the frame's text must hold. */
  readonly text?: string | undefined
  /** Whether texts of messages are shown. */
  readonly texts: boolean
}

/** Takes one thing as JSON text. @param last of those that it takes at one time. */
export type TapSink = (kind: Tapped | 'skipped', json: string, last: boolean) => void

/** Nobody reads more per second: under load a tap is a sample, and says so. */
const MOST_PER_SECOND = 200
/** Longer frames are shown without their texts. */
const LONGEST = 64 * 1024
/** What happens is looked at together: one by one, between other work, it would cost several times as much (ms). */
const PACE = { soon: 50, seldom: 400 }
/** Frames, and characters of frames, that do not wait. */
const MANY = 256
const MUCH = 1024 * 1024

export class Taps {
  readonly #taps = new Set<Tap>()
  readonly #look = new Together(() => this.#tell(), PACE)
  #waiting: Frame[] = []
  #size = 0
  #timer: ReturnType<typeof setInterval> | undefined

  get size(): number {
    return this.#taps.size
  }

  /** Returns what ends it. */
  add(wish: TapWish, sink: TapSink): () => void {
    // What waits is from before.
    this.#look.now()
    const tap = new Tap(wish, sink)
    this.#taps.add(tap)
    this.#timer ??= setInterval(() => {
      // What waits belongs to the second that is over.
      this.#look.now()
      for (const one of this.#taps) one.second()
    }, 1_000)
    this.#timer.unref?.()
    return () => {
      this.#taps.delete(tap)
      if (this.#taps.size === 0) this.stop()
    }
  }

  readonly report: Report = (status) => {
    if (this.#taps.size === 0) return
    const frame = new Frame(status)
    this.#waiting.push(frame)
    this.#size += frame.raw?.length ?? 0
    if (this.#waiting.length >= MANY || this.#size >= MUCH) this.#look.now()
    else this.#look.due()
  }

  /** What waits is told. */
  stop(): void {
    this.#look.now()
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tell(): void {
    const frames = this.#waiting
    this.#waiting = []
    this.#size = 0
    for (const tap of [...this.#taps]) tap.take(frames)
  }
}

class Tap {
  readonly #wish: TapWish
  readonly #sink: TapSink
  readonly #action: RegExp | undefined
  #left = MOST_PER_SECOND
  #skipped = 0

  constructor(wish: TapWish, sink: TapSink) {
    this.#wish = wish
    this.#sink = sink
    this.#action = wish.action === undefined ? undefined : pattern(wish.action)
  }

  take(frames: readonly Frame[]): void {
    const wanted = frames.filter((frame) => this.#wish.kinds.has(frame.kind) && this.#wants(frame))
    // What is left out is not written, either.
    const shown = wanted.slice(0, this.#left)
    this.#left -= shown.length
    this.#skipped += wanted.length - shown.length
    const last = shown.at(-1)
    for (const frame of shown) this.#sink(frame.kind, frame.json(this.#wish.texts), frame === last)
  }

  second(): void {
    if (this.#skipped > 0) this.#sink('skipped', JSON.stringify({ time: Date.now(), skipped: this.#skipped }), true)
    this.#skipped = 0
    this.#left = MOST_PER_SECOND
  }

  #wants(frame: Frame): boolean {
    const { bot, type, client, group, user, text } = this.#wish
    if (bot !== undefined && frame.bot !== bot) return false
    if (type !== undefined && frame.kind === 'event' && !frame.isType(type)) return false
    if (this.#action !== undefined && !this.#action.test(frame.action ?? '') && frame.kind !== 'event') return false
    if (client !== undefined && !frame.isOf(client)) return false
    if (group !== undefined && String(frame.field('group_id')) !== group) return false
    if (user !== undefined && String(frame.field('user_id')) !== user) return false
    return text === undefined || (frame.raw ?? '').includes(text)
  }
}

/** A fact, and what several taps ask of it: found out once. */
class Frame {
  readonly kind: Tapped
  readonly bot: string | undefined
  readonly raw: string | undefined
  readonly #status: Status
  readonly #time = Date.now()
  #fields: Fields | undefined
  /** Written once, with texts and without. */
  #whole: string | undefined
  #hidden: string | undefined

  constructor(status: Status) {
    this.#status = status
    this.kind = kindOf(status)
    this.bot = 'bot' in status ? status.bot : undefined
    this.raw = status.kind === 'event' || status.kind === 'action' ? status.raw : undefined
  }

  get action(): string | undefined {
    if (this.#status.kind === 'call') return this.#status.action
    const action = this.#status.kind === 'action' ? own(this.#frame, 'action') : undefined
    return typeof action === 'string' ? action : undefined
  }

  /** Of the event, or of the params of the action. */
  field(name: string): unknown {
    if (this.#status.kind === 'event') return own(this.#status.event, name)
    const params = own(this.#frame, 'params')
    return isObject(params) ? own(params, name) : undefined
  }

  isType(wanted: string): boolean {
    const [type = '', detail] = wanted.split('.')
    return this.field('post_type') === type && (detail === undefined || this.field(`${type}_type`) === detail)
  }

  isOf(client: string): boolean {
    const session = sessionOf(this.#status)
    return session !== undefined && (session.name === client || session.appId === client)
  }

  json(texts: boolean): string {
    if (texts && (this.raw?.length ?? 0) <= LONGEST) {
      this.#whole ??= this.#write(true)
      return this.#whole
    }
    this.#hidden ??= this.#write(false)
    return this.#hidden
  }

  get #frame(): Fields {
    this.#fields ??= this.raw === undefined ? {} : fieldsOf(this.raw)
    return this.#fields
  }

  #write(texts: boolean): string {
    const status = this.#status
    const session = sessionOf(status)
    const base = {
      time: this.#time,
      bot: this.bot,
      client: session && (session.name ?? session.appId),
      size: this.raw?.length,
    }
    switch (status.kind) {
      case 'event':
        // As it came, so that long numbers stay what they are; a line break would end a line of the stream.
        return `${JSON.stringify(base).slice(0, -1)},"event":${
          texts ? status.raw.replaceAll(/[\r\n]/g, ' ') : hiddenText(status.raw, status.event)
        }}`
      case 'action': {
        const { action, params } = this.#frame
        return JSON.stringify({
          ...base,
          action: this.action ?? hidden(action),
          params: texts ? params : hidden(params),
        })
      }
      case 'call':
        return JSON.stringify({ ...base, action: status.action, retcode: status.retcode, ms: status.ms })
      default:
        return JSON.stringify({ ...base, ...told(status) })
    }
  }
}

function kindOf({ kind }: Status): Tapped {
  if (kind === 'event' || kind === 'action') return kind
  return kind === 'call' ? 'reply' : 'fact'
}

const sessionOf = (status: Status): Session | undefined => ('session' in status ? status.session : undefined)

/** What a fact says beside whom it is about; texts of others and long lists are for the log. */
function told(status: Status): Record<string, unknown> {
  const { bot: _bot, ...rest }: Record<string, unknown> = { ...status }
  return Object.fromEntries(
    Object.entries(rest)
      .filter(([key, value]) => typeof value !== 'object' && key !== 'raw' && key !== 'text')
      .map(([key, value]) => [key, typeof value === 'string' ? maskText(value) : value]),
  )
}

/** A name, in which * stands for anything. */
export const pattern = (text: string): RegExp =>
  new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )
