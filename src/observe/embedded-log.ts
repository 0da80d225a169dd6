// Words what an implementation of our own does: for whoever has to log in, and for whoever has to find out what went wrong.

import type { Status } from '../broker/status.ts'
import type { Log } from './log.ts'

export type EmbeddedStatus = Extract<Status, { kind: `embedded-${string}` }>

export const isEmbedded = (status: Status): status is EmbeddedStatus => status.kind.startsWith('embedded-')

export function sayEmbedded(status: EmbeddedStatus, log: Log): void {
  const { bot } = status
  switch (status.kind) {
    case 'embedded-progress':
      return log.info(status.what, { bot })
    case 'embedded-settings':
      log.info('settings written', { bot, file: status.file })
      for (const note of status.notes) log.warn(note, { bot })
      return
    case 'embedded-failed':
      return log.error('own implementation cannot be started: trying again', {
        bot,
        why: status.why,
        in: `${(status.inMs / 1000).toFixed(0)}s`,
      })
    case 'embedded-started':
      return log.info('own implementation started', { bot, pid: status.pid })
    case 'embedded-exited':
      return log.warn('own implementation ended: starting it again', {
        bot,
        how: status.how,
        in: `${(status.inMs / 1000).toFixed(1)}s`,
      })
    case 'embedded-ended':
      return log.info('own implementation ended', { bot, how: status.how })
    case 'embedded-trouble':
      return log.warn(status.what, { bot, pid: status.pid })
    case 'embedded-given-up':
      log.error('own implementation fails again and again: not started any more', { bot, why: status.why })
      for (const text of status.output) log.relay('error', 'last words', text)
      return log.error('mend what it says, then: perpetua lagrange restart, set_restart, or a restart of perpetua', {
        bot,
      })
    case 'embedded-qr':
      log.warn('login needed: scan this code with QQ on the phone; as a picture at /api/qrcode', { bot })
      return log.show(status.text)
    case 'embedded-qr-expired':
      return log.warn(`login code ${status.why}: it is started again, and shows another`, { bot })
    case 'embedded-logged-in':
      return log.info('logged in', { bot, account: status.account })
    case 'embedded-login-failed':
      return log.error('login failed: see docs/lagrange.md for sign servers and what else to try', {
        bot,
        why: status.why,
      })
    case 'embedded-output':
      return log.relay(status.level, bot, status.text)
    default:
      return status satisfies never
  }
}
