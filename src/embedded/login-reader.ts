// Reads what Lagrange prints, of either kind: QR codes and levels as both show them, how the login goes as each words it.

import { dotnetLog, plain } from './dotnet-log.ts'
import type { Level, OutputFact, Reader } from './kind.ts'
import { codeReader } from './qr-lines.ts'

/** What stands in the way of a login, by what is printed when it does: `found` is what the pattern caught. */
export type Reason = readonly [RegExp, (found: string) => string]

export interface Entry {
  readonly level: Level
  readonly text: string
}

/** How far it is. */
export interface Login {
  readonly told: ReadonlySet<OutputFact['kind']>
  /** Why it may fail: the last that was printed. */
  readonly reason: string | undefined
}

export interface Wording {
  readonly reasons: readonly Reason[]
  /** What of a line is shown. */
  readonly shown: (entry: Entry) => Entry
  /** What a line tells of the login. What it yields is told by the time it goes on. */
  readonly login: (text: string, login: Login) => Iterable<OutputFact>
}

export const NEW_SIGN_SERVER = 'set ntqq-impl.sign-server-url to one that works'

export function loginReader({ reasons, shown, login }: Wording): Reader {
  const code = codeReader()
  const log = dotnetLog()
  const told = new Set<OutputFact['kind']>()
  let reason: string | undefined
  const tell = (fact: OutputFact): OutputFact => {
    told.add(fact.kind)
    return fact
  }

  return (printed) => {
    const line = plain(printed)
    const found = code(line)
    if (found === 'part') return []
    if (found !== undefined) return [tell({ kind: 'qr', text: found })]
    const { level, text } = shown(log(line))
    reason = reasonIn(text, reasons) ?? reason
    const facts: OutputFact[] = [{ kind: 'level', level, text }]
    for (const fact of login(text, { told, reason })) facts.push(tell(fact))
    return facts
  }
}

function reasonIn(text: string, reasons: readonly Reason[]): string | undefined {
  for (const [pattern, say] of reasons) {
    const found = pattern.exec(text)
    if (found !== null) return say((found[1] ?? '').trim())
  }
  return undefined
}
