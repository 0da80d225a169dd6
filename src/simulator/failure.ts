// Why the implementation did not do what it was asked to.

/** The retcode of actions that were understood and did not work. */
export const FAILED = 1200

/** Ends a call with a failed reply; the message is for the caller. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly retcode: number

  constructor(message: string, retcode = FAILED) {
    super(message)
    this.retcode = retcode
  }
}

/** @throws Failure always. */
export function fail(message: string, retcode?: number): never {
  throw new Failure(message, retcode)
}
