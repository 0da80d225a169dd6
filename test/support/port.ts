// Ports that can be had again after a stop: from below those that systems give away by themselves.

/** Linux gives away ports from 32768, others from 49152. */
const FIRST = 20_000
/** How many a process has to itself, the one that it holds for that included. */
const EACH = 50
const PROCESSES = 240

let mine: number | undefined
let asked = 0

/** One on 127.0.0.1 that is free, and stays so until it is used: nobody else is given it. */
export function ownPort(): number {
  mine ??= reserved()
  for (;;) {
    const port = mine + 1 + (asked++ % (EACH - 1))
    if (listens(port)) return port
  }
}

/** The first of some that are ours for as long as this process lives. */
function reserved(): number {
  for (;;) {
    const first = FIRST + Math.floor(Math.random() * PROCESSES) * EACH
    if (listens(first, true)) return first
  }
}

function listens(port: number, forEver = false): boolean {
  try {
    // Exclusive: others could listen on it as well, and think that it is theirs.
    const listener = Bun.listen({ hostname: '127.0.0.1', port, exclusive: true, socket: { data() {} } })
    if (forEver) listener.unref()
    else listener.stop(true)
    return true
  } catch {
    return false
  }
}
