// The implementation apart from how it is reached: performs calls, and makes events out of what happens.

import { heartbeat, lifecycle } from '../onebot/event.ts'
import { ownReply, readAction } from '../onebot/frame.ts'
import { isObject, own, parse } from '../onebot/object.ts'
import { type Answer, perform } from './actions.ts'
import { Chat } from './chat.ts'
import type { Deed } from './deeds.ts'
import { type Event, requestEvent } from './events.ts'
import { fail } from './failure.ts'
import { noFaults, Replies } from './faults.ts'
import { type Format, Messages } from './messages.ts'
import { cqText } from './params.ts'
import { carryOut } from './request-actions.ts'
import { type Called, Sent } from './sent.ts'
import { hear } from './speech.ts'
import type { Stage } from './stage.ts'
import { type Request, seconds, World } from './world.ts'

export interface Word {
  /** Text with CQ codes. */
  readonly text: string
  /** Without a group: who tells it to the account. In a group: the member who speaks. */
  readonly user_id?: number | undefined
  readonly group_id?: number | undefined
}

export interface Asking {
  readonly type: 'friend' | 'group'
  readonly sub_type?: 'add' | 'invite' | undefined
  readonly user_id?: number | undefined
  readonly group_id?: number | undefined
  readonly comment?: string | undefined
}

export interface ImplementationOptions {
  readonly selfId: number
  readonly seed: number
  readonly format: Format
  readonly reportSelf: boolean
  /** Milliseconds; 0: none. */
  readonly heartbeat: number
  /** Where events go. */
  tell(raw: string): void
  restart(delay: number): void
  called(call: Called): void
}

export class Implementation {
  readonly world: World
  readonly messages = new Messages()
  readonly sent = new Sent()
  readonly chat = new Chat()
  readonly faults = noFaults()
  readonly #replies = new Replies(this.faults)
  readonly #options: ImplementationOptions
  #flags = 0

  constructor(options: ImplementationOptions) {
    this.#options = options
    this.world = new World(options.selfId, options.seed)
  }

  get selfId(): number {
    return this.#options.selfId
  }

  /** Sends this very text to everybody who hears events. */
  emit(raw: string): void {
    if (!this.faults.silent) this.#options.tell(raw)
  }

  /** The first frames of a new link. */
  greeting(): string[] {
    if (this.faults.silent) return []
    const hello = lifecycle(String(this.selfId), seconds())
    return this.#options.heartbeat > 0 ? [hello, this.heartbeat()] : [hello]
  }

  heartbeat(): string {
    const { heartbeat: interval } = this.#options
    return heartbeat(undefined, { selfId: String(this.selfId), time: seconds(), online: true, interval })
  }

  /** One frame of a link. Exactly one reply, unless faults are on. */
  frame(raw: string, reply: (text: string) => void): void {
    const frame = readAction(raw)
    if (frame.kind === 'bad') {
      const { message, echo } = frame
      this.#replies.send(() => reply(ownReply({ status: 'failed', retcode: 1400, message, echo })))
      return
    }
    const { action, params, echo } = frame
    this.call({ action, params, raw }, (answer) => reply(ownReply({ ...answer, echo })))
  }

  call(call: Omit<Called, 'n' | 'time'>, reply: (answer: Answer) => void): void {
    this.carry(call, (answer) => this.#replies.send(() => reply(answer)))
  }

  /** The same, answered at once and without faults: for a face that has its own. */
  carry(call: Omit<Called, 'n' | 'time'>, reply: (answer: Answer) => void): void {
    const time = seconds()
    const { action, params, raw } = call
    this.#options.called(this.sent.add({ time, ...call }))
    const told: Event[] = []
    const answer = perform(action, params, this.#stage(told))
    const { retcode, message } = answer
    this.chat.add({ kind: 'call', time, action, params, retcode, message, size: raw?.length ?? 0 })
    reply(answer)
    this.#tell(told)
  }

  /** A quick operation, both JSON text. */
  quick(event: string, operation: string): void {
    const told: Event[] = []
    carryOut(event, operation, this.#stage(told))
    this.#tell(told)
  }

  /** Somebody says something; returns the event. @throws Failure */
  say({ text, user_id, group_id }: Word) {
    const segments = cqText(text)
    const isPrivate = group_id === undefined && user_id !== undefined
    const peer = isPrivate ? user_id : (group_id ?? this.#firstGroup())
    const from = user_id ?? this.#otherMember(peer)
    const event = hear(this.#stage([]), { type: isPrivate ? 'private' : 'group', peer }, from, segments)
    this.emit(JSON.stringify(event))
    return event
  }

  /** Somebody asks for something; returns the event, whose flag answers it. @throws Failure */
  ask({ type, sub_type = 'add', user_id = this.world.stranger(), group_id, comment = '' }: Asking) {
    const common = { flag: `flag-${++this.#flags}`, user_id, comment }
    const group = group_id ?? (sub_type === 'invite' ? this.world.stranger() : this.#firstGroup())
    if (type === 'group' && sub_type === 'add') this.world.group(group)
    return this.#opened(type === 'friend' ? { ...common, type } : { ...common, type, sub_type, group_id: group })
  }

  /** Somebody does something else; returns the notice that tells of it. @throws Failure */
  do(deed: Deed): Event {
    const event = deed(this.#stage([]))
    this.#tell([event])
    return event
  }

  /** Injects an event; requests in it can be answered. @throws Failure unless it is the text of a JSON object. */
  inject(raw: string): void {
    const event = parse(raw)
    if (!isObject(event)) return fail('body: wanted one JSON object', 1400)
    this.#learn(event)
    this.emit(raw)
  }

  /** Who speaks in a burst. */
  speaker() {
    const groupId = this.#firstGroup()
    return { groupId, sender: this.world.member(groupId, this.#otherMember(groupId)) }
  }

  #opened(request: Request): Event {
    this.world.open(request)
    const event = requestEvent(this.selfId, request)
    this.#tell([event])
    return event
  }

  #tell(events: readonly Event[]): void {
    for (const event of events) {
      // Messages have been told of as they were said.
      if (event.post_type === 'notice' || event.post_type === 'request') this.chat.add({ kind: 'event', event })
      this.emit(JSON.stringify(event))
    }
  }

  #learn(event: Record<string, unknown>): void {
    const [type, flag, user_id, group_id, sub_type] = ['request_type', 'flag', 'user_id', 'group_id', 'sub_type'].map(
      (key) => own(event, key),
    )
    if (own(event, 'post_type') !== 'request' || typeof flag !== 'string' || typeof user_id !== 'number') return
    const common = { flag, user_id, comment: '' }
    if (type === 'friend') this.world.open({ ...common, type })
    else if (type === 'group' && typeof group_id === 'number')
      this.world.open({ ...common, type, group_id, sub_type: sub_type === 'invite' ? 'invite' : 'add' })
  }

  #firstGroup(): number {
    const [first] = this.world.groups.keys()
    return first ?? fail('group: the account is in none')
  }

  #otherMember(groupId: number): number {
    const others = [...this.world.group(groupId).members.keys()].filter((id) => id !== this.selfId)
    return others[0] ?? fail(`group ${groupId}: nobody else is there`)
  }

  #stage(told: Event[]): Stage {
    const { format, reportSelf, restart } = this.#options
    const { world, messages } = this
    const stage: Stage = {
      world,
      messages,
      format,
      reportSelf,
      restart,
      tell: (event) => void told.push(event),
      happened: (one) => void this.chat.add(one),
      perform: (action, params) => void perform(action, params, stage),
    }
    return stage
  }
}
