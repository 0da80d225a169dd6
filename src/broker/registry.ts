// Who is there, or away and waited for: a bot's sessions by id, by name, and by the entry of the configuration.

import type { Session } from './session.ts'

const LONGEST_NAME = 64

/** What is wrong with a name for a session; undefined: nothing. Characters are those that people count. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return `found nothing, wanted 1 to ${LONGEST_NAME} characters`
  // A character takes two units at most; more are not counted out.
  if (name.length <= LONGEST_NAME || (name.length <= 2 * LONGEST_NAME && [...name].length <= LONGEST_NAME))
    return undefined
  return `found more than ${LONGEST_NAME} characters, wanted 1 to ${LONGEST_NAME}`
}

export class Registry {
  readonly #byId = new Map<string, Session>()
  readonly #byName = new Map<string, Session>()
  readonly #byEntry = new Map<string, Session>()

  get size(): number {
    return this.#byId.size
  }
  /** In the order in which they came. */
  all(): Iterable<Session> {
    return this.#byId.values()
  }
  byId(appId: string): Session | undefined {
    return this.#byId.get(appId)
  }
  byName(name: string): Session | undefined {
    return this.#byName.get(name)
  }
  /** The session of an entry of the configuration. */
  byEntry(entry: string): Session | undefined {
    return this.#byEntry.get(entry)
  }
  nameTaken(name: string): boolean {
    return this.#byName.has(name)
  }

  add(session: Session): void {
    this.#byId.set(session.appId, session)
    if (session.name !== undefined) this.#byName.set(session.name, session)
    if (session.claim.entry !== undefined) this.#byEntry.set(session.claim.entry, session)
  }
  /** False: it was not there (any more). */
  remove(session: Session): boolean {
    if (!this.#byId.delete(session.appId)) return false
    if (session.name !== undefined && this.#byName.get(session.name) === session) this.#byName.delete(session.name)
    const { entry } = session.claim
    if (entry !== undefined && this.#byEntry.get(entry) === session) this.#byEntry.delete(entry)
    return true
  }
  /** Gives the session a name, its old one becoming free. False: another session bears it. */
  rename(session: Session, name: string): boolean {
    const owner = this.#byName.get(name)
    if (owner !== undefined) return owner === session
    if (session.name !== undefined) this.#byName.delete(session.name)
    session.name = name
    this.#byName.set(name, session)
    return true
  }
}
