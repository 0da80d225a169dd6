// Keeps the numbers of messages in memory, where nothing is to be written: in two generations, the older of which goes.

import type { MessageNumbers, NumberedMessage } from '../broker/ports.ts'

/** Messages, and files, in one generation. */
const MOST = 50_000

export class MemoryNumbers implements MessageNumbers {
  readonly #most: number
  readonly #accounts = new Map<number, Known>()

  constructor(most = MOST) {
    this.#most = most
  }

  between(account: number, first: number, last: number): readonly NumberedMessage[] {
    const { messages } = this.#of(account)
    const found: NumberedMessage[] = []
    for (let id = first; id <= last; id++) {
      const one = messages.get(id)
      if (one !== undefined) found.push(one)
    }
    return found
  }

  keep(account: number, message: NumberedMessage): void {
    this.#of(account).messages.set(message.id, message)
  }

  fileHash(account: number, fileId: string): string | undefined {
    return this.#of(account).files.get(fileId)
  }

  keepFile(account: number, fileId: string, hash: string): void {
    this.#of(account).files.set(fileId, hash)
  }

  close(): void {
    this.#accounts.clear()
  }

  /** There is one, or as many as somebody has logged in with. */
  #of(account: number): Known {
    const known = this.#accounts.get(account)
    if (known !== undefined) return known
    const fresh = {
      messages: new Generations<number, NumberedMessage>(this.#most),
      files: new Generations<string, string>(this.#most),
    }
    this.#accounts.set(account, fresh)
    return fresh
  }
}

interface Known {
  readonly messages: Generations<number, NumberedMessage>
  readonly files: Generations<string, string>
}

/** Keeps so many that were told or asked for last, and up to as many more. */
class Generations<K, V> {
  readonly #most: number
  #young = new Map<K, V>()
  #old = new Map<K, V>()

  constructor(most: number) {
    this.#most = most
  }

  get(key: K): V | undefined {
    const value = this.#young.get(key)
    if (value !== undefined) return value
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: K, value: V): void {
    this.#young.set(key, value)
    if (this.#young.size < this.#most) return
    this.#old = this.#young
    this.#young = new Map()
  }
}
