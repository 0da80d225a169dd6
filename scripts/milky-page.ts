// Writes the page of the guide about Milky, its tables made of those of the code; fails where one of them is not described.

import { ALL_ACTIONS } from '../src/milky/actions.ts'
import { EVENT_TYPES, eventOf } from '../src/milky/events.ts'
import { INCOMING_TYPES, incoming } from '../src/milky/incoming.ts'
import { MemoryNumbers } from '../src/milky/memory.ts'
import { OUTGOING_TYPES } from '../src/milky/outgoing.ts'
import { Stage } from '../src/milky/stage.ts'
import { PROSE } from './milky-prose.ts'

export type Language = 'en' | 'zh'
type Words = readonly [en: string, zh: string]

const SELF = 10001
/** One that is of every kind: each converter finds its own fields in it. */
const EVERYTHING = {
  ...{ message_scene: 'group', peer_id: 20001, message_seq: 1, sender_id: 20002, receiver_id: SELF, segments: [] },
  ...{ group_id: 20001, user_id: 20002, operator_id: 20003, initiator_id: 20002, target_user_id: 20004 },
  ...{ notification_seq: 1, invitation_seq: 1, file_size: 1, duration: 1, is_set: true, is_mute: true, is_add: true },
}

const stage = new Stage({
  api: undefined as never, // nothing is called
  ...{ selfId: SELF, nickname: '', implementation: '', numbers: new MemoryNumbers(), online: () => true },
})

const EVENT_LOSSES: Readonly<Record<string, Words>> = {
  message_receive: [
    '`age`, `area`, `anonymous`, `font`; own messages become `message_sent`, where the implementation reports them',
    '`age`、`area`、`anonymous`、`font`；自己发送的消息为 `message_sent`（需实现端上报）',
  ],
  group_essence_message_change: ['`sender_id` is 0', '`sender_id` 为 0'],
  group_file_upload: ['`busid` is 0', '`busid` 为 0'],
  group_message_reaction: ['`count` is 1: Milky tells single reactions', '`count` 为 1：Milky 只上报单次回应'],
  friend_file_upload: ['`url` is empty: call `get_private_file_url`', '`url` 为空，请调用 `get_private_file_url`'],
  peer_pin_change: ['nothing: name and data pass', '无：名称和数据原样传递'],
}

const INCOMING_LOSSES: Readonly<Record<string, Words>> = {
  mention: ['`name`', '`name`'],
  reply: ['what was quoted: `get_msg` has it', '被引用的内容，可用 `get_msg` 获取'],
  image: ['width, height', '宽、高'],
  record: ['duration', '时长'],
  video: ['width, height, duration', '宽、高、时长'],
  forward: ['title, preview, summary', '标题、预览、摘要'],
  light_app: ['`app_name`', '`app_name`'],
}

const OUTGOING: Readonly<Record<string, readonly [becomes: string, ...Words]>> = {
  text: ['`text`', '', ''],
  at: ['`mention`, `mention_all`', '', ''],
  face: ['`face`', '', ''],
  reply: ['`reply`', 'only within the same conversation; otherwise it is left out', '仅限同一会话，否则忽略'],
  image: ['`image`', 'flash pictures', '闪照'],
  record: ['`record`', '', ''],
  video: ['`video`', '', ''],
  json: ['`light_app`', '', ''],
  node: ['`forward`', 'no `res_id` comes back', '不返回 `res_id`'],
  forward: ['`forward`', 'who said it: it is fetched and made again', '发送者：会被取回后重新构造'],
  file: [
    '`upload_group_file`, `upload_private_file`',
    'it goes by itself, without a `message_id`',
    '单独发送，没有 `message_id`',
  ],
  mface: ['`image`', 'it is a sticker, no market face', '变为表情图片'],
  markdown: ['`text`', 'the layout', '排版'],
  share: ['`text`', 'the card', '卡片'],
  music: ['`text`', 'the card', '卡片'],
  location: ['`text`', 'the map', '地图'],
}

