// A call from its arrival to its end: what is sent for it, who gets the reply, and what it counts meanwhile.

import { carriesFiles, FILE_DEADLINE, type Mode } from '../onebot/action.ts'
import { ownReply, readAction } from '../onebot/frame.ts'
import { type Fields, own } from '../onebot/object.ts'
import { refuse } from '../onebot/retcode.ts'
import type { Caller } from './caller.ts'
import { LIMITS } from './limits.ts'
import type { GovernedCall } from './policy.ts'
import type { CallSettings, Terms, Upstream } from './ports.ts'

/** One of those who get the reply. */
export interface Taker {
  /** Undefined: the gateway itself, or somebody of an earlier run. */
  readonly caller: Caller | undefined
  /** What the client's echo was, as JSON text; undefined: it sent none. */
  readonly echo: string | undefined
  /** When it asked (ms). */
  readonly since: number
  /** Characters of the frame. */
  readonly size: number
}

export interface Call extends Taker {
  /** Our echo for it. */
  readonly token: string
  /** Grows from call to call. */
  readonly order: number
  /** Without its suffix. */
  readonly action: string
  readonly mode: Mode
  /** Once the call was sent at most what it is aimed at, see `forgetParams`. */
  params: Fields
  /** The frame to be sent; '' once it was, where it is neither to be sent again nor short enough to be kept for who asks why it failed. */
  text: string
  /** What may be sent again when the implementation was lost with it. */
  again: boolean
  /** Milliseconds for a reply, from when it is sent. */
  readonly within: number
  /** When it was sent (ms), and when its reply is due; 0: not yet. One with which nobody began was not sent, and has its deadline. */
  sent: number
  deadline: number
  /** One that was lost since, also in an earlier run, may have begun with it. */
  begun: boolean
  /** Whom it was sent to. */
  via: Upstream | undefined
  /** The one that it is meant for, and no other: it asks how that one fares. */
  readonly to: Upstream | undefined
  /** The client has its answer already: nobody waits for the reply. */
  readonly answered: boolean
  /** A read: others that ask for the same may share its reply. What it asks for. */
  readonly shared: string | undefined
  /** Changes that had been told when it was sent, see `Reads`. */
  changes: number
  /** Who shares it. */
  others: Taker[] | undefined
  /** As its policy sees it. */
  governed: GovernedCall | undefined
  /** The policy let it go, and is to hear how it ended. */
  admitted: boolean
  /** Its id on disk. */
  readonly durable: string | undefined
  /** Runs once the call has ended, however. */
  readonly ended: (() => void) | undefined
}

export type CallParts = Pick<Call, 'token' | 'action' | 'text' | 'since' | 'size' | 'params'> &
  Partial<Pick<Call, 'caller' | 'echo' | 'shared' | 'durable' | 'mode' | 'begun'>> & {
    /** It only reads, and somebody waits for what it reads. */
    readonly read?: boolean
  }

/** A call that has just come. `order`: see there. */
export function callOf(parts: CallParts, order: number, { timeout, timeouts, resend }: CallSettings): Call {
  const { action, params, mode = 'plain', read = false, caller, echo, shared, durable, begun = false } = parts
  const usual = carriesFiles(action, params) ? Math.max(timeout, FILE_DEADLINE) : timeout
  return {
    caller,
    echo,
    since: parts.since,
    size: parts.size,
    token: parts.token,
    order,
    action,
    mode,
    params,
    text: parts.text,
    again: read || resend === 'always',
    within: Object.hasOwn(timeouts, action) ? (timeouts[action] ?? usual) : usual,
    sent: 0,
    deadline: 0,
    begun,
    via: undefined,
    to: undefined,
    answered: mode !== 'plain',
    shared,
    changes: 0,
    others: undefined,
    governed: undefined,
    admitted: false,
    durable,
    ended: undefined,
  }
}

/** No params. */
export const NONE: Fields = {}

/** One of the gateway's own. */
export function partsOfOurs(action: string, token: string, since: number): CallParts {
  const text = JSON.stringify({ action, params: NONE, echo: token })
  return { token, action, text, since, size: text.length, params: NONE }
}

