// Loaded before the gateway's own code: tells what lives on its heap to whoever asks at the socket file in SOAK_HEAP.

import { heapStats } from 'bun:jsc'

export interface Heap {
  objects: number
  bytes: number
  /** How many there are of each type. */
  types: Record<string, number>
}

const unix = process.env['SOAK_HEAP']
if (unix !== undefined)
  Bun.serve({
    unix,
    async fetch() {
      // Twice with a pause: finalisers of the first round free what the second one collects.
      Bun.gc(true)
      await Bun.sleep(100)
      Bun.gc(true)
      const { objectCount, heapSize, objectTypeCounts } = heapStats()
      return Response.json({ objects: objectCount, bytes: heapSize, types: objectTypeCounts } satisfies Heap)
    },
  })