const ACTION_LOSSES: Readonly<Record<string, Words>> = {
  get_forward_msg: ['`user_id` is 0: Milky tells names only', '`user_id` 为 0：Milky 只给出名称'],
  get_image: ['`file` is an address, no path', '`file` 是地址而非路径'],
  get_record: ['`out_format`; `file` is an address', '`out_format`；`file` 是地址'],
  get_file: ['`file` is an address', '`file` 是地址'],
  set_friend_add_request: ['`remark`', '`remark`'],
  set_group_leave: ['`is_dismiss`', '`is_dismiss`'],
  set_group_special_title: ['`duration`', '`duration`'],
  set_msg_emoji_like: ['messages of groups only', '仅限群消息'],
  delete_essence_msg: ['refused with Lagrange, which would set it', 'Lagrange 会误设为精华，因此拒绝'],
  create_group_file_folder: ['only at the top', '仅限根目录'],
  get_group_system_msg: ['invitations of the account itself', '邀请自己入群的请求'],
}

const HEADS = {
  en: {
    events: ['Milky event', 'becomes', 'lost'],
    down: ['Milky segment', 'becomes', 'lost'],
    up: ['OneBot segment', 'is sent as', 'lost'],
    actions: ['OneBot action', 'asks', 'lost'],
    local: 'nothing: perpetua answers',
  },
  zh: {
    events: ['Milky 事件', '转换为', '丢失'],
    down: ['Milky 消息段', '转换为', '丢失'],
    up: ['OneBot 消息段', '发送为', '丢失'],
    actions: ['OneBot 动作', '调用', '丢失'],
    local: '无：由 perpetua 回答',
  },
} as const

/** @throws Error where a table of the code and what is said of it do not fit. */
export function milkyPage(language: Language): string {
  const at = language === 'en' ? 0 : 1
  const heads = HEADS[language]
  const lost = (losses: Readonly<Record<string, Words>>, name: string) => losses[name]?.[at] ?? ''
  fits('events', EVENT_TYPES, Object.keys(EVENT_LOSSES))
  fits('incoming segments', INCOMING_TYPES, Object.keys(INCOMING_LOSSES))
  fits('outgoing segments', new Set(Object.keys(OUTGOING)), OUTGOING_TYPES)
  fits('outgoing segments', new Set(OUTGOING_TYPES), Object.keys(OUTGOING))
  fits('actions', new Set([...ALL_ACTIONS].map(([name]) => name)), Object.keys(ACTION_LOSSES))
  const prose = PROSE[language]
  return `${[
    prose.start,
    prose.events,
    table(
      heads.events,
      [...EVENT_TYPES].map((type) => [`\`${type}\``, eventName(type), lost(EVENT_LOSSES, type)]),
    ),
    prose.segments,
    table(
      heads.down,
      [...INCOMING_TYPES].map((type) => [`\`${type}\``, segmentName(type), lost(INCOMING_LOSSES, type)]),
    ),
    table(
      heads.up,
      Object.entries(OUTGOING).map(([type, [becomes, ...losses]]) => [`\`${type}\``, becomes, losses[at] ?? '']),
    ),
    prose.actions,
    table(
      heads.actions,
      [...ALL_ACTIONS].map(([name, { apis }]) => [
        `\`${name}\``,
        apis.length === 0 ? heads.local : apis.map((api) => `\`${api}\``).join(', '),
        lost(ACTION_LOSSES, name),
      ]),
    ),
    prose.end,
  ].join('\n\n')}\n`
}

function eventName(event_type: string): string {
  const event = JSON.parse(JSON.stringify(eventOf({ event_type, time: 1, self_id: SELF, data: EVERYTHING }, stage)))
  const { post_type, notice_type, request_type, sub_type } = event
  const kind = [post_type, notice_type ?? request_type].filter(Boolean).join('.')
  return `\`${kind}\`${post_type === 'message' || sub_type === undefined ? '' : ` (\`${sub_type}\`)`}`
}

function segmentName(type: string): string {
  const [segment] = incoming([{ type, data: { message_seq: 1 } }], { scene: 'group', peer: 20001 }, stage)
  return `\`${segment?.type}\``
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

function fits(what: string, known: ReadonlySet<string>, described: readonly string[]): void {
  const wrong = described.filter((name) => !known.has(name))
  if (wrong.length > 0) throw new Error(`scripts/milky-page.ts: ${what}: the code has no ${wrong.join(', ')}`)
}
