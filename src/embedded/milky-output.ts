// Understands what Lagrange.Milky prints: the QR code, how the login goes, what it asks of a person, the levels of its log.

import { CRASH, dotnetLog, plain } from './dotnet-log.ts'
import type { OutputFact, Reader } from './kind.ts'
import { codeReader } from './qr-lines.ts'

const NEW_SIGN_SERVER = 'set ntqq-impl.sign-server-url to one that works'

/** What stands in the way of a login, by what is printed when it does; the last of them is told when the login fails. */
const REASONS: readonly (readonly [RegExp, (found: string) => string])[] = [
  [/QR code scan state: CodeExpired/, () => 'the QR code expired before it was scanned'],
  [/QR code scan state: Canceled/, () => 'the login was cancelled on the phone'],
  [/QR code scan state: Invalid/, () => 'QQ did not take the QR code'],
  [/sign\.lagrangecore\.org/, () => `the public sign server does not work: ${NEW_SIGN_SERVER}`],
  [/sec-sign.{0,40}?(\d{3})/, (found) => `the sign server answered ${found}: ${NEW_SIGN_SERVER}`],
]

/** A person must do something, and soon. */
const ASKS = /to complete captcha|for new device verification|enter the SMS verification code/i

export function milkyReader(): Reader {
  const code = codeReader()
  const log = dotnetLog()
  /** Why the login that is under way may fail. */
  let reason: string | undefined
  const told = new Set<OutputFact['kind']>()

  return (printed) => {
    const line = plain(printed)
    const found = code(line)
    if (found === 'part') return []
    if (found !== undefined) return [tell({ kind: 'qr', text: found })]
    const { level, text } = log(line)
    reason = reasonIn(text) ?? reason
    return [{ kind: 'level', level: ASKS.test(text) ? 'warn' : level, text }, ...login(text)]
  }

  function* login(text: string): Generator<OutputFact> {
    if (/^Please scan the QR code\b/.test(text) && !told.has('qr')) yield tell({ kind: 'qr', text: [] })
    const over = /QR code scan state: (CodeExpired|Canceled)/.exec(text)?.[1]
    if (over !== undefined && !told.has('qr-expired'))
      yield tell({ kind: 'qr-expired', why: over === 'CodeExpired' ? 'expired' : 'cancelled' })
    const account = /\bSuccessfully logged in as (\d{1,20})\b/.exec(text)?.[1]
    if (account !== undefined) yield tell({ kind: 'logged-in', account })
    if (told.has('login-failed') || told.has('logged-in')) return
    const crash = CRASH.exec(text)?.[1]
    if (/^Failed to login for account\b/.test(text) || crash !== undefined)
      yield tell({ kind: 'login-failed', why: reason ?? crash ?? 'no way to log in worked' })
  }

  function tell(fact: OutputFact): OutputFact {
    told.add(fact.kind)
    return fact
  }
}

function reasonIn(text: string): string | undefined {
  for (const [pattern, say] of REASONS) {
    const found = pattern.exec(text)
    if (found !== null) return say(found[1] ?? '')
  }
  return undefined
}
