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
      log.info('settings', { bot, file: status.file })
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
      return log.warn('own implementation does not run: starting it again', {
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
      for (const raw of status.output) log.relay('error', 'last words', { text: raw, raw })
      return log.error('mend what it says, then: perpetua lagrange restart, set_restart, or a restart of perpetua', {
        bot,
      })
    case 'embedded-qr':
      log.warn('login needed: scan the code with QQ on the phone; it is a picture at /api/qrcode, too', { bot })
      return status.text.length === 0 ? undefined : log.show(status.text)
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
      return log.relay(status.level, bot, status)
    default:
      return status satisfies never
  }
}