/** One of the gateway's own that asks how this side fares. `to`: the one of several that it is meant for. */
export function probeOf(ours: Call, side: number, to: Upstream | undefined): Call {
  const { action } = ours
  const meant = to === undefined ? {} : ({ probe: true } as const)
  return { ...ours, to, governed: { caller: OURS, action, params: NONE, paced: false, side, ...meant }, admitted: true }
}

/** A longer id is nobody's. */
const LONGEST_ID = 64

/**
 * What was sent need not be kept: it may be megabytes. What it was aimed at is, for its line and for its policy. `room`: a
 * short frame may stay, for who asks why it failed.
 */
export function forgetParams(call: Call, room: boolean): void {
  const { again, governed, size } = call
  if (!again && !(room && call.text.length <= LIMITS.failedFrame)) call.text = ''
  call.params = aimOf(call.params)
  if (governed !== undefined && size > LIMITS.paramsKept) Object.assign(governed, { params: aimOf(governed.params) })
}

/** It was sent and nobody began with it: it is as it was, but for its deadline, and for what only its policy has forgotten. */
export function remember(call: Call, text: string): void {
  const frame = readAction(text)
  if (frame.kind !== 'action') return
  call.text = text
  call.params = frame.params
  if (call.begun) return
  call.sent = 0
  // Who was answered already waits as long as it takes.
  if (call.answered) call.deadline = 0
}

function aimOf(params: Fields): Fields {
  const group_id = idIn(params, 'group_id')
  const user_id = idIn(params, 'user_id')
  return group_id === undefined && user_id === undefined ? NONE : { group_id, user_id }
}

function idIn(params: Fields, key: string): unknown {
  const id = own(params, key)
  return typeof id === 'number' || (typeof id === 'string' && id.length <= LONGEST_ID) ? id : undefined
}

/** Calls of the gateway's own, and those of an earlier run. */
const OURS = ''

/** Who waits, as far as fairness goes. */
export const keyOf = ({ caller }: Taker): string => caller?.key ?? caller?.session?.appId ?? OURS

export const termsOf = ({ session, terms }: Pick<Caller, 'session' | 'terms'>): Terms | undefined =>
  session?.terms ?? terms

/** Rights may have been taken away while it waited. @throws ActionError where its caller may not do this any more. */
export function judgeAnew({ caller, sent, others, action, params, text }: Call): void {
  // With what was sent once it is too late, and who shares it may have it.
  if (caller === undefined || sent > 0 || others !== undefined) return
  const forbidden = termsOf(caller)?.forbids(action, params, text)
  if (forbidden !== undefined) refuse('forbidden', `${forbidden}; the call was not sent`)
}

/** Whether it may have been carried out. */
export const wasSent = ({ sent, begun }: Call): boolean => sent > 0 || begun

/** Whether nobody is there to read the reply. */
export const isGone = ({ caller }: Taker): boolean =>
  caller !== undefined && (caller.session?.flow.state === 'gone' || caller.gone?.() === true)

export const takers = (call: Call): readonly Taker[] => (call.others === undefined ? [call] : [call, ...call.others])

/** It counts for its caller from now on ... */
export function open({ caller, size }: Taker): void {
  if (caller === undefined) return
  caller.open.calls += 1
  caller.open.bytes += size
}

/** ... until now. */
export function close({ caller, size }: Taker): void {
  if (caller === undefined) return
  caller.open.calls -= 1
  caller.open.bytes -= size
}

/** Says to each of them that it failed, and why. */
export const refusal =
  (retcode: number, message: string) =>
  ({ echo }: Taker) =>
    failure(retcode, message, echo)

/** `retryAfter`: milliseconds after which the same may work. */
export const failure = (retcode: number, message: string, echo: string | undefined, retryAfter?: number) =>
  ownReply({
    status: 'failed',
    retcode,
    message,
    retryAfter: retryAfter === undefined ? undefined : Math.ceil(retryAfter) / 1000,
    echo,
  })
