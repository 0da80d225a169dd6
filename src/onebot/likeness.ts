// What two implementations have in common when they tell the same event, each in its own words.

import { hash32 } from '../lib/hash.ts'
import { idOf } from './id.ts'
import { type Fields, own } from './object.ts'
import { type Segment, segmentsOf } from './segment.ts'

/**
 * Keys by which the same event is known whoever tells it, the surest first; each may also be that of others, which then
 * differ in nothing that implementations agree on.
 *
 * A message has the time of QQ's server, so that is part of its keys; notices and requests often have the clock of the
 * machine, so theirs is not. Numbers of messages are agreed on by some implementations only, flags and files by none.
 */
export function likeness(raw: string, event: Fields): readonly string[] {
  const id = (key: string) => idOf(raw, event, key) ?? ''
  const about = [word(event, 'post_type'), id('user_id')]
  const type = word(event, 'message_type')
  if (type !== '') {
    // What somebody says to us through a group is told with the group's number by some.
    const said = [...about, type, type === 'group' ? id('group_id') : '', String(own(event, 'time'))].join(' ')
    const content = `${said} ${contentOf(event)}`
    const number = id('message_id')
    return number === '' ? [content] : [`${said} #${number}`, content]
  }
  const kinds = KINDS.map((key) => word(event, key))
  return [[...about, id('group_id'), id('target_id'), ...kinds, hashOf(word(event, 'comment'))].join(' ')]
}

const KINDS = ['notice_type', 'request_type', 'sub_type', 'honor_type']

const word = (event: Fields, key: string): string => {
  const value = own(event, key)
  return typeof value === 'string' ? value : ''
}

function contentOf(event: Fields): string {
  const segments = segmentsOf(own(event, 'message')) ?? []
  const content = segments.length === 0 ? word(event, 'raw_message') : segments.map(gist).join('')
  // Some put a space after a mention, some do not.
  return hashOf(content.replace(/\s+/g, ''))
}

/** What of a segment is the same everywhere: files have other names and addresses at each implementation. */
function gist({ type, data }: Segment): string {
  const value = own(data, MEANING.get(type) ?? '')
  const meant = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  return type === 'text' ? meant : `[${SAME.get(type) ?? type} ${meant}]`
}

const MEANING = new Map([
  ['text', 'text'],
  ['at', 'qq'],
  ['face', 'id'],
])
/** A sticker is a picture to some. */
const SAME = new Map([['mface', 'image']])

/** Texts of equal length and beginning are told apart by no more than this. */
const LOOKED_AT = 16 * 1024
const SECOND = 0x5bd1e995

function hashOf(text: string): string {
  const start = text.length > LOOKED_AT ? text.slice(0, LOOKED_AT) : text
  return `${text.length}.${hash32(start).toString(36)}.${hash32(start, SECOND).toString(36)}`
}
