// Satori's methods about people and about the account itself.

import { isObject } from '../onebot/object.ts'
import { SatoriError } from './call.ts'
import { digits } from './exact.ts'
import type { Handler } from './message-methods.ts'
import { channelOf, placeOf, said, userOf } from './qq.ts'
import { bad, type MethodRequest } from './request.ts'
import type { Channel, User } from './wire.ts'

export const userMethods = {
  async 'user.get'(request: MethodRequest): Promise<User> {
    const person = await request.ask('get_stranger_info', { user_id: digits(request.need('user_id')) })
    return userIn(person) ?? userOf(request.need('user_id'), said(person, 'nickname'))
  },

  /** There is nothing to be made: every conversation is there already. */
  'user.channel.create'(request: MethodRequest): Channel {
    const id = request.need('user_id')
    const through = request.text('guild_id')
    const channel = channelOf({ kind: 'private', id, through })
    return placeOf(channel.id) === undefined ? bad('user_id', id, 'the number of a person') : channel
  },

  async 'friend.list'(request: MethodRequest) {
    const friends = await request.ask('get_friend_list')
    const data = (Array.isArray(friends) ? friends : []).flatMap((friend) => {
      const user = userIn(friend)
      // Older clients take each entry for the person.
      return user === undefined ? [] : [{ ...user, user, nick: said(friend, 'remark') }]
    })
    return { data }
  },

  async 'friend.delete'(request: MethodRequest) {
    await request.ask('delete_friend', { user_id: digits(request.need('user_id')) })
    return {}
  },

  async 'friend.approve'(request: MethodRequest) {
    const approve = request.flag('approve')
    if (approve === undefined) return bad('approve', request.params['approve'], 'true or false')
    const flag = request.need('message_id')
    await request.ask('set_friend_add_request', { flag, approve, remark: request.text('comment') ?? '' })
    return {}
  },
} satisfies Record<string, Handler>

function userIn(person: unknown): User | undefined {
  const id = said(person, 'user_id')
  if (id === undefined) return isObject(person) || person === null ? undefined : lackingPerson()
  return userOf(id, said(person, 'nickname'), said(person, 'remark'))
}

const lackingPerson = (): never => {
  throw new SatoriError(500, 'the implementation answered without the data that belongs to a person')
}
