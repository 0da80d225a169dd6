// Satori's methods about groups, their only channel, their members and their roles.

import { type Fields, isObject } from '../onebot/object.ts'
import { SatoriError } from './call.ts'
import { digits } from './exact.ts'
import type { Handler } from './message-methods.ts'
import { channelOf, guildOf, memberOf, ROLES, roleOf, said, userOf } from './qq.ts'
import { bad, type MethodRequest } from './request.ts'
import type { Channel, Guild, Member } from './wire.ts'

export const guildMethods = {
  async 'channel.get'(request: MethodRequest): Promise<Channel> {
    const place = request.place()
    if (place.kind === 'group') return channelOf(place, (await guildInfo(request, place.id)).name)
    return channelOf(place, said(await request.ask('get_stranger_info', { user_id: digits(place.id) }), 'nickname'))
  },

  async 'channel.list'(request: MethodRequest) {
    const { id, name } = await guildInfo(request, request.need('guild_id'))
    return { data: [channelOf({ kind: 'group', id }, name)] }
  },

  async 'channel.update'(request: MethodRequest) {
    const place = request.place()
    const name = said(request.params['data'], 'name')
    if (place.kind !== 'group') throw new SatoriError(404, 'private conversations on QQ have no name of their own')
    if (name === undefined) return bad('data.name', undefined, 'the new name of the group')
    await request.ask('set_group_name', { group_id: digits(place.id), group_name: name })
    return {}
  },

  async 'channel.mute'(request: MethodRequest) {
    const place = request.place()
    if (place.kind !== 'group') throw new SatoriError(404, 'private conversations on QQ cannot be muted')
    const duration = request.number('duration')
    const enable = request.flag('enable') ?? (duration === undefined || duration > 0)
    await request.ask('set_group_whole_ban', { group_id: digits(place.id), enable })
    return {}
  },

  'guild.get': (request: MethodRequest) => guildInfo(request, request.guild()),

  async 'guild.list'(request: MethodRequest) {
    const groups = await request.ask('get_group_list')
    return { data: listed(groups).flatMap((group) => guildIn(group) ?? []) }
  },

  'guild.approve': (request: MethodRequest) => approveGroup(request, 'invite'),
  'guild.member.approve': (request: MethodRequest) => approveGroup(request, 'add'),

  async 'guild.member.get'(request: MethodRequest): Promise<Member> {
    const member = await memberInfo(request)
    return memberIn(member) ?? lacking('get_group_member_info')
  },

  async 'guild.member.list'(request: MethodRequest) {
    const members = await request.ask('get_group_member_list', { group_id: digits(request.guild()) })
    return { data: listed(members).flatMap((member) => memberIn(member) ?? []) }
  },

  async 'guild.member.kick'(request: MethodRequest) {
    const reject = request.flag('permanent') ?? false
    await request.ask('set_group_kick', { ...whom(request), reject_add_request: reject })
    return {}
  },

  /** In milliseconds; 0 lifts it. */
  async 'guild.member.mute'(request: MethodRequest) {
    const duration = request.number('duration')
    if (duration === undefined || duration < 0) return bad('duration', request.params['duration'], 'milliseconds')
    // Less than a second would be for ever, or not at all.
    await request.ask('set_group_ban', { ...whom(request), duration: Math.ceil(duration / 1000) })
    return {}
  },

  async 'guild.member.role.list'(request: MethodRequest) {
    const role = roleOf(said(await memberInfo(request), 'role'))
    return { data: role === undefined ? [] : [role] }
  },

  'guild.member.role.set': (request: MethodRequest) => setRole(request, true),
  'guild.member.role.unset': (request: MethodRequest) => setRole(request, false),

  'guild.role.list': () => ({ data: ROLES }),
} satisfies Record<string, Handler>

const lacking = (action: string): never => {
  throw new SatoriError(500, `${action}: the implementation answered without the data that belongs to it`)
}

const listed = (data: unknown): Fields[] => (Array.isArray(data) ? data.filter(isObject) : [])

function guildIn(group: unknown): Guild | undefined {
  const id = said(group, 'group_id')
  return id === undefined ? undefined : guildOf(id, said(group, 'group_name'))
}

async function guildInfo(request: MethodRequest, id: string): Promise<Guild> {
  return guildIn(await request.ask('get_group_info', { group_id: digits(id) })) ?? lacking('get_group_info')
}

const memberInfo = (request: MethodRequest) => request.ask('get_group_member_info', whom(request))

const whom = (request: MethodRequest) => ({
  group_id: digits(request.guild()),
  user_id: digits(request.need('user_id')),
})

function memberIn(member: unknown): Member | undefined {
  const id = said(member, 'user_id')
  return id === undefined ? undefined : memberOf(member, userOf(id, said(member, 'nickname')))
}

async function setRole(request: MethodRequest, enable: boolean) {
  const role = request.need('role_id')
  if (role !== 'admin') return bad('role_id', role, 'admin: no other role can be given or taken on QQ')
  await request.ask('set_group_admin', { ...whom(request), enable })
  return {}
}

async function approveGroup(request: MethodRequest, sub_type: 'invite' | 'add') {
  const approve = request.flag('approve')
  if (approve === undefined) return bad('approve', request.params['approve'], 'true or false')
  const flag = request.need('message_id')
  await request.ask('set_group_add_request', { flag, sub_type, approve, reason: request.text('comment') ?? '' })
  return {}
}
