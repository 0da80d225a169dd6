// The lanes of one bot: a lane for each set of rules, and each event judged once for all of its members.

import { type Fields, fieldsOf } from '../onebot/object.ts'
import { Lane } from './lane.ts'
import type { Cursor, Rules } from './ports.ts'
import type { Session } from './session.ts'

interface Ruled {
  readonly lane: Lane
  /** Absent: every event as it came. */
  readonly rules: Rules | undefined
}

/** An event as it was last judged: who reads the journal together asks for the same one. */
interface Judged {
  readonly at: Cursor
  readonly event: Fields
  /** By the key of the rules. */
  readonly texts: Map<string, string | undefined>
}

export class Lanes {
  readonly #prefix = crypto.randomUUID()
  readonly #on: ConstructorParameters<typeof Lane>[1]
  readonly #lanes = new Map<string, Ruled>()
  /** The same, made anew with each lane that comes or goes: an event goes by those there were when it came. */
  #all: readonly Ruled[] = []
  #count = 0
  #judged: Judged | undefined

  constructor(on: ConstructorParameters<typeof Lane>[1]) {
    this.#on = on
  }

  /** Lanes with somebody in them. */
  get size(): number {
    return this.#lanes.size
  }

  add(session: Session): void {
    const { view } = session
    const key = view?.key ?? ''
    let ruled = this.#lanes.get(key)
    if (ruled === undefined) {
      ruled = { lane: new Lane(`${this.#prefix}/${this.#count++}`, this.#on), rules: view }
      this.#lanes.set(key, ruled)
      this.#all = [...this.#lanes.values()]
    }
    ruled.lane.add(session)
  }

  remove(session: Session): void {
    const key = session.view?.key ?? ''
    const ruled = this.#lanes.get(key)
    if (ruled === undefined) return
    ruled.lane.remove(session)
    if (!ruled.lane.empty) return
    this.#lanes.delete(key)
    this.#all = [...this.#lanes.values()]
  }

  /** Gives an event to everybody in step who wants it. `event`: what `raw` says, where somebody has read it already. */
  publish(raw: string, at: Cursor, event?: Fields): void {
    // As they are now: who falls behind and catches up in this very turn may open a lane anew.
    for (const { lane, rules } of this.#all) {
      const text = rules === undefined ? raw : this.#judge(rules, raw, at, event)
      if (text !== undefined) lane.publish(text)
    }
  }

  /** Everybody in step who wants this event. */
  wanting(raw: string, at: Cursor, event?: Fields): Session[] {
    const found: Session[] = []
    for (const { lane, rules } of this.#lanes.values())
      if (rules === undefined || this.#judge(rules, raw, at, event) !== undefined) found.push(...lane.members())
    return found
  }

  /** A frame that is worth nothing later, to everybody in step. */
  passing(text: string): void {
    for (const { lane, rules } of this.#lanes.values()) {
      const formed = formOf(rules, text, undefined)
      if (formed !== undefined) lane.publish(formed)
    }
  }

  /** What a session gets of an event for everybody; undefined: nothing. */
  textFor({ view }: Session, raw: string, at: Cursor): string | undefined {
    return view === undefined ? raw : this.#judge(view, raw, at)
  }

  #judge(rules: Rules, raw: string, at: Cursor, event?: Fields): string | undefined {
    if (this.#judged?.at !== at) this.#judged = { at, event: event ?? fieldsOf(raw), texts: new Map() }
    const { texts, event: fields } = this.#judged
    if (!texts.has(rules.key)) texts.set(rules.key, rules.apply(raw, fields, at))
    return texts.get(rules.key)
  }
}

/** What nobody judges, in the form in which somebody with these rules gets it. */
export function formOf(rules: Rules | undefined, raw: string, at: Cursor | undefined): string | undefined {
  return rules?.form === undefined ? raw : rules.form(raw, fieldsOf(raw), at)
}
