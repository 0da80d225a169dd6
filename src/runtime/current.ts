// Picks the host implementation of the runtime we are in.

import type { Host } from './host.ts'

export const host: Host =
  'Bun' in globalThis ? (await import('./bun.ts')).bunHost : (await import('./node.ts')).nodeHost
