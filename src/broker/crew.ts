// The members of one pool: who can be given an event now, and who wants it in which form.

import { type Fields, fieldsOf } from '../onebot/object.ts'
import type { Member } from './policy.ts'
import type { Cursor, Rules } from './ports.ts'
import type { Session } from './session.ts'
import { Unacked } from './unacked.ts'
import { viewFor } from './view.ts'

/** Members with equal rules: an event is judged once for all of them. */
interface Kind {
  readonly key: string
  readonly rules: Rules | undefined
  /** What they get of the event of now; undefined: nothing. */
  text: string | undefined
}

export class PoolMember implements Member {
  readonly session: Session
  readonly unacked = new Unacked()
  name = ''
  weight = 1
  note = 0
  kind: Kind
  /** Passed over until it can take something again. */
  aside = false
  /** Its link took nothing, open though it seemed. */
  stuck = false
  /** A big frame is on its way to it. */
  holds = false

  constructor(session: Session, kind: Kind) {
    this.session = session
    this.kind = kind
  }

  get pending(): number {
    return this.unacked.size > 0 ? this.unacked.size : this.session.link.buffered
  }
}

export class Crew {
  readonly #members = new Map<Session, PoolMember>()
  #kinds: Kind[] = []
  /** Those that are not passed over, in the order in which they came: kept, since it is needed for each event. */
  readonly #ready: PoolMember[] = []
  /** The ones among them that want the event of now. */
  readonly #wanting: PoolMember[] = []
  readonly #usable: (member: PoolMember) => boolean

  /** @param usable whether a member could be given something now. */
  constructor(usable: (member: PoolMember) => boolean) {
    this.#usable = usable
  }

  get size(): number {
    return this.#members.size
  }
  all(): Iterable<PoolMember> {
    return this.#members.values()
  }
  get(session: Session): PoolMember | undefined {
    return this.#members.get(session)
  }

  /** A new member; or one whose name or terms have changed. */
  put(session: Session): void {
    const kind = this.#kindOf(session)
    const member = this.#members.get(session) ?? new PoolMember(session, kind)
    const name = session.name ?? session.appId
    const { weight } = session.terms
    if (member.name !== name || member.weight !== weight) member.note = 0
    member.kind = kind
    member.name = name
    member.weight = weight
    member.aside = false
    this.#members.set(session, member)
    this.#sort()
  }

  remove(session: Session): void {
    this.#members.delete(session)
    this.#sort()
  }

  /** Finds out what members of each kind get of an event. False: nobody wants it. `text`: what the pool makes of `raw`. */
  judge(text: string, at: Cursor, { raw, event }: { raw: string; event: Fields }): boolean {
    let wanted = this.#kinds.length === 0
    // In another form it says the same in other words.
    let fields = text === raw ? event : undefined
    for (const kind of this.#kinds) {
      kind.text = text
      if (kind.rules !== undefined) {
        fields ??= fieldsOf(text)
        kind.text = kind.rules.apply(text, fields, at)
      }
      if (kind.text !== undefined) wanted = true
    }
    return wanted
  }

  /** Who may be given the event that was judged last. */
  candidates(): readonly PoolMember[] {
    if (this.#kinds.length <= 1) return this.#ready
    this.#wanting.length = 0
    for (const member of this.#ready) if (member.kind.text !== undefined) this.#wanting.push(member)
    return this.#wanting
  }

  /** It is passed over from now on. */
  setAside(member: PoolMember): void {
    member.aside = true
    this.#line()
  }

  /** Takes back who was passed over and can take something after all: `member`, or anybody. False: there is none. */
  takeBack(members: Iterable<PoolMember> = this.all()): boolean {
    let found = false
    for (const member of members) {
      if (!member.aside || !this.#usable(member)) continue
      member.aside = false
      found = true
    }
    if (found) this.#line()
    return found
  }

  #kindOf({ link, terms }: Session): Kind {
    // Without its pool: what its own view leaves to that is what is wanted here, in the form of its link.
    const rules = viewFor(link, { ...terms, pool: undefined })
    const key = rules?.key ?? ''
    const known = this.#kinds.find((kind) => kind.key === key)
    if (known !== undefined) return known
    const kind: Kind = { key, rules, text: undefined }
    this.#kinds.push(kind)
    return kind
  }

  #sort(): void {
    const used = new Set(Array.from(this.all(), ({ kind }) => kind))
    this.#kinds = this.#kinds.filter((kind) => used.has(kind))
    this.#line()
  }

  #line(): void {
    this.#ready.length = 0
    for (const member of this.all()) if (!member.aside) this.#ready.push(member)
  }
}
