// Ports that can be had again after a stop: from below those that systems give away by themselves.

/** Linux gives away ports from 32768, others from 49152. */
const FIRST = 20_000
/** How many a process has to itself; another that runs beside it has others. */
const EACH = 50
const PROCESSES = 240

let asked = 0

/** One on 127.0.0.1 that is free, and stays so until it is used: nobody is given it by chance. */
export function ownPort(): number {
  for (;;) {
    const port = FIRST + (process.pid % PROCESSES) * EACH + (asked++ % EACH)
    if (isFree(port)) return port
  }
}

function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true)
    return true
  } catch {
    return false
  }
}
