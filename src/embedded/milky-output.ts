// Understands what Lagrange.Milky prints: the QR code, how the login goes, what it asks of a person, the levels of its log.

import { CRASH } from './dotnet-log.ts'
import type { OutputFact, Reader } from './kind.ts'
import { type Login, loginReader, NEW_SIGN_SERVER, type Reason } from './login-reader.ts'

const REASONS: readonly Reason[] = [
  [/QR code scan state: CodeExpired/, () => 'the QR code expired before it was scanned'],
  [/QR code scan state: Canceled/, () => 'the login was cancelled on the phone'],
  [/QR code scan state: Invalid/, () => 'QQ did not take the QR code'],
  [/sign\.lagrangecore\.org/, () => `the public sign server does not work: ${NEW_SIGN_SERVER}`],
  [/sec-sign.{0,40}?(\d{3})/, (found) => `the sign server answered ${found}: ${NEW_SIGN_SERVER}`],
]

/** A person must do something, and soon. */
const ASKS = /to complete captcha|for new device verification|enter the SMS verification code/i

export const milkyReader = (): Reader =>
  loginReader({
    reasons: REASONS,
    shown: ({ level, text }) => ({ level: ASKS.test(text) ? 'warn' : level, text }),
    login,
  })

function* login(text: string, { told, reason }: Login): Generator<OutputFact> {
  if (/^Please scan the QR code\b/.test(text) && !told.has('qr')) yield { kind: 'qr', text: [] }
  const over = /QR code scan state: (CodeExpired|Canceled)/.exec(text)?.[1]
  if (over !== undefined && !told.has('qr-expired'))
    yield { kind: 'qr-expired', why: over === 'CodeExpired' ? 'expired' : 'cancelled' }
  const account = /\bSuccessfully logged in as (\d{1,20})\b/.exec(text)?.[1]
  if (account !== undefined) yield { kind: 'logged-in', account }
  if (told.has('login-failed') || told.has('logged-in')) return
  const crash = CRASH.exec(text)?.[1]
  if (/^Failed to login for account\b/.test(text) || crash !== undefined)
    yield { kind: 'login-failed', why: reason ?? crash ?? 'no way to log in worked' }
}
