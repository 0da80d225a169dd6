// Makes a session of an entry of the configuration that we dial or post to: by its name, under its terms, as the one it was.

import type { Bot } from './bot.ts'
import { type Acknowledgement, type Guests, type Link, OPEN_TERMS } from './ports.ts'
import type { Session } from './session.ts'

interface Entry {
  readonly entry: { readonly name: string }
  /** What the configuration calls it; nobody else can come under this. */
  readonly key: string
  readonly guests: Guests
  /** It is in no configuration, and is waited for all the same. */
  readonly resume?: Acknowledgement | undefined
}

export function enterEntry(
  bot: Bot,
  link: Link,
  { entry, key, guests, resume }: Entry,
  carries: { events: boolean; calls: boolean },
): Session {
  const terms = guests.terms({ entry: key }) ?? guests.terms({ resume }) ?? OPEN_TERMS
  const known = bot.known({ entry: key })
  if (known?.returns !== undefined && terms.resume !== undefined) {
    bot.rejoin(known, link, { terms, calls: carries.calls })
    return known
  }
  if (known !== undefined) bot.replace(known)
  // A client may have taken the name: to be connected matters more than to be named.
  const name = entry.name !== '' && !bot.sessions.nameTaken(entry.name) ? entry.name : undefined
  return bot.join(link, { ...carries, claim: { entry: key, name, resume }, terms })
}
