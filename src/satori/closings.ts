// The close codes that are Satori's own, beside those of the gateway.

import { CLOSING, type Closing } from '../broker/closing.ts'

export const SATORI_CLOSING = {
  badFrame: { code: 4000, text: 'bad frame', retry: false },
  late: { code: 4000, text: 'no IDENTIFY in time', retry: true },
  wrongToken: { code: 4004, text: 'wrong token', retry: false },
  tokenGone: { code: 4004, text: CLOSING.tokenGone.text, retry: false },
} as const satisfies Record<string, Closing>
