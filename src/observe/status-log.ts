// Turns the core's typed facts into log lines: the only file that words them.

import type { Session } from '../broker/session.ts'
import type { Report, Status } from '../broker/status.ts'
import { RETCODE } from '../onebot/retcode.ts'
import { isEmbedded, sayEmbedded } from './embedded-log.ts'
import { limit } from './limit.ts'
import type { Log } from './log.ts'
import { MISPLACED, remedyOf } from './remedies.ts'
import { byStatus, losses, reasonOf, retries, seconds, THROTTLE } from './repeats.ts'

/** Why another one of several implementations does the work from now on. */
const ACTIVE = {
  first: 'it is the first that is well',
  lost: 'the one before it was lost',
  failing: 'the calls of the one before it fail',
  stable: 'it comes first, and has been well for a while',
} as const
const ALARMING: ReadonlySet<keyof typeof ACTIVE> = new Set(['lost', 'failing'])

const LEFT = 'implementation left alone: its calls keep failing'
const MEND = 'look at its own log, and restart it if it hangs; if it is only slow, raise actions.timeout'

/** Frames are shown at `debug` only, and no more of them than this. */
const SHOWN = 1024
/** The same for what has been said already, and goes on for hours (ms). */
const REMINDER = 60_000

export function statusLog(log: Log): Report {
  const thin = {
    seldom: limit(log, THROTTLE),
    refused: byStatus(log),
    rarely: limit(log, REMINDER),
    again: retries(log),
    lost: losses(log),
  }
  return (status) => say(status, log, thin)
}

interface Thin {
  readonly seldom: ReturnType<typeof limit>
  readonly refused: ReturnType<typeof byStatus>
  readonly rarely: ReturnType<typeof limit>
  readonly again: ReturnType<typeof retries>
  readonly lost: ReturnType<typeof losses>
}

