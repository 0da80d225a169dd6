// Events that Satori has no word for, as implementations send them, and where clients are told that they happened.

const head = { time: 1_763_870_400, self_id: 10001 }
const notice = (notice_type: string, rest: object) => ({ ...head, post_type: 'notice', notice_type, ...rest })
const notify = (sub_type: string, rest: object) => notice('notify', { sub_type, ...rest })

const group = { channel: '7', guild: '7' }

interface Other {
  event: Record<string, unknown>
  /** Ids; what is not here must not be there. */
  wanted: { channel?: string; guild?: string; user?: string; operator?: string }
}

export const OTHERS: readonly Other[] = [
  // The standard's.
  {
    event: notify('poke', { group_id: 7, user_id: 5, target_id: 10001 }),
    wanted: { ...group, user: '5' },
  },
  { event: notify('lucky_king', { group_id: 7, user_id: 5, target_id: 6 }), wanted: { ...group, user: '5' } },
  { event: notify('honor', { group_id: 7, user_id: 5, honor_type: 'talkative' }), wanted: { ...group, user: '5' } },
  {
    event: notice('group_upload', { group_id: 7, user_id: 5, file: { id: '/x', name: 'a', size: 1, busid: 102 } }),
    wanted: { ...group, user: '5' },
  },
  { event: notice('group_admin', { sub_type: 'set', group_id: 7, user_id: 5 }), wanted: { ...group, user: '5' } },
  {
    event: notice('group_ban', { sub_type: 'ban', group_id: 7, user_id: 5, operator_id: 6, duration: 60 }),
    wanted: { ...group, user: '5', operator: '6' },
  },
  { event: notice('friend_add', { user_id: 5 }), wanted: { channel: 'private:5', user: '5' } },
  // Of the whole group: of nobody in particular.
  {
    event: notice('group_ban', { sub_type: 'ban', group_id: 7, user_id: 0, operator_id: 6, duration: -1 }),
    wanted: { ...group, operator: '6' },
  },
  // go-cqhttp's.
  {
    event: notice('group_card', { group_id: 7, user_id: 5, card_new: 'a', card_old: '' }),
    wanted: { ...group, user: '5' },
  },
  {
    event: notice('offline_file', { user_id: 5, file: { name: 'a', size: 1, url: 'http://e.com' } }),
    wanted: { channel: 'private:5', user: '5' },
  },
  {
    event: notice('essence', { sub_type: 'add', group_id: 7, sender_id: 5, operator_id: 6, message_id: 1 }),
    wanted: { ...group, user: '6', operator: '6' },
  },
  { event: notice('client_status', { client: { app_id: 1 }, online: true }), wanted: {} },
  // NapCat's, LLBot's and Lagrange's.
  {
    event: notify('poke', { user_id: 5, target_id: 10001, sender_id: 5, raw_info: [] }),
    wanted: { channel: 'private:5', user: '5' },
  },
  // The account itself poked somebody: in the conversation with them.
  { event: notify('poke', { user_id: 10001, target_id: 5 }), wanted: { channel: 'private:5', user: '10001' } },
  {
    event: notify('profile_like', { operator_id: 5, operator_nick: 'x', times: 10 }),
    wanted: { channel: 'private:5', user: '5', operator: '5' },
  },
  {
    event: notify('input_status', { user_id: 5, group_id: 0, event_type: 1, status_text: '对方正在输入...' }),
    wanted: { channel: 'private:5', user: '5' },
  },
  { event: notify('title', { group_id: 7, user_id: 5, title: 'T' }), wanted: { ...group, user: '5' } },
  { event: notify('group_name', { group_id: 7, user_id: 5, name_new: 'N' }), wanted: { ...group, user: '5' } },
  { event: notice('bot_offline', { user_id: 10001, tag: 't', message: 'm' }), wanted: { user: '10001' } },
  // Those that the table knows, without what makes them so.
  {
    event: notice('group_msg_emoji_like', { group_id: 7, user_id: 5, message_id: 3, likes: [] }),
    wanted: { ...group, user: '5' },
  },
  {
    event: notice('reaction', { sub_type: 'add', group_id: 7, operator_id: 5, code: '76' }),
    wanted: { ...group, user: '5', operator: '5' },
  },
  {
    event: { ...head, post_type: 'request', request_type: 'group', group_id: 7, user_id: 5, flag: 'f' },
    wanted: { ...group, user: '5' },
  },
]
