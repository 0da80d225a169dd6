// Keeps the numbers of messages in memory, where nothing is to be written: in two generations, the older of which goes.

import type { MessageNumbers, NumberedMessage } from '../broker/ports.ts'
import { Generations } from './generations.ts'

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
