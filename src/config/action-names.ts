// Names of actions in the config: patterns, classes, and the mistakes that would make them mean nothing.

import { suggest } from '../lib/suggest.ts'
import { leaf } from './leaf.ts'
import { rule } from './rules.ts'

/** What kinds of actions there are, and all of them together. */
export const CLASSES = ['send', 'manage', 'read', 'file', 'all']

const SUFFIX = /_(?:async|rate_limited)$/
const hint = (name: string) => `write ${name.replace(SUFFIX, '')}: it counts with every suffix`

const PATTERN = /^[\w.*]+$/

/** `get_*`: the name of an action, where * stands for any part of it. */
export const actionPattern = () =>
  leaf<string, string>(
    {
      kind: 'text',
      wanted: 'the name of an action, such as send_group_msg or get_*',
      json: { type: 'string', pattern: PATTERN.source },
    },
    (found, refuse) => {
      if (typeof found !== 'string' || !PATTERN.test(found)) return undefined
      return SUFFIX.test(found) ? refuse(hint(found)) : found
    },
  )

/** Limits are for a class of actions, or for one action. */
export const limitName = <T extends Record<string, unknown>>() =>
  rule<T>((limits, report) => {
    const wanted = `${CLASSES.join(', ')}, or the name of an action`
    for (const name of Object.keys(limits)) {
      const near = name.includes('_') || CLASSES.includes(name) ? undefined : suggest(name, CLASSES)
      if (SUFFIX.test(name)) report([name], wanted, hint(name), name)
      else if (near !== undefined) report([name], wanted, `did you mean ${near}?`, name)
      else if (!/^[\w.]+$/.test(name)) report([name], wanted, undefined, name)
    }
  })

/** An answer that is given again must be one of an action that only reads. */
export const onlyReads = <T extends Record<string, unknown>>() =>
  rule<T>((cached, report) => {
    for (const name of Object.keys(cached))
      if (SUFFIX.test(name)) report([name], 'the name of an action without its suffix', hint(name), name)
      else if (!/^[._]?(?:get|can|nc_get|fetch)_\w+$/.test(name))
        report([name], 'an action that only reads, such as get_group_list', undefined, name)
  })
