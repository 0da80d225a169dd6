// One case of a contract, and the clean-up after it. Node 22 does not know `await using`.

import type { Host } from '../../src/runtime/host.ts'

/** Takes what was made, to dispose of it when the case is over. */
export type Own = <T extends AsyncDisposable>(made: Promise<T>) => Promise<T>

export interface Case {
  /** Starts with the id of its rule in test/SPEC.md. */
  name: string
  run(host: Host, own: Own): Promise<void>
}

export async function owning<T>(run: (own: Own) => Promise<T>): Promise<T> {
  const owned: AsyncDisposable[] = []
  try {
    return await run(async (made) => {
      const it = await made
      owned.push(it)
      return it
    })
  } finally {
    for (const it of owned.reverse()) await it[Symbol.asyncDispose]()
  }
}
