// The numbers that clients know messages by: made of where a message stands, the same in every run, never two for one.

import type { MessageNumbers, MessagePlace, NumberedMessage } from '../broker/ports.ts'
import { hash32 } from '../lib/hash.ts'

/** Numbers are 31 bits, and 0 is none. */
const MOST = 0x7fffffff
/** Somebody whose number was taken has one of the next few. Among a million, longer rows do not happen. */
const REACH = 4
/** As many are known without asking: replies, reactions and recalls are about what was said just now. */
const RECENT = 4_096

export class MessageIds {
  readonly #numbers: MessageNumbers
  readonly #recent = new Map<string, number>()

  constructor(numbers: MessageNumbers) {
    this.#numbers = numbers
  }

  /** The message's number; from now on it is known by it. */
  idOf(account: number, { scene, peer, seq }: MessagePlace): number {
    const key = `${account}|${scene}|${peer}|${seq}`
    const known = this.#recent.get(key)
    if (known !== undefined) return known
    const id = this.#found(account, key, { scene, peer, seq })
    this.#recent.set(key, id)
    if (this.#recent.size > RECENT) {
      const [oldest = ''] = this.#recent.keys()
      this.#recent.delete(oldest)
    }
    return id
  }

  /** Where the message with this number stands; undefined: it is not known, or not any more. */
  placeOf(account: number, id: number): MessagePlace | undefined {
    if (!Number.isSafeInteger(id) || id < 1 || id > MOST) return undefined
    return this.#numbers.between(account, id, id)[0]
  }

  /** Another one that has the number it would have, or one of the next, is passed by. */
  #found(account: number, key: string, place: MessagePlace): number {
    for (let first = firstFor(key); ; first = following(first, REACH)) {
      const last = Math.min(first + REACH - 1, MOST)
      const near = this.#numbers.between(account, first, last)
      const own = near.find((one) => isAt(one, place))
      if (own !== undefined) {
        // It is of interest still: kept anew, it is not forgotten with those of its age.
        this.#numbers.keep(account, own)
        return own.id
      }
      const id = free(first, last, near)
      if (id === undefined) continue
      this.#numbers.keep(account, { id, ...place })
      return id
    }
  }
}

/** What a message's number is unless somebody else has it. */
export const firstFor = (key: string): number => hash32(key) & MOST || 1

const following = (id: number, by: number) => (id + by > MOST ? 1 : id + by)

const isAt = (one: NumberedMessage, { scene, peer, seq }: MessagePlace) =>
  one.seq === seq && one.peer === peer && one.scene === scene

function free(first: number, last: number, taken: readonly NumberedMessage[]): number | undefined {
  for (let id = first; id <= last; id++) if (!taken.some((one) => one.id === id)) return id
  return undefined
}
