// What the other people of the simulated QQ do, beside talking and asking: each returns the notice that tells of it.

import { type Event, notice } from './events.ts'
import { fail } from './failure.ts'
import type { Stage } from './stage.ts'

/** @throws Failure where it cannot be done. */
export type Deed = (stage: Stage) => Event

/** Its sender takes a message back. */
export const recall =
  (message_id: number): Deed =>
  ({ world, messages }) => {
    const { type, peer, sender } = messages.find(message_id) ?? fail(`message ${message_id}: not known`)
    messages.recall(message_id)
    const { user_id } = sender
    return type === 'private'
      ? notice(world.self.user_id, 'friend_recall', { user_id, message_id })
      : notice(world.self.user_id, 'group_recall', { group_id: peer, user_id, operator_id: user_id, message_id })
  }

/** @param target who is poked; default: the account. */
export const poke =
  (user_id: number, group_id?: number, target?: number): Deed =>
  ({ world }) => {
    const target_id = target ?? world.self.user_id
    const where = group_id === undefined ? { sender_id: user_id } : { group_id }
    if (group_id === undefined) world.person(user_id)
    else for (const one of [user_id, target_id]) world.member(group_id, one)
    return notice(world.self.user_id, 'notify', { sub_type: 'poke', ...where, user_id, target_id })
  }

/** Somebody is let in by the owner. */
export const join =
  (group_id: number, user_id?: number): Deed =>
  ({ world }) => {
    const { members } = world.group(group_id)
    const who = world.anybody(user_id ?? world.stranger())
    if (members.has(who.user_id)) fail(`user ${who.user_id}: is a member of group ${group_id} already`)
    const owner = [...members.values()].find(({ role }) => role === 'owner')
    world.join(group_id, who)
    const operator_id = owner?.user_id ?? 0
    return notice(world.self.user_id, 'group_increase', {
      sub_type: 'approve',
      group_id,
      operator_id,
      user_id: who.user_id,
    })
  }

export const leave =
  (group_id: number, user_id: number): Deed =>
  ({ world }) => {
    const self = world.self.user_id
    world.member(group_id, user_id)
    if (user_id === self) fail(`user ${user_id}: is the account itself, which leaves by set_group_leave`)
    world.group(group_id).members.delete(user_id)
    return notice(self, 'group_decrease', { sub_type: 'leave', group_id, operator_id: user_id, user_id })
  }

/** Somebody is the account's friend from now on. */
export const befriend =
  (user_id?: number): Deed =>
  ({ world }) => {
    const who = world.anybody(user_id ?? world.stranger())
    if (world.friends.has(who.user_id)) fail(`user ${who.user_id}: is a friend already`)
    world.befriend(who, '')
    return notice(world.self.user_id, 'friend_add', { user_id: who.user_id })
  }
