// One live connection to an implementation that speaks Milky: events down, calls up, and a pulse that shows it lives.

import type { Seat, Upstream } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import { heartbeat, lifecycle } from '../onebot/event.ts'
import { readAction } from '../onebot/frame.ts'
import { parse } from '../onebot/object.ts'
import { MilkyError, UNSUPPORTED } from './api.ts'
import { Calls } from './calls.ts'
import { eventOf, invitationKey, toldBy } from './events.ts'
import type { Source } from './source.ts'
import { Stage, type StageOptions } from './stage.ts'

export interface LinkOptions extends Omit<StageOptions, 'online'> {
  readonly seat: Seat
  /** Where the implementation is, without secrets. */
  readonly peer: string
  readonly report: Report
  /** QQ has ended the session, as far as can be told: for whoever runs the implementation. */
  readonly offline: (reason: string) => void
  /** The connection is over. Called once. */
  readonly ended: (end: { code: number; reason: string; refused: boolean }) => void
  /** Milliseconds between two heartbeats. */
  readonly beat: number
}

/** Close code of a connection that we give up ourselves. */
const GIVEN_UP = 1006
/** A probe that is not answered for this long (ms) has failed; so many in a row, and the link is given up. */
const PROBE = 10_000
const MISSED = 3
/** Without an event for this long (ms), QQ itself is asked for something: some do not notice that they are cut off. */
const QUIET = 600_000
/** Invitations that are remembered: some tell each of them twice. */
const INVITATIONS = 256
/** As much of a strange event is reported. */
const SHOWN = 200

export class MilkyLink implements Upstream {
  readonly #options: LinkOptions
  readonly #stage: Stage
  readonly #calls: Calls
  readonly #selfId: string
  readonly #invitations = new Set<string>()
  #timer: ReturnType<typeof setInterval> | undefined
  #source: Source | undefined
  #online = true
  #missed = 0
  /** How often in a row QQ itself was not reached. */
  #unreached = 0
  #probing = false
  #heardAt = performance.now()
  #over = false

  constructor(options: LinkOptions) {
    const { seat, report } = options
    this.#options = options
    this.#selfId = String(options.selfId)
    this.#stage = new Stage({ ...options, online: () => this.#online })
    this.#calls = new Calls({
      stage: this.#stage,
      reply: (text) => (this.#over ? undefined : seat.received(text)),
      odd: (action, error) =>
        report({ kind: 'upstream-garbage', bot: seat.name, why: `the answer to ${action}: ${error}`, text: '' }),
    })
  }

  /** Events may come from now on. */
  open(): void {
    const { seat, peer, beat } = this.#options
    this.#timer = setInterval(() => void this.#beat(), beat)
    this.#timer.unref?.()
    seat.connected(this, peer)
    seat.received(lifecycle(this.#selfId, now()))
    this.#tellPulse()
  }

  /** What carries the events; the link ends with it. */
  set source(source: Source) {
    this.#source = source
    if (this.#over) source.close()
  }

  send(text: string): boolean {
    if (this.#over) return false
    const frame = readAction(text)
    // The gateway has read it before, and sends up nothing that is none.
    return frame.kind === 'action' && this.#calls.take(frame)
  }

  redial(reason: string): void {
    this.close(GIVEN_UP, reason)
  }

  forget(token: string): void {
    this.#calls.forget(JSON.stringify(token))
  }

  release(token: string): string | undefined {
    return this.#calls.release(JSON.stringify(token))
  }

  heard(text: string): void {
    if (this.#over) return
    const told = toldBy(parse(text), Date.now())
    if (told === undefined) return this.#garbage('wanted an event: event_type, time, self_id, data', text)
    if (told.self_id !== this.#options.selfId) {
      this.#garbage(`an event of account ${told.self_id}`, text)
      return this.redial(`the account has changed to ${told.self_id}`)
    }
    this.#heardAt = performance.now()
    if (this.#isRepeated(invitationKey(told, told.self_id))) return
    if (told.event_type !== 'bot_offline') this.#became(true)
    try {
      const event = eventOf(told, this.#stage)
      this.#options.seat.made(JSON.stringify(event), event)
    } catch (error) {
      this.#garbage(`an event that was not understood: ${error}`, text)
    }
    if (told.event_type !== 'bot_offline') return
    this.#became(false)
    this.#options.offline(String(told.data['reason'] ?? 'bot_offline'))
  }

  /** Ends it from our side. */
  close(code: number, reason: string, refused = false): void {
    this.#source?.close()
    this.over({ code, reason, refused })
  }

  over(end: { readonly code: number; readonly reason: string; readonly refused: boolean }): void {
    if (this.#over) return
    this.#over = true
    clearInterval(this.#timer)
    this.#options.seat.lost(this, end.code, end.reason)
    this.#options.ended(end)
  }

  async #beat(): Promise<void> {
    this.#source?.check?.()
    if (this.#probing || this.#over) return
    this.#probing = true
    try {
      await this.#probe()
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#probing = false
    }
    if (!this.#over) this.#tellPulse()
  }

  async #probe(): Promise<void> {
    const { uin } = await this.#stage.call('get_login_info', {}, PROBE)
    if (uin !== this.#options.selfId) return this.redial(`the account has changed to ${uin}`)
    this.#missed = 0
    const quiet = performance.now() - this.#heardAt > QUIET
    if (this.#online && !quiet) return
    const reached = await this.#reachesQQ()
    if (reached === undefined) this.#heardAt = performance.now()
    this.#became(reached === undefined)
    this.#unreached = reached === undefined ? 0 : this.#unreached + 1
    // Once may be an accident; said once, too.
    if (reached !== undefined && quiet && this.#unreached === MISSED) this.#options.offline(reached)
  }

  /** Undefined: it does, or at least nobody can tell. Otherwise why not. */
  async #reachesQQ(): Promise<string | undefined> {
    try {
      await this.#stage.call('get_friend_list', { no_cache: true }, PROBE)
      return undefined
    } catch (error) {
      if (!(error instanceof MilkyError)) throw error
      return error.retcode === UNSUPPORTED ? undefined : error.message
    }
  }

  #failed(error: unknown): void {
    if (this.#over) return
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof MilkyError && error.refused) return this.close(GIVEN_UP, reason, true)
    this.#missed += 1
    if (this.#missed >= MISSED) this.redial(`${MISSED} probes in a row failed: ${reason}`)
  }

  #became(online: boolean): void {
    if (this.#online === online) return
    this.#online = online
    this.#tellPulse()
  }

  #tellPulse(): void {
    const { seat, beat: interval } = this.#options
    seat.received(heartbeat(undefined, { selfId: this.#selfId, time: now(), online: this.#online, interval }))
  }

  #isRepeated(key: string | undefined): boolean {
    if (key === undefined) return false
    if (this.#invitations.has(key)) return true
    this.#invitations.add(key)
    const [oldest = ''] = this.#invitations
    if (this.#invitations.size > INVITATIONS) this.#invitations.delete(oldest)
    return false
  }

  #garbage(why: string, text: string): void {
    this.#options.report({ kind: 'upstream-garbage', bot: this.#options.seat.name, why, text: text.slice(0, SHOWN) })
  }
}

const now = () => Math.floor(Date.now() / 1000)