function say(status: Status, log: Log, { seldom, refused, rarely, again, lost }: Thin): void {
  if (isEmbedded(status)) return sayEmbedded(status, log)
  switch (status.kind) {
    // The hot path: worth no line, and no work towards one, unless somebody looks for what goes wrong.
    case 'event':
      return verbose(log) ? log.debug('event', { bot: status.bot, frame: cut(status.raw) }) : undefined
    case 'action':
      return verbose(log)
        ? log.debug('action', { bot: status.bot, ...who(status.session), frame: cut(status.raw) })
        : undefined
    case 'call':
      return verbose(log)
        ? log.debug('call ended', { bot: status.bot, action: status.action, retcode: status.retcode, ms: status.ms })
        : undefined
    case 'upstream-connected':
      return log.info('implementation connected', { bot: status.bot, peer: status.peer })
    case 'upstream-lost':
      return log.warn('implementation lost', { bot: status.bot, code: status.code, reason: status.reason })
    case 'upstream-retry':
      return again('implementation not reachable: trying again', status.peer, status, {
        bot: status.bot,
        peer: status.peer,
      })
    case 'upstream-refused':
      return log.error('implementation refused us: check external-access-token (in upstreams: access-token)', {
        bot: status.bot,
        peer: status.peer,
        reason: reasonOf(status.reason, status.peer),
        in: seconds(status.inMs),
      })
    case 'upstream-mute':
      return log.warn('implementation connected but silent: is this its address for events and actions?', {
        bot: status.bot,
        peer: status.peer,
      })
    case 'upstream-active':
      return log[ALARMING.has(status.why) ? 'warn' : 'info'](`implementation active: ${ACTIVE[status.why]}`, {
        bot: status.bot,
        peer: status.peer,
      })
    case 'upstream-failing':
      return log.warn(status.last ? 'implementation fails, and no other one is well' : LEFT, {
        bot: status.bot,
        peer: status.peer,
        why: status.why,
        remedy: MEND,
      })
    case 'upstream-works':
      return log.info('implementation answers again', { bot: status.bot, peer: status.peer })
    case 'calls-failing':
      return log.warn('calls keep failing: refused for a while, their circuit is open', {
        bot: status.bot,
        class: status.class,
        failures: status.failures,
        reason: status.why,
        in: seconds(status.inMs),
        remedy: MEND,
      })
    case 'calls-work':
      return log.info('calls go through again: their circuit is closed', { bot: status.bot, class: status.class })
    case 'event-rescued':
      return seldom.warn('event came from an implementation that stands by only: late, but not lost', {
        bot: status.bot,
        peer: status.peer,
      })
    case 'bot-identified':
      return log.info('bot online', { bot: status.bot, self_id: status.selfId })
    case 'bot-changed':
      return log.warn('another account logged in: clients must reconnect', {
        bot: status.bot,
        from: status.from,
        to: status.to,
      })
    case 'bot-conflict':
      return status.wanted === undefined
        ? log.error('account served by another upstream already: its events are left out', {
            bot: status.bot,
            self_id: status.selfId,
          })
        : log.error('implementation has another account than its self-id says: its events are left out', {
            bot: status.bot,
            self_id: status.selfId,
            wanted: status.wanted,
          })
    case 'upstream-garbage':
      seldom.warn('implementation sent a frame that is no OneBot', { bot: status.bot, why: status.why })
      return log.debug('the frame', { text: cut(status.text) })
    case 'reply-unknown':
      return log.debug('reply to no open call: dropped', { bot: status.bot })
    case 'reply-orphaned':
      return log.debug('reply for a client that has left: dropped', { bot: status.bot, ...who(status.session) })
    case 'session-opened':
      return log.info('client connected', { bot: status.bot, ...who(status.session) })
    case 'session-closed':
      return log.info('client disconnected', {
        bot: status.bot,
        ...who(status.session),
        code: status.code,
        reason: status.reason,
      })
    case 'session-away':
      return log.info('client away: its events are kept until it is back', {
        bot: status.bot,
        ...who(status.session),
        code: status.code,
        reason: status.reason,
      })
    case 'session-expired':
      return log.info('client did not come back: its events are kept no longer', {
        bot: status.bot,
        ...who(status.session),
      })
    case 'session-named':
      return log.info('client named', { bot: status.bot, ...who(status.session) })
    case 'session-slow':
      return seldom.warn('client slow: it reads from the journal until it is in step again', {
        bot: status.bot,
        ...who(status.session),
        unread: status.buffered,
      })
    case 'session-in-step':
      return log.info('client in step again', { bot: status.bot, ...who(status.session) })
    case 'session-behind':
      return lost('client lost events: it was slower than the journal keeps them', status.missed, {
        bot: status.bot,
        ...who(status.session),
      })
    case 'resume-lost':
      return log.warn(
        'client resumed from a position that the journal no longer holds: it goes on with the oldest event',
        {
          bot: status.bot,
          ...who(status.session),
          ...(status.missed === 0 ? {} : { missed: status.missed }),
        },
      )
    case 'content-note':
      return seldom.info('a part of a message cannot be said on QQ', { bot: status.bot, note: cut(status.note) })
    case 'session-resumed':
      return log.info('client back: it gets what it missed', {
        bot: status.bot,
        ...who(status.session),
        missed: status.missed,
      })
    case 'session-paused':
      return log.warn('client paused by the operator: its events wait in the journal', {
        bot: status.bot,
        ...who(status.session),
      })
    case 'session-unpaused':
      return log.info('client goes on', { bot: status.bot, ...who(status.session) })
    case 'session-skipped':
      return log.warn('backlog of a client dropped by the operator', {
        bot: status.bot,
        ...who(status.session),
        dropped: status.dropped,
      })
    case 'publish-dropped':
      return seldom.error('publish dropped a frame: please report this', { bot: status.bot })
    case 'pool-empty':
      return log.warn('pool has nobody: its events wait in the journal', { bot: status.bot, pool: status.pool })
    case 'pool-behind':
      return lost(
        'pool lost events: its members were slower, or away for longer, than the journal keeps them',
        status.missed,
        { bot: status.bot, pool: status.pool },
      )
    case 'call-timeout':
      return seldom.warn('no reply from the implementation in time', {
        bot: status.bot,
        action: status.action,
        ms: status.ms,
      })
    case 'call-held':
    case 'call-shared':
    case 'call-cancelled':
      return verbose(log) ? log.debug(QUIETLY[status.kind], { bot: status.bot, action: status.action }) : undefined
    case 'call-given-up':
      return log.warn('call given up by the operator: it was not sent', {
        bot: status.bot,
        action: status.action,
        id: status.id,
      })
    case 'call-retried':
      return log.info('failed call sent again by the operator', {
        bot: status.bot,
        action: status.action,
        id: status.id,
        retcode: status.retcode,
      })
    case 'call-limited':
      // That a circuit is open has been said as it opened.
      return (status.retcode === RETCODE.unavailable.code ? rarely : seldom).warn('action refused: limited', {
        bot: status.bot,
        action: status.action,
        why: cut(status.why),
      })
    case 'call-dropped':
      return seldom.warn('action dropped that was to be carried out later', {
        bot: status.bot,
        action: status.action,
        why: cut(status.why),
      })
    case 'durable-queued':
    case 'durable-sent':
    case 'durable-done':
    case 'durable-unknown':
    case 'durable-trouble':
      return sayDurable(status, log, seldom)
    case 'frame-refused':
      return log.debug('action refused', { bot: status.bot, ...who(status.session), why: cut(status.why) })
    case 'implementation-misplaced':
      return seldom.warn('an implementation is where clients are: its link is closed', {
        bot: status.bot,
        ...who(status.session),
        remedy: MISPLACED[status.session.link.transport === 'reverse' ? 'dialled' : 'dialling'],
      })
    case 'restart':
      return log.info('restart asked for', { bot: status.bot, delay: status.delay })
    case 'paced-abandoned':
      return log.warn('rate-limited actions never sent: the gateway stopped first', {
        bot: status.bot,
        actions: status.actions,
      })
    case 'link-refused':
      return refused(status.status).warn('link refused', {
        peer: status.peer,
        path: status.path,
        status: status.status,
        why: cut(status.why),
      })
    case 'client-flapping':
      return seldom.warn('client connects too often: made to wait', {
        client: cut(status.client),
        peer: status.peer,
        in: seconds(status.inMs),
      })
    case 'circuit-opened':
      return log.warn('client keeps failing: left alone for a while, its circuit is open', {
        target: status.target,
        failures: status.failures,
        reason: reasonOf(status.reason, status.target),
        in: seconds(status.inMs),
        remedy: 'see that it runs and answers at its url; perpetua doctor tries it at once',
      })
    case 'circuit-closed':
      return log.info('client works again: its circuit is closed', { target: status.target })
    case 'link-retry':
      return again('client not reachable: trying again', status.target, status, {
        target: status.target,
        ...remedyOf(status.reason),
      })
    case 'delivery-failed':
      return seldom.warn('delivery failed: trying again, later events wait in the journal', {
        target: status.target,
        reason: status.reason,
        attempt: status.attempt,
        in: seconds(status.inMs),
      })
    case 'delivery-given-up':
      return seldom.error('delivery given up', { target: status.target, reason: status.reason })
    case 'delivery-odd':
      return log.warn('web hook answered oddly: its events count as delivered', {
        target: status.target,
        reason: status.reason,
      })
    case 'alert':
      return log[status.state === 'open' ? 'warn' : 'info'](status.state === 'open' ? 'alert' : 'alert resolved', {
        incident: status.incident,
        about: status.title,
      })
    case 'alert-failed':
      return log.warn(status.inMs === undefined ? 'alert given up' : 'alert not delivered: trying again', {
        target: status.target,
        reason: status.reason,
        ...(status.inMs !== undefined && { in: seconds(status.inMs) }),
      })
    case 'allotted':
      return log.info('port allotted', { port: status.port, peer: status.peer })
    case 'allotment-expired':
      return log.info('allotted port taken back: nobody came', { port: status.port })
    case 'storage-restored':
      return log.info('going on where the last run ended', {
        bot: status.bot,
        events: status.events,
        sessions: status.sessions,
        calls: status.calls,
        orderly: status.clean,
      })
    case 'storage-failed':
      return log.error('nothing can be kept on disk: going on from memory, durable calls are refused', {
        bot: status.bot,
        file: status.file,
        why: cut(status.why),
        remedy: status.remedy,
      })
    case 'storage-set-aside':
      return log.error('kept file damaged: put aside, a new one is begun', {
        bot: status.bot,
        file: status.file,
        aside: status.aside,
        why: cut(status.why),
      })
    case 'storage-back':
      return log.info('kept on disk again', { bot: status.bot, file: status.file })
    default:
      return status satisfies never
  }
}

