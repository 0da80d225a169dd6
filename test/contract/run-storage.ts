// Runs the storage contracts as a plain script, for runtimes without bun:test: one line of JSON per case on stdout.

import { type JournalCase, journalContract } from './journal.ts'
import { onShelf, type StorageCase, storageContract } from './storage.ts'
import { storageFaults } from './storage-faults.ts'

/** A journal that is kept, one after the other in the same file. */
const kept = ({ name, run }: JournalCase): StorageCase => ({
  name,
  run(shelf) {
    const storage = shelf.open()
    run((limits) => {
      const journal = storage.journal()
      journal.limit(limits)
      return journal
    })
  },
})

let failed = 0
for (const { name, run } of [...journalContract.map(kept), ...storageContract, ...storageFaults]) {
  const error = await onShelf(run).then(
    () => undefined,
    (reason) => (reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)),
  )
  if (error !== undefined) failed++
  console.log(JSON.stringify({ name, error }))
}
process.exit(failed > 0 ? 1 : 0)
