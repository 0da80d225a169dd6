// Tries whether a port can be listened on, and finds one.

import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * The port is written down, and must be free again at each start. Those that systems give to outgoing connections, from
 * 32768 on Linux and from 49152 elsewhere, may be somebody's by then.
 */
const LOWEST = 10_000
const HIGHEST = 19_999

/** One on 127.0.0.1 that nobody has at the moment. */
export async function freePort(): Promise<number> {
  for (let draws = 1000; draws > 0; draws--) {
    const port = randomInt(LOWEST, HIGHEST + 1)
    if ((await whyNoPort('127.0.0.1', port)) === undefined) return port
  }
  throw new Error(`no port from ${LOWEST} to ${HIGHEST} on 127.0.0.1 can be listened on`)
}

/** Why nobody can listen there now, as the end of a sentence; undefined: somebody could. */
export function whyNoPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(WHY[error.code ?? ''] ?? 'that fails'))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

const WHY: Record<string, string> = {
  EADDRINUSE: 'another program has it',
  EACCES: 'this user may not',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'this machine does not have that address',
}
