// The close codes a client can see, each with its text and whether coming back makes sense.

export interface Closing {
  readonly code: number
  readonly text: string
  /** A client that reconnects can expect to be served. */
  readonly retry: boolean
}

export const CLOSING = {
  shutdown: { code: 1001, text: 'shutting down', retry: true },
  refused: { code: 1008, text: 'refused', retry: false },
  tokenGone: { code: 1008, text: 'its token does not count any more', retry: false },
  nameOwned: { code: 1008, text: 'its name belongs to a token now', retry: false },
  misplaced: {
    code: 1008,
    text: 'this link is for clients, and you are an implementation: yours is /onebot/v11/implementation',
    retry: false,
  },
  tooBig: { code: 1009, text: 'frame too big', retry: true },
  accountChanged: { code: 1012, text: 'the bot logged in to another account', retry: true },
  removed: { code: 1012, text: 'removed from the configuration', retry: false },
  behind: { code: 4008, text: 'fell behind the journal', retry: true },
  replaced: { code: 4009, text: 'replaced by a newer link of the same session', retry: false },
  silent: { code: 4010, text: 'no answer to our PINGs', retry: true },
  kicked: { code: 4012, text: 'disconnected by the operator', retry: true },
  repliesUnread: { code: 4013, text: 'replies piled up unread', retry: true },
} as const satisfies Record<string, Closing>
