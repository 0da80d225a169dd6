// What actions act on, and the form in which each is declared.

import type * as v from 'valibot'
import type { Happening } from './chat.ts'
import type { Event } from './events.ts'
import type { Format, Messages } from './messages.ts'
import { checked } from './params.ts'
import type { World } from './world.ts'

export interface Stage {
  readonly world: World
  readonly messages: Messages
  /** The form of messages in events and answers. */
  readonly format: Format
  /** What the account says itself becomes an event, too. */
  readonly reportSelf: boolean
  /** Leaves once the call has its reply. */
  tell(event: Event): void
  /** For who watches. */
  happened(one: Happening): void
  /** Drops every link after so many milliseconds, as a program that starts again does. */
  restart(delay: number): void
  /** Carries out another action, as if it had been called. */
  perform(action: string, params: unknown): void
}

/** Takes unchecked params and returns the reply's data. @throws Failure */
export type Action = (params: unknown, stage: Stage) => unknown

export const action =
  <T>(schema: v.GenericSchema<unknown, T>, run: (params: T, stage: Stage) => unknown): Action =>
  (params, stage) =>
    run(checked(schema, params), stage)
