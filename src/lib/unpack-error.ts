// What an archive that cannot be used is called, apart from what unpacks: that is loaded only when it is needed.

/** The archive cannot be used. The message names the entry to blame. */
export class UnpackError extends Error {
  override readonly name = 'UnpackError'
}
