// All methods that are served, by name; the table of features says which those are, and why not the others.

import { guildMethods } from './guild-methods.ts'
import { type Handler, messageMethods } from './message-methods.ts'
import { userMethods } from './user-methods.ts'

/** Those that become actions of OneBot. `login.get` and `upload.create` are the server's own. */
export const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>(
  Object.entries({ ...messageMethods, ...guildMethods, ...userMethods }),
)
