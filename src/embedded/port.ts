// Tries whether a port can be listened on.

import { createServer } from 'node:net'

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
