// What a session sees of the journal: its own rules, without what its pool shares out, numbered if it asked for that.

import { assign } from '../onebot/json-text.ts'
import { type Fields, own } from '../onebot/object.ts'
import type { Cursor, Link, Rules, Terms } from './ports.ts'

/** Undefined: every event, byte for byte. Equal terms give equal keys. */
export function viewOf({ rules, pool, resume }: Terms): Rules | undefined {
  const shared = pool === undefined ? rules : withoutShared(rules)
  return resume === 'explicit' ? numbered(shared) : shared
}

/** The same in the form of its link. */
export const viewFor = (link: Link, terms: Terms): Rules | undefined =>
  link.dress === undefined ? viewOf(terms) : link.dress(viewOf(terms))

/** Whether a pool gives this event to one of its members; what is said of the gateway itself goes to all of them. */
export function isShared(event: Fields): boolean {
  const post = own(event, 'post_type')
  if (post === 'meta_event' || post === 'distributed') return false
  return own(event, 'notice_type') !== 'client_status'
}

function withoutShared(rules: Rules | undefined): Rules {
  return {
    ...asItIs(rules),
    key: `pooled ${rules?.key ?? ''}`,
    apply: (raw, event, at) => (isShared(event) ? undefined : rules === undefined ? raw : rules.apply(raw, event, at)),
  }
}

/** Who acknowledges by `ack_event` must be able to say what: each event tells its position as `seq`. */
function numbered(rules: Rules | undefined): Rules {
  const withSeq = (text: string | undefined, at: Cursor | undefined) =>
    text === undefined || at === undefined ? text : assign(text, { seq: String(at) })
  const form = rules?.form ?? ((raw: string) => raw)
  return {
    key: `numbered ${rules?.key ?? ''}`,
    apply: (raw, event, at) => withSeq(rules === undefined ? raw : rules.apply(raw, event, at), at),
    form: (raw, event, at) => withSeq(form(raw, event, at), at),
  }
}

const asItIs = (rules: Rules | undefined): Pick<Rules, 'form'> =>
  rules?.form === undefined ? {} : { form: (raw, event, at) => rules.form?.(raw, event, at) }
