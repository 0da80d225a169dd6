// The facts the core reports, typed; one file logs them, one counts them.

import type { CourierFact } from '../lib/courier.ts'
import type { Fields } from '../onebot/object.ts'
import type { ActionClass } from './policy.ts'
import type { Session } from './session.ts'

export type Status =
  | { kind: 'upstream-connected'; bot: string; peer: string }
  | { kind: 'upstream-lost'; bot: string; code: number; reason: string }
  | { kind: 'upstream-retry'; bot: string; peer: string; reason: string; inMs: number; tries: number }
  | { kind: 'upstream-refused'; bot: string; peer: string; reason: string; inMs: number }
  | { kind: 'embedded-progress'; bot: string; what: string }
  | { kind: 'embedded-settings'; bot: string; file: string; notes: readonly string[] }
  | { kind: 'embedded-failed'; bot: string; why: string; inMs: number }
  | { kind: 'embedded-started'; bot: string; pid: number }
  | { kind: 'embedded-exited'; bot: string; how: string; inMs: number }
  | { kind: 'embedded-ended'; bot: string; how: string }
  | { kind: 'embedded-trouble'; bot: string; what: string; pid: number }
  | { kind: 'embedded-given-up'; bot: string; why: string; output: readonly string[] }
  | { kind: 'embedded-qr'; bot: string; text: readonly string[] }
  | { kind: 'embedded-qr-expired'; bot: string; why: string }
  | { kind: 'embedded-logged-in'; bot: string; account: string | undefined }
  | { kind: 'embedded-login-failed'; bot: string; why: string }
  | {
      kind: 'embedded-output'
      bot: string
      level: 'trace' | 'debug' | 'info' | 'warn' | 'error'
      text: string
      raw: string
    }
  | { kind: 'upstream-mute'; bot: string; peer: string }
  /** `first`: no other was there; `lost`, `failing`: the one before; `stable`: it comes before that one. */
  | { kind: 'upstream-active'; bot: string; peer: string; why: 'first' | 'lost' | 'failing' | 'stable' }
  /** Calls that go to this one of several keep failing; they do not any more, as far as it says. */
  | {
      kind: 'upstream-failing'
      bot: string
      peer: string
      why: string
      /** No other one is well, so that it goes on doing the work as far as it can. */
      last: boolean
    }
  | { kind: 'upstream-works'; bot: string; peer: string }
  /** Of a single implementation: calls of this class have failed so many times in a row; they go through again. */
  | { kind: 'calls-failing'; bot: string; class: ActionClass; why: string; failures: number; inMs: number }
  | { kind: 'calls-work'; bot: string; class: ActionClass }
  | { kind: 'event-rescued'; bot: string; peer: string }
  | { kind: 'bot-identified'; bot: string; selfId: string }
  | { kind: 'bot-changed'; bot: string; from: string; to: string }
  /** `wanted`: the account that the configuration names; absent: another bot has this one. */
  | { kind: 'bot-conflict'; bot: string; selfId: string; wanted?: string }
  | { kind: 'upstream-garbage'; bot: string; why: string; text: string }
  | { kind: 'reply-unknown'; bot: string }
  | { kind: 'reply-orphaned'; bot: string; session: Session }
  /** `event`: what `raw` says. */
  | { kind: 'event'; bot: string; raw: string; event: Fields }
  | { kind: 'session-opened'; bot: string; session: Session }
  | { kind: 'session-closed'; bot: string; session: Session; code: number; reason: string }
  | { kind: 'session-away'; bot: string; session: Session; code: number; reason: string }
  | { kind: 'session-expired'; bot: string; session: Session }
  | { kind: 'session-named'; bot: string; session: Session; name: string }
  | { kind: 'session-slow'; bot: string; session: Session; buffered: number }
  | { kind: 'session-in-step'; bot: string; session: Session }
  | { kind: 'session-behind'; bot: string; session: Session; missed: number }
  | { kind: 'resume-lost'; bot: string; session: Session; missed: number }
  | { kind: 'content-note'; bot: string; note: string }
  /** It is back and gets what came meanwhile: `missed` events, of which so many are `lost` for good. */
  | { kind: 'session-resumed'; bot: string; session: Session; missed: number; lost: number }
  | { kind: 'session-paused'; bot: string; session: Session }
  | { kind: 'session-unpaused'; bot: string; session: Session }
  /** So many events that it had yet to get are not sent to it any more. */
  | { kind: 'session-skipped'; bot: string; session: Session; dropped: number }
  | { kind: 'publish-dropped'; bot: string; topic: string }
  | { kind: 'pool-empty'; bot: string; pool: string }
  | { kind: 'pool-behind'; bot: string; pool: string; missed: number }
  | { kind: 'action'; bot: string; session: Session | undefined; raw: string }
  | { kind: 'call'; bot: string; action: string; retcode: number; ms: number }
  | { kind: 'call-timeout'; bot: string; action: string; ms: number }
  /** `away`: until the implementation is back. */
  | { kind: 'call-held'; bot: string; action: string; away: boolean }
  | { kind: 'call-shared'; bot: string; action: string; kept: boolean }
  | { kind: 'call-limited'; bot: string; action: string; retcode: number; why: string }
  | { kind: 'call-cancelled'; bot: string; action: string }
  /** By the operator, who sends one that failed once more. */
  | { kind: 'call-given-up'; bot: string; action: string; id: string }
  | { kind: 'call-retried'; bot: string; action: string; id: string; retcode: number }
  /** Answered with `async`, and not sent after all. */
  | { kind: 'call-dropped'; bot: string; action: string; why: string }
  | { kind: 'durable-queued'; bot: string; id: string; action: string }
  | { kind: 'durable-sent'; bot: string; id: string; action: string }
  | { kind: 'durable-done'; bot: string; id: string; action: string; retcode: number }
  | { kind: 'durable-unknown'; bot: string; id: string; action: string; why: string }
  | { kind: 'durable-trouble'; bot: string; why: string }
  | { kind: 'frame-refused'; bot: string; session: Session | undefined; why: string }
  /** An implementation on a link that is for clients; it is closed. */
  | { kind: 'implementation-misplaced'; bot: string; session: Session }
  | { kind: 'restart'; bot: string; delay: number }
  | { kind: 'paced-abandoned'; bot: string; actions: number }
  | { kind: 'link-refused'; peer: string; path: string; status: number; why: string }
  /** `client`: its name, or its entry. */
  | { kind: 'client-flapping'; client: string; peer: string; inMs: number }
  | { kind: 'link-retry'; target: string; reason: string; inMs: number; tries: number }
  | CourierFact
  | { kind: 'alert'; incident: string; state: 'open' | 'resolved'; title: string }
  | { kind: 'alert-failed'; target: string; reason: string; inMs: number | undefined }
  | { kind: 'allotted'; port: number; peer: string }
  | { kind: 'allotment-expired'; port: number }
  | {
      kind: 'storage-restored'
      bot: string
      file: string
      events: number
      sessions: number
      calls: number
      clean: boolean
    }
  | { kind: 'storage-failed'; bot: string; file: string; why: string; remedy: string }
  | { kind: 'storage-set-aside'; bot: string; file: string; aside: string; why: string }
  | { kind: 'storage-back'; bot: string; file: string }

/** Called in the turn the fact becomes true; must not throw and must be quick. */
export type Report = (status: Status) => void
