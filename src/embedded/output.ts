// Understands what Lagrange.OneBot prints: the QR code, how the login goes, the levels of its log.

import { CRASH } from './dotnet-log.ts'
import type { OutputFact, Reader } from './kind.ts'
import { type Login, loginReader, NEW_SIGN_SERVER, type Reason } from './login-reader.ts'

/** `[2026-04-14 23:13:18] [WtExchangeLogic] [INFORMATION]: `: time and level, which our own log has, too. */
const ORIGIN = /^\[?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]? (\[\w+\]) \[[A-Z]+\]:? /

const REASONS: readonly Reason[] = [
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

export const lagrangeReader = (): Reader =>
  loginReader({ reasons: REASONS, shown: ({ level, text }) => ({ level, text: text.replace(ORIGIN, '$1 ') }), login })

function* login(text: string, { told, reason }: Login): Generator<OutputFact> {
  const over = /QrCode (Expired|Canceled)/.exec(text)?.[1]
  if (over !== undefined && !told.has('qr-expired'))
    yield { kind: 'qr-expired', why: over === 'Expired' ? 'expired' : 'cancelled' }

  if (text.includes('QrCode State Queried: WaitingForScan') && !told.has('qr')) yield { kind: 'qr', text: [] }

  const account = /\bBot Uin: (\d{1,20})$/.exec(text)?.[1]
  if (account !== undefined) yield { kind: 'logged-in', account }

  if (told.has('login-failed')) return
  const kicked = /\bKickNTEvent: (.{1,300})/.exec(text)?.[1]
  const failed = text.includes('All login failed!')
  const crash = CRASH.exec(text)?.[1]
  if (kicked !== undefined) yield { kind: 'login-failed', why: `QQ ended the session: ${kicked}` }
  // The same exception is told by the host's log, and then by .NET.
  else if (!told.has('logged-in') && (failed || crash !== undefined))
    yield { kind: 'login-failed', why: reason ?? (failed ? undefined : crash) ?? 'no way to log in worked' }
}
