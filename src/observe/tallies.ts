// Counts what the core reports, by what an operator asks for: plain numbers that only grow.

import type { Report, Status } from '../broker/status.ts'
import { own } from '../onebot/object.ts'
import { worked } from '../onebot/retcode.ts'
import { Buckets, COARSE, FINE } from './buckets.ts'

/** Of one action at one bot. */
export interface ActionTally {
  readonly bot: string
  readonly action: string
  readonly seconds: Buckets
  readonly retcodes: Map<number, number>
}

/** Counted by one label, within each bot. */
type ByBot = Map<string, Map<string, number>>

/** Clients choose the names of actions, and implementations their retcodes: more than these are counted together. */
const MOST_ACTIONS = 200
const MOST_RETCODES = 50
const REST = 'other'
const REST_CODE = -1
const POST_TYPES = new Set<unknown>(['message', 'message_sent', 'notice', 'request', 'meta_event'])

/** Facts by which something is lost, and what that is called. `count`: of how many things the fact tells. */
const DROPS: { [K in Status['kind']]?: { reason: string; count?: (status: Extract<Status, { kind: K }>) => number } } =
  {
    'reply-unknown': { reason: 'reply-unknown' },
    'reply-orphaned': { reason: 'reply-orphaned' },
    'upstream-garbage': { reason: 'upstream-garbage' },
    'frame-refused': { reason: 'frame-refused' },
    'publish-dropped': { reason: 'publish-dropped' },
    'session-behind': { reason: 'client-behind', count: ({ missed }) => missed },
    'session-skipped': { reason: 'backlog-dropped', count: ({ dropped }) => dropped },
    'pool-behind': { reason: 'pool-behind', count: ({ missed }) => missed },
    'call-dropped': { reason: 'call-dropped' },
    'call-cancelled': { reason: 'call-cancelled' },
    'paced-abandoned': { reason: 'call-abandoned', count: ({ actions }) => actions },
    'delivery-given-up': { reason: 'delivery-given-up' },
  }

export class Tallies {
  readonly events: ByBot = new Map()
  readonly connects = new Map<string, number>()
  readonly losses = new Map<string, number>()
  readonly drops: ByBot = new Map()
  readonly resumes: ByBot = new Map()
  /** Calls that did not simply go up: held, shared, limited, timed out. */
  readonly calls: ByBot = new Map()
  readonly refusals = new Map<string, number>()
  readonly actions = new Map<string, ActionTally>()
  /** All bots together. */
  readonly seconds = new Buckets(FINE)
  eventsTotal = 0
  callsTotal = 0
  /** Calls whose reply says that they failed. */
  errorsTotal = 0

  readonly report: Report = (status) => {
    const drop = DROPS[status.kind]
    if (drop !== undefined) {
      // The cast: each entry counts its own kind of facts.
      const count = (drop.count as ((status: Status) => number) | undefined)?.(status) ?? 1
      bump(this.drops, 'bot' in status ? status.bot : '', drop.reason, count)
    }
    switch (status.kind) {
      case 'event':
        return this.#event(status.bot, own(status.event, 'post_type'))
      case 'call':
        return this.#call(status)
      case 'upstream-connected':
        return more(this.connects, status.bot)
      case 'upstream-lost':
        return more(this.losses, status.bot)
      case 'session-resumed':
        return bump(this.resumes, status.bot, status.lost === 0 ? 'complete' : 'lost')
      case 'call-held':
        return bump(this.calls, status.bot, 'held')
      case 'call-shared':
        return bump(this.calls, status.bot, 'shared')
      case 'call-limited':
        return bump(this.calls, status.bot, 'limited')
      case 'call-timeout':
        return bump(this.calls, status.bot, 'timeout')
      case 'link-refused':
        return more(this.refusals, String(status.status))
      default:
        return undefined
    }
  }

  #event(bot: string, type: unknown): void {
    this.eventsTotal += 1
    bump(this.events, bot, typeof type === 'string' && POST_TYPES.has(type) ? type : REST)
  }

  #call({ bot, action, retcode, ms }: Extract<Status, { kind: 'call' }>): void {
    this.callsTotal += 1
    if (!worked(retcode)) this.errorsTotal += 1
    this.seconds.add(ms / 1000)
    const tally = this.#tally(bot, action)
    tally.seconds.add(ms / 1000)
    const { retcodes } = tally
    const known = retcodes.has(retcode) || retcodes.size < MOST_RETCODES ? retcode : REST_CODE
    retcodes.set(known, (retcodes.get(known) ?? 0) + 1)
  }

  #tally(bot: string, action: string): ActionTally {
    const key = `${bot} ${action}`
    const known = this.actions.get(key)
    if (known !== undefined) return known
    if (this.actions.size >= MOST_ACTIONS && action !== REST) return this.#tally(bot, REST)
    const fresh = { bot, action, seconds: new Buckets(COARSE), retcodes: new Map<number, number>() }
    this.actions.set(key, fresh)
    return fresh
  }
}

function more(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}

function bump(counts: ByBot, bot: string, label: string, by = 1): void {
  let own = counts.get(bot)
  if (own === undefined) {
    own = new Map()
    counts.set(bot, own)
  }
  more(own, label, by)
}
