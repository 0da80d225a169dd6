// How much work something is: by the processor's time, which others on the machine do not add to.

/** Milliseconds of the processor that this process has used so far, on all of its threads. */
export function worked(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
