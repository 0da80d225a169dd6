// What clients called.

import { Feed } from './feed.ts'

export interface Called {
  /** Counts from 1. */
  readonly n: number
  /** Seconds since 1970. */
  readonly time: number
  /** As it was called, suffix included. */
  readonly action: string
  readonly params: Readonly<Record<string, unknown>>
  /** The frame's or the request body's exact text; undefined: the params came by query or form. */
  readonly raw: string | undefined
}

export class Sent extends Feed<Omit<Called, 'n'>> {
  constructor() {
    super(({ raw }) => raw?.length ?? 0)
  }
}
