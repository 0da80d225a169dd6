// What happened in the simulated QQ, for who watches it as a chat: words, notices, requests, calls.

import type { Event } from './events.ts'
import { Feed } from './feed.ts'
import type { Message } from './messages.ts'

export type Happening =
  /** `self`: the account said it. Segments as they were sent, pictures included. */
  | ({ readonly kind: 'message'; readonly self: boolean } & Message)
  /** A notice or a request, as the account's clients hear it. */
  | { readonly kind: 'event'; readonly event: Event }
  /** `message`: why it failed. */
  | {
      readonly kind: 'call'
      /** Seconds since 1970. */
      readonly time: number
      readonly action: string
      readonly params: Readonly<Record<string, unknown>>
      readonly retcode: number
      readonly message: string | undefined
      /** Characters of the frame. */
      readonly size: number
    }

export class Chat extends Feed<Happening> {
  /** Tells one run of the simulator from the next, whose numbers begin anew (ms since 1970). */
  readonly since = Date.now()

  constructor() {
    super(size)
  }
}

function size(one: Happening): number {
  if (one.kind === 'call') return one.size
  if (one.kind === 'event') return 0
  let characters = 0
  for (const { data } of one.segments)
    for (const value of Object.values(data)) characters += typeof value === 'string' ? value.length : 0
  return characters
}