const QUIETLY = {
  'call-held': 'call waits to be sent',
  'call-shared': 'call shares the reply of an equal one',
  'call-cancelled': 'call not sent: its client has left',
} as const

/** The id is what a client was given: by it an operator finds out what has become of a call. */
function sayDurable(
  status: Extract<Status, { kind: `durable-${string}` }>,
  log: Log,
  seldom: ReturnType<typeof limit>,
): void {
  const { bot } = status
  if (status.kind === 'durable-trouble')
    return seldom.error('durable actions: the disk does not take them', { bot, why: cut(status.why) })
  const { id, action } = status
  switch (status.kind) {
    case 'durable-queued':
      return log.info('durable action kept', { bot, id, action })
    case 'durable-sent':
      return log.info('durable action sent', { bot, id, action })
    case 'durable-done':
      return log.info('durable action answered', { bot, id, action, retcode: status.retcode })
    case 'durable-unknown':
      return log.warn('durable action: whether it was carried out is unknown, and it is not sent again', {
        bot,
        id,
        action,
        why: status.why,
      })
    default:
      return status satisfies never
  }
}

const verbose = ({ level }: Log) => level === 'debug' || level === 'trace'
const cut = (text: string) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}... (${text.length} characters)` : text)
const who = (session: Session | undefined) =>
  session === undefined
    ? {}
    : { client: session.name ?? session.appId, transport: session.link.transport, peer: session.link.peer }
