// Where events come from: one stream of an implementation, whatever carries it.

/** What a source tells its owner. `opened` first; `ended` last and once, and not after `close`. */
export interface SourceEvents {
  opened(): void
  /** One event, as text; nobody has looked at it. */
  heard(text: string): void
  /** `refused`: the implementation does not like our token. */
  ended(end: { readonly code: number; readonly reason: string; readonly refused: boolean }): void
}

export interface Source {
  close(): void
  /** Called at each heartbeat: whether it is still there is asked, where that can be. */
  check?(): void
}

/** Rejects with SourceError when it does not open. */
export type OpenSource = (on: SourceEvents, signal: AbortSignal) => Promise<Source>

export class SourceError extends Error {
  override readonly name = 'SourceError'
  readonly refused: boolean
  constructor(message: string, refused = false, options?: ErrorOptions) {
    super(message, options)
    this.refused = refused
  }
}

export const isRefusal = (status: number | undefined): boolean => status === 401 || status === 403
