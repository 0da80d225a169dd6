// The numbers that clients know messages by: made of where a message stands, the same in every run, never two for one.

import type { MessageNumbers, MessagePlace } from '../broker/ports.ts'
import { hash32 } from '../lib/hash.ts'
import { Generations } from './generations.ts'

// A number has 31 bits: 23 of a block, which a hash gives to each 256 messages in a row of a conversation, and 8 of the
// place in the row. What is said one after the other stands side by side where it is kept, and is found in one go.

const ROW = 256
const BLOCKS = 2 ** 23
/** Somebody whose place in a block is taken has the same place in one of the next. Longer rows hardly ever happen. */
const REACH = 3
/** Blocks that are known without asking. */
const KNOWN = 256

type Block = Map<number, MessagePlace>

/** Those of one account. */
export class MessageIds {
  readonly #numbers: MessageNumbers
  readonly #account: number
  readonly #blocks = new Generations<number, Block>(KNOWN)

  constructor(numbers: MessageNumbers, account: number) {
    this.#numbers = numbers
    this.#account = account
  }

  /** The message's number; from now on it is known by it. */
  idOf({ scene, peer, seq }: MessagePlace): number {
    const first = firstFor(this.#account, { scene, peer, seq })
    const place = first % ROW
    for (let block = (first - place) / ROW; ; block += REACH) {
      let free: number | undefined
      for (let step = 0; step < REACH; step++) {
        const id = ((block + step) % BLOCKS) * ROW + place
        const there = this.#block(id).get(id)
        if (there === undefined) free ??= id === 0 ? undefined : id
        else if (there.seq === seq && there.peer === peer && there.scene === scene) return id
      }
      if (free !== undefined) return this.#keep(free, { scene, peer, seq })
    }
  }

  /** Where the message with this number stands; undefined: it is not known, or not any more. */
  placeOf(id: number): MessagePlace | undefined {
    if (!Number.isSafeInteger(id) || id < 1 || id >= BLOCKS * ROW) return undefined
    return this.#block(id).get(id)
  }

  #keep(id: number, place: MessagePlace): number {
    this.#block(id).set(id, place)
    this.#numbers.keep(this.#account, { id, ...place })
    return id
  }

  /** That which the number is in. */
  #block(id: number): Block {
    const number = Math.floor(id / ROW)
    const known = this.#blocks.get(number)
    if (known !== undefined) return known
    const first = number * ROW
    const kept = this.#numbers.between(this.#account, first, first + ROW - 1)
    const block: Block = new Map(kept.map((one) => [one.id, one]))
    this.#blocks.set(number, block)
    return block
  }
}

/** What a message's number is unless somebody else has it. */
export function firstFor(account: number, { scene, peer, seq }: MessagePlace): number {
  const place = seq % ROW
  const block = hash32(`${account}|${scene}|${peer}|${(seq - place) / ROW}`) % BLOCKS
  return block * ROW + place
}
