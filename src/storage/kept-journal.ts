// A journal in memory that tells of each entry, so that it can be written down.

import { type Beginning, MemoryJournal } from '../broker/journal.ts'
import type { Cursor } from '../broker/ports.ts'

/** Is told of each entry with the length of its text; must be quick and not throw. */
export type Appended = (journal: KeptJournal, characters: number) => void

export class KeptJournal extends MemoryJournal {
  readonly #appended: Appended

  constructor(
    limits: { maxBytes: number; maxAge: number },
    { appended, beginning }: { appended: Appended; beginning?: Beginning | undefined },
  ) {
    super(limits, beginning)
    this.#appended = appended
  }

  override append(raw: string, now: number, to?: ReadonlySet<string>): Cursor {
    const cursor = super.append(raw, now, to)
    this.#appended(this, raw.length)
    return cursor
  }
}
