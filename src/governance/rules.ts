// Makes one rule of what a client or a pool asks of events: whether it gets one, and in which form.

import type { Rules } from '../broker/ports.ts'
import type { ClientSettings, FilterConfig } from '../config/schema.ts'
import { isMessage, reshaped, type Wishes } from '../onebot/format.ts'
import { digitsAt } from '../onebot/json-array.ts'
import { type Fields, own } from '../onebot/object.ts'
import { compileFilter, type Filter } from './filter.ts'

export type RuleSettings = Pick<ClientSettings, 'filter' | 'message-format' | 'report-self-message' | 'prefix-strip'>

/** Undefined: nothing is asked, every event goes as it came. Equal settings, in whatever order, give equal keys. */
export function rulesOf(settings: RuleSettings): Rules | undefined {
  const { filter: asked, 'message-format': form, 'prefix-strip': strip = '' } = settings
  const filter = asked === undefined || isEmpty(asked) ? undefined : filterOf(asked)
  const ownToo = settings['report-self-message'] ?? true
  if (filter === undefined && form === undefined && strip === '' && ownToo) return undefined
  const key = JSON.stringify({ filter: filter && canonical(asked), form, strip, ownToo })
  return { key, apply: applying({ filter, ownToo, wishes: { form, strip } }) }
}

/** The rules of a pool's member: an event must pass both filters; of the rest, what the member says counts. */
export function composed(pool: RuleSettings, member: RuleSettings): RuleSettings {
  const filters = [pool.filter, member.filter].filter((filter) => filter !== undefined)
  const [filter] = filters
  const both = filters.length > 1 ? { '.and': filters } : filter
  return { ...said(pool), ...said(member), ...(both && { filter: both }) }
}

/** Settings without the keys that are there, but say nothing: such a key hides no other's. */
export const said = <T extends object>(settings: T): T =>
  // Only keys go that may be left out anyway.
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T

interface Asked {
  readonly filter: Filter | undefined
  /** Whether the bot's own messages are wanted. */
  readonly ownToo: boolean
  readonly wishes: Wishes
}

function applying({ filter, ownToo, wishes }: Asked): Rules['apply'] {
  const reshapes = wishes.form !== undefined || wishes.strip !== ''
  return (raw, event) => {
    try {
      if (!ownToo && isOwnMessage(raw, event)) return undefined
      if (filter !== undefined && !filter(raw, event)) return undefined
      return reshapes ? reshaped(raw, event, wishes) : raw
    } catch {
      // Nothing in here throws as far as we know. If something does, one client misses an event, and no other suffers.
      return undefined
    }
  }
}

/** What cannot be compiled lets nothing but meta events pass: the config has been checked, so nobody gets here. */
function filterOf(asked: FilterConfig): Filter {
  const filter = compileFilter(asked)
  return typeof filter === 'function' ? filter : (_raw, event) => own(event, 'post_type') === 'meta_event'
}

function isOwnMessage(raw: string, event: Fields): boolean {
  if (!isMessage(event)) return false
  if (own(event, 'post_type') === 'message_sent') return true
  const sender = idOf(raw, event, 'user_id')
  return sender !== undefined && sender === idOf(raw, event, 'self_id')
}

function idOf(raw: string, event: Fields, key: string): string | undefined {
  const id = own(event, key)
  return typeof id === 'number' ? digitsAt(raw, [key], id) : typeof id === 'string' ? id : undefined
}

const isEmpty = (filter: FilterConfig) => Object.keys(filter).length === 0

/**
 * The same for filters that mean the same: the order of keys says nothing, nor does that of a list, and values are
 * compared as text.
 */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    const distinct = new Map(value.map(canonical).map((one) => [JSON.stringify(one), one]))
    return inOrder([...distinct]).map(([, one]) => one)
  }
  if (typeof value === 'object' && value !== null)
    return inOrder(Object.entries(said(value))).map(([key, one]) => [key, canonical(one)])
  return value === null || value === undefined ? null : String(value)
}

const inOrder = (entries: [string, unknown][]) => entries.sort(([a], [b]) => (a < b ? -1 : 1))
