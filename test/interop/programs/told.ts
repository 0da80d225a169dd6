// How a guest program and its test speak: settings in argv, facts as lines on stdout, the end of stdin means "end now".

/** What the test wants this program to know. */
export const settings: Record<string, string> = JSON.parse(process.argv[2] ?? '{}')

/** A fact for the test; whatever else a package prints is no line of JSON and is passed over. */
export function tell(fact: string, details: Record<string, unknown> = {}): void {
  process.stdout.write(`\n${JSON.stringify({ fact, ...details })}\n`)
}

/** Ends the program in the guest's own way when the test wants it, or is itself gone. */
export function endWith(farewell: () => Promise<void> | void): void {
  process.stdin.resume().once('end', async () => {
    await farewell()
    tell('ended')
    // Packages leave timers of a minute behind; the test wants to know of sockets, which are closed by now.
    process.exit(0)
  })
}
