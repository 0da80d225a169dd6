// The numbers that clients know messages by: made of where a message stands, the same in every run, never two for one.

import { addTo, type MessageRow, rowWith } from '../broker/message-rows.ts'
import type { MessageNumbers, MessagePlace } from '../broker/ports.ts'
import { hash32 } from '../lib/hash.ts'
import { Generations } from './generations.ts'

// A number has 31 bits: 23 of a block, which a hash gives to each 256 messages in a row of a conversation, and 8 of the
// place in the row. What is said one after the other stands side by side where it is kept, and is found in one go.

const BLOCK = 256
const BLOCKS = 2 ** 23
/** Somebody whose place in a block is taken has the same place in one of the next. Longer rows hardly ever happen. */
const REACH = 3
/** Blocks that are known without asking, and conversations. */
const KNOWN = 256

type Block = MessageRow[]

/** Those of one account. */
export class MessageIds {
  readonly #numbers: MessageNumbers
  readonly #account: number
  readonly #blocks = new Generations<number, Block>(KNOWN)
  /** By peer, what was hashed last: the next message most likely stands in the same row. */
  readonly #latest = new Generations<number, { scene: MessagePlace['scene']; row: number; block: number }>(KNOWN)

  constructor(numbers: MessageNumbers, account: number) {
    this.#numbers = numbers
    this.#account = account
  }

  /** The message's number; from now on it is known by it. */
  idOf({ scene, peer, seq }: MessagePlace): number {
    const first = this.#firstFor({ scene, peer, seq })
    const place = first % BLOCK
    for (let block = (first - place) / BLOCK; ; block += REACH) {
      let free: number | undefined
      for (let step = 0; step < REACH; step++) {
        const id = ((block + step) % BLOCKS) * BLOCK + place
        const row = rowWith(this.#block(id), id)
        if (row === undefined) free ??= id === 0 ? undefined : id
        else if (row.seq + (id - row.first) === seq && row.peer === peer && row.scene === scene) return id
      }
      if (free !== undefined) return this.#keep(free, { scene, peer, seq })
    }
  }

  /** Where the message with this number stands; undefined: it is not known, or not any more. */
  placeOf(id: number): MessagePlace | undefined {
    if (!Number.isSafeInteger(id) || id < 1 || id >= BLOCKS * BLOCK) return undefined
    const row = rowWith(this.#block(id), id)
    return row && { scene: row.scene, peer: row.peer, seq: row.seq + (id - row.first) }
  }

  #keep(id: number, { scene, peer, seq }: MessagePlace): number {
    const message = { id, scene, peer, seq }
    addTo(this.#block(id), message)
    this.#numbers.keep(this.#account, message)
    return id
  }

  #firstFor({ scene, peer, seq }: MessagePlace): number {
    const row = rowOf(seq)
    let latest = this.#latest.get(peer)
    if (latest?.row !== row || latest.scene !== scene) {
      latest = { scene, row, block: blockFor(this.#account, { scene, peer, seq }) }
      this.#latest.set(peer, latest)
    }
    return latest.block * BLOCK + (seq % BLOCK)
  }

  /** That which the number is in. */
  #block(id: number): Block {
    const number = Math.floor(id / BLOCK)
    const known = this.#blocks.get(number)
    if (known !== undefined) return known
    const fresh: Block[] = []
    for (let step = 0; step < REACH; step++) fresh.push([])
    // Whoever is new is looked for in the next ones, too: they come with it.
    for (const one of this.#numbers.between(this.#account, number * BLOCK, (number + REACH) * BLOCK - 1))
      addTo(fresh[Math.floor(one.id / BLOCK) - number] ?? [], one)
    for (const [step, block] of fresh.entries())
      if (this.#blocks.get(number + step) === undefined) this.#blocks.set(number + step, block)
    return fresh[0] ?? []
  }
}

/** What a message's number is unless somebody else has it. */
export function firstFor(account: number, { scene, peer, seq }: MessagePlace): number {
  return blockFor(account, { scene, peer, seq }) * BLOCK + (seq % BLOCK)
}

/** Which row of its conversation a message stands in. */
const rowOf = (seq: number) => (seq - (seq % BLOCK)) / BLOCK

const blockFor = (account: number, { scene, peer, seq }: MessagePlace) =>
  hash32(`${account}|${scene}|${peer}|${rowOf(seq)}`) % BLOCKS
