// Actions that change a group, and the notices that tell of it.

import * as v from 'valibot'
import { notice } from './events.ts'
import { fail } from './failure.ts'
import { count, flag, id, text } from './params.ts'
import { type Action, action } from './stage.ts'
import { seconds } from './world.ts'

const HALF_AN_HOUR = 1_800
/** QQ's own limit, in seconds. */
const LONGEST_BAN = 30 * 86_400

const group = { group_id: id }
const member = { ...group, user_id: id }

export const groupActions: Readonly<Record<string, Action>> = {
  set_group_kick: action(
    v.object({ ...member, reject_add_request: v.optional(flag, false) }),
    ({ group_id, user_id }, { world, tell }) => {
      const self = world.self.user_id
      world.needAbove(group_id, user_id)
      world.group(group_id).members.delete(user_id)
      tell(notice(self, 'group_decrease', { sub_type: 'kick', group_id, operator_id: self, user_id }))
      return null
    },
  ),
  set_group_ban: action(
    v.object({ ...member, duration: v.optional(count, HALF_AN_HOUR) }),
    ({ group_id, user_id, duration }, { world, tell }) => {
      const self = world.self.user_id
      const banned = world.needAbove(group_id, user_id)
      if (duration > LONGEST_BAN) fail(`duration ${duration}: at most ${LONGEST_BAN} seconds`)
      banned.shut_up_timestamp = duration === 0 ? 0 : seconds() + duration
      const sub_type = duration === 0 ? 'lift_ban' : 'ban'
      tell(notice(self, 'group_ban', { sub_type, group_id, operator_id: self, user_id, duration }))
      return null
    },
  ),
  set_group_anonymous_ban: action(
    v.pipe(
      v.object({
        ...group,
        anonymous: v.optional(v.looseObject({ flag: text }, 'wanted an object')),
        anonymous_flag: v.optional(text),
        flag: v.optional(text),
        duration: v.optional(count, HALF_AN_HOUR),
      }),
      v.check(
        ({ anonymous, anonymous_flag, flag: short }) => (anonymous?.flag ?? anonymous_flag ?? short) !== undefined,
        'wanted anonymous or anonymous_flag',
      ),
    ),
    ({ group_id }, { world }) => {
      world.needRole(group_id, 'admin')
      return null
    },
  ),
  set_group_whole_ban: action(
    v.object({ ...group, enable: v.optional(flag, true) }),
    ({ group_id, enable }, { world, tell }) => {
      const self = world.self.user_id
      world.needRole(group_id, 'admin')
      world.group(group_id).muted = enable
      const [sub_type, duration] = enable ? ['ban', -1] : ['lift_ban', 0]
      tell(notice(self, 'group_ban', { sub_type, group_id, operator_id: self, user_id: 0, duration }))
      return null
    },
  ),
  set_group_admin: action(
    v.object({ ...member, enable: v.optional(flag, true) }),
    ({ group_id, user_id, enable }, { world, tell }) => {
      world.needRole(group_id, 'owner')
      world.needAbove(group_id, user_id).role = enable ? 'admin' : 'member'
      tell(notice(world.self.user_id, 'group_admin', { sub_type: enable ? 'set' : 'unset', group_id, user_id }))
      return null
    },
  ),
  set_group_anonymous: action(
    v.object({ ...group, enable: v.optional(flag, true) }),
    ({ group_id, enable }, { world }) => {
      world.needRole(group_id, 'admin')
      world.group(group_id).anonymous = enable
      return null
    },
  ),
  set_group_card: action(
    v.object({ ...member, card: v.optional(text, '') }),
    ({ group_id, user_id, card }, { world, tell }) => {
      const self = world.self.user_id
      const named = user_id === self ? world.me(group_id) : world.needAbove(group_id, user_id)
      const card_old = named.card
      named.card = card
      tell(notice(self, 'group_card', { group_id, user_id, card_new: card, card_old }))
      return null
    },
  ),
  set_group_name: action(v.object({ ...group, group_name: text }), ({ group_id, group_name }, { world }) => {
    world.needRole(group_id, 'admin')
    if (group_name === '') fail('group_name: a group has a name')
    world.group(group_id).group_name = group_name
    return null
  }),
  set_group_leave: action(
    v.object({ ...group, is_dismiss: v.optional(flag, false) }),
    ({ group_id, is_dismiss }, { world, tell }) => {
      const user_id = world.self.user_id
      // An owner cannot just go.
      if (world.me(group_id).role === 'owner' && !is_dismiss) fail(`group ${group_id}: its owner can only dismiss it`)
      if (is_dismiss) world.needRole(group_id, 'owner')
      world.groups.delete(group_id)
      tell(notice(user_id, 'group_decrease', { sub_type: 'leave', group_id, operator_id: user_id, user_id }))
      return null
    },
  ),
  set_group_special_title: action(
    v.object({ ...member, special_title: v.optional(text, ''), duration: v.optional(id, -1) }),
    ({ group_id, user_id, special_title }, { world, tell }) => {
      world.needRole(group_id, 'owner')
      world.member(group_id, user_id).title = special_title
      tell(notice(world.self.user_id, 'notify', { sub_type: 'title', group_id, user_id, title: special_title }))
      return null
    },
  ),
  set_group_sign: action(v.object(group), ({ group_id }, { world }) => {
    world.group(group_id)
    return null
  }),
}
