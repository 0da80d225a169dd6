// Actions that look things up, and the few that concern the implementation itself.

import * as v from 'valibot'
import manifest from '../../package.json' with { type: 'json' }
import { count, flag, id, name, text } from './params.ts'
import type { Group, Member } from './people.ts'
import { type Action, action } from './stage.ts'

const nothing = v.object({})
const cached = v.optional(flag, false)
const HONORS = ['talkative', 'performer', 'legend', 'strong_newbie', 'emotion'] as const

export const APP_NAME = 'perpetua-simulator'

export const infoActions: Readonly<Record<string, Action>> = {
  get_login_info: action(nothing, (_, { world }) => {
    const { user_id, nickname } = world.self
    return { user_id, nickname }
  }),
  get_stranger_info: action(v.object({ user_id: id, no_cache: cached }), ({ user_id }, { world }) => {
    const { nickname, sex, age } = world.person(user_id)
    return { user_id, nickname, sex, age }
  }),
  get_friend_list: action(nothing, (_, { world }) =>
    [...world.friends.values()].map(({ user_id, nickname, remark }) => ({ user_id, nickname, remark })),
  ),
  get_group_info: action(v.object({ group_id: id, no_cache: cached }), ({ group_id }, { world }) =>
    groupInfo(world.group(group_id)),
  ),
  get_group_list: action(v.object({ no_cache: cached }), (_, { world }) => [...world.groups.values()].map(groupInfo)),
  get_group_member_info: action(
    v.object({ group_id: id, user_id: id, no_cache: cached }),
    ({ group_id, user_id }, { world }) => memberInfo(group_id, world.member(group_id, user_id)),
  ),
  get_group_member_list: action(v.object({ group_id: id, no_cache: cached }), ({ group_id }, { world }) =>
    [...world.group(group_id).members.values()].map((one) => memberInfo(group_id, one)),
  ),
  get_group_honor_info: action(
    v.object({
      group_id: id,
      type: v.optional(v.picklist(['all', ...HONORS], 'wanted an honour of OneBot, or all'), 'all'),
    }),
    ({ group_id, type }, { world }) => honors(world.group(group_id), type),
  ),
  send_like: action(v.object({ user_id: id, times: v.optional(count, 1) }), ({ user_id }, { world }) => {
    world.person(user_id)
    return null
  }),
  get_cookies: action(v.object({ domain: v.optional(text, '') }), () => ({ cookies: COOKIES })),
  get_csrf_token: action(nothing, () => ({ token: CSRF_TOKEN })),
  get_credentials: action(v.object({ domain: v.optional(text, '') }), () => ({
    cookies: COOKIES,
    csrf_token: CSRF_TOKEN,
    token: CSRF_TOKEN,
  })),
  get_record: action(v.object({ file: name, out_format: v.optional(text, 'mp3') }), ({ file, out_format }) => ({
    file: `/simulator/records/${baseName(file).replace(/\.\w+$/, '')}.${out_format}`,
  })),
  get_image: action(v.object({ file: name }), ({ file }) => ({ file: `/simulator/images/${baseName(file)}` })),
  can_send_image: action(nothing, () => ({ yes: true })),
  can_send_record: action(nothing, () => ({ yes: true })),
  get_status: action(nothing, () => ({ online: true, good: true })),
  get_version_info: action(nothing, () => ({
    app_name: APP_NAME,
    app_version: manifest.version,
    protocol_version: 'v11',
  })),
  set_restart: action(v.object({ delay: v.optional(count, 0) }), ({ delay }, { restart }) => restart(delay)),
  clean_cache: action(nothing, () => null),
}

const COOKIES = 'uin=o10001; skey=@simulated;'
const CSRF_TOKEN = 1_595_113_881

function groupInfo({ group_id, group_name, members, max_member_count }: Group) {
  return { group_id, group_name, member_count: members.size, max_member_count }
}

function memberInfo(group_id: number, one: Member) {
  const standing = { unfriendly: false, title_expire_time: 0, card_changeable: true }
  return { group_id, ...one, ...standing }
}

/** Whoever spoke last wears what there is to wear. */
function honors({ group_id, members }: Group, type: string) {
  const [last] = [...members.values()].sort((a, b) => b.last_sent_time - a.last_sent_time)
  if (last === undefined) return { group_id }
  const { user_id, nickname } = last
  const wearer = { user_id, nickname, avatar: `https://q1.qlogo.cn/g?b=qq&nk=${user_id}&s=640` }
  const lists = HONORS.filter((honor) => type === 'all' || type === honor)
  return {
    group_id,
    ...(lists.includes('talkative') ? { current_talkative: { ...wearer, day_count: 1 } } : {}),
    ...Object.fromEntries(lists.map((honor) => [`${honor}_list`, [{ ...wearer, description: '' }]])),
  }
}

const baseName = (file: string) => file.slice(file.lastIndexOf('/') + 1)
