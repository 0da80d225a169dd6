// Understands what Lagrange.OneBot prints: the QR code, how the login goes, the levels of its log.

import { stripVTControlCharacters } from 'node:util'
import type { Level, OutputFact, Reader } from './kind.ts'
import { codeReader } from './qr-lines.ts'

/** The words of .NET's console log. */
const LEVELS = { trce: 'trace', dbug: 'debug', info: 'info', warn: 'warn', fail: 'error', crit: 'error' } as const

/** `info: Lagrange.Core.BotContext[0]`, maybe after a time; the text follows on lines of their own, or right there. */
const HEADING = /^[\d\s.,:TZ/[\]+-]{0,40}(trce|dbug|info|warn|fail|crit): ?(?:[\w.`+]+\[-?\d+\])?\s*(.*)$/

/** `[2026-04-14 23:13:18] [WtExchangeLogic] [INFORMATION]: `: time and level, which our own log has, too. */
const ORIGIN = /^\[?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]? (\[\w+\]) \[[A-Z]+\]:? /

/** Longer lines are cut before anybody looks at them: patterns must not meet megabytes. */
const LONGEST = 4096

const NEW_SIGN_SERVER = 'set ntqq-impl.sign-server-url to one that works'

/** What stands in the way of a login, by what is printed when it does; the last of them is told when the login fails. */
const REASONS: readonly (readonly [RegExp, (found: string) => string])[] = [
  [/QrCode Expired/, () => 'the QR code expired before it was scanned'],
  [/QrCode Canceled/, () => 'the login was cancelled on the phone'],
  [/Signer server returned an? (.{1,80})/, (found) => `the sign server answered ${found}: ${NEW_SIGN_SERVER}`],
  [/Signer (platform|version) mismatch/, (found) => `the sign server is for another ${found}: ${NEW_SIGN_SERVER}`],
  [/Sign server is not configured/, () => `there is no sign server: ${NEW_SIGN_SERVER}`],
  [/sign\.lagrangecore\.org/, () => `the public sign server has ended: ${NEW_SIGN_SERVER}`],
  [
    /Found LiteDB database/,
    () => 'lagrange-<account>.db is of an old version: delete it, or migrate it as the log says',
  ],
  [/Key Exchange Failed/, () => 'the key exchange with QQ failed: try again later'],
  [/\bLogin [Ff]ailed: (.{1,300})/, (found) => `QQ refused: ${found}`],
  [/^(?:\[\w+\] )?(?:Tag|State): (.{1,300})/, (found) => `QQ refused: ${found}`],
]

/** .NET's last words. */
const CRASH = /^Unhandled exception\. (.{1,300})/

export function lagrangeReader(): Reader {
  const code = codeReader()
  let level: Level = 'info'
  /** Why the login that is under way may fail. */
  let reason: string | undefined
  const told = new Set<OutputFact['kind']>()

  return (printed) => {
    const line = plain(printed)
    const found = code(line)
    if (found === 'part') return []
    if (found !== undefined) return [tell({ kind: 'qr', text: found })]

    const heading = HEADING.exec(line)
    if (heading !== null)
      level = LEVELS[heading[1] as keyof typeof LEVELS] // the pattern has just these words
    else if (CRASH.test(line)) level = 'error'
    // What is set in belongs to the entry above.
    else if (/^\S/.test(line)) level = 'info'
    const text = (heading?.[2] ?? line).trim().replace(ORIGIN, '$1 ')
    reason = reasonIn(text) ?? reason
    return [{ kind: 'level', level, text }, ...login(text)]
  }

  function* login(text: string): Generator<OutputFact> {
    const over = /QrCode (Expired|Canceled)/.exec(text)?.[1]
    if (over !== undefined && !told.has('qr-expired'))
      yield tell({ kind: 'qr-expired', why: over === 'Expired' ? 'expired' : 'cancelled' })

    if (text.includes('QrCode State Queried: WaitingForScan') && !told.has('qr')) yield tell({ kind: 'qr', text: [] })

    const account = /\bBot Uin: (\d{1,20})$/.exec(text)?.[1]
    if (account !== undefined) yield tell({ kind: 'logged-in', account })

    if (told.has('login-failed')) return
    const kicked = /\bKickNTEvent: (.{1,300})/.exec(text)?.[1]
    const failed = text.includes('All login failed!')
    const crash = CRASH.exec(text)?.[1]
    if (kicked !== undefined) yield tell({ kind: 'login-failed', why: `QQ ended the session: ${kicked}` })
    // The same exception is told by the host's log, and then by .NET.
    else if (!told.has('logged-in') && (failed || crash !== undefined))
      yield tell({ kind: 'login-failed', why: reason ?? (failed ? undefined : crash) ?? 'no way to log in worked' })
  }

  function tell(fact: OutputFact): OutputFact {
    told.add(fact.kind)
    return fact
  }
}

/** Without colours, the end of the line, and control characters; cut. */
function plain(line: string): string {
  return stripVTControlCharacters(line.slice(0, LONGEST)).replaceAll(/\p{Cc}/gu, '')
}

function reasonIn(text: string): string | undefined {
  for (const [pattern, say] of REASONS) {
    const found = pattern.exec(text)
    if (found !== null) return say((found[1] ?? '').trim())
  }
  return undefined
}
