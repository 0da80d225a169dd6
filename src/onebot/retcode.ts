// The retcodes of our own replies, and the error that callers throw to answer with one.

/** `http`: the status with which the HTTP action API answers; everything that OneBot has no status for is a 200. */
export const RETCODE = {
  'bad-request': { code: 1400, http: 400 },
  unauthorized: { code: 1401, http: 401 },
  forbidden: { code: 1403, http: 403 },
  'not-found': { code: 1404, http: 404 },
  conflict: { code: 1409, http: 200 },
  'too-large': { code: 1413, http: 200 },
  'rate-limited': { code: 1429, http: 200 },
  unavailable: { code: 1503, http: 200 },
  'outcome-unknown': { code: 1504, http: 200 },
  'no-port': { code: 10001, http: 200 },
} as const satisfies Record<string, { code: number; http: number }>

export type Refusal = keyof typeof RETCODE

/** Ends an action with a failed reply; `message` is what the client reads. */
export class ActionError extends Error {
  override readonly name = 'ActionError'
  readonly refusal: Refusal
  readonly retcode: number
  /** Milliseconds after which the same may work. */
  readonly retryAfter: number | undefined

  constructor(refusal: Refusal, message: string, options?: ErrorOptions & { readonly retryAfter?: number }) {
    super(message, options)
    this.refusal = refusal
    this.retcode = RETCODE[refusal].code
    this.retryAfter = options?.retryAfter
  }
}

/** @throws ActionError always. */
export function refuse(refusal: Refusal, message: string): never {
  throw new ActionError(refusal, message)
}

/** Whether a reply's retcode says that the action worked; 1: it goes on. */
export const worked = (retcode: number | null | undefined): boolean => retcode === 0 || retcode === 1

/** The HTTP status for a reply's retcode, ours or an implementation's. */
export function httpStatus(retcode: number): number {
  return HTTP.get(retcode) ?? 200
}

const HTTP = new Map<number, number>([
  ...Object.values(RETCODE).map(({ code, http }): [number, number] => [code, http]),
  // What go-cqhttp and Lagrange answer to an action they do not know.
  [404, 404],
])
