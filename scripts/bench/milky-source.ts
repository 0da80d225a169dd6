// One QQ, twice: by OneBot and by Milky; tells both the same group message, each in its own words.

import type { ServerWebSocket } from 'bun'
import { answer } from './child.ts'

export type Face = 'onebot' | 'milky'

interface Data {
  face: Face
}

const GROUP = 123456789
const USER = 2854196310
const WORDS = '今天晚上八点开会，大家记得准时参加'

const links = new Map<Face, ServerWebSocket<Data>>()
let seq = 0

const server = Bun.serve<Data>({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request, self) {
    const { pathname } = new URL(request.url)
    const face = pathname.startsWith('/milky') ? 'milky' : 'onebot'
    if (self.upgrade(request, { data: { face } })) return undefined
    const data = pathname.endsWith('/get_login_info')
      ? { uin: 10001, nickname: '小佩' }
      : {
          impl_name: 'bench',
          impl_version: '1',
          qq_protocol_version: '1',
          qq_protocol_type: 'linux',
          milky_version: '1.2',
        }
    return Response.json({ status: 'ok', retcode: 0, data })
  },
  websocket: {
    open(link) {
      links.set(link.data.face, link)
      if (link.data.face === 'onebot')
        link.send(
          `{"time":1753000000,"self_id":10001,"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"connect"}`,
        )
    },
    message: () => undefined,
    close: (link) => void links.delete(link.data.face),
    sendPings: false,
    idleTimeout: 0,
    backpressureLimit: 1024 * 1024 * 1024,
  },
})

const member = { nickname: '小明', sex: 'unknown', card: '', title: '', role: 'member' }
const EVENTS: Record<Face, (n: number) => string> = {
  onebot: (n) =>
    JSON.stringify({
      ...{ time: 1753000000, self_id: 10001, post_type: 'message', message_type: 'group', sub_type: 'normal' },
      ...{ message_id: n, real_id: n, message_seq: n, group_id: GROUP, user_id: USER, anonymous: null },
      message: [{ type: 'text', data: { text: WORDS } }],
      ...{ message_format: 'array', raw_message: WORDS, font: 0 },
      sender: { user_id: USER, ...member, age: 0, area: '', level: '1' },
    }),
  milky: (n) =>
    JSON.stringify({
      ...{ event_type: 'message_receive', time: 1753000000, self_id: 10001 },
      data: {
        ...{ message_scene: 'group', peer_id: GROUP, message_seq: n, sender_id: USER, time: 1753000000 },
        segments: [{ type: 'text', data: { text: WORDS } }],
        group: {
          ...{ group_id: GROUP, group_name: '群', member_count: 3, max_member_count: 200, remark: '' },
          ...{ created_time: 1, description: '', question: '', announcement: '' },
        },
        group_member: { user_id: USER, group_id: GROUP, ...member, level: 1, join_time: 1, last_sent_time: 1 },
      },
    }),
}

const handlers = answer({
  /** http://127.0.0.1:PORT; each face is a path of it. */
  address: () => `http://127.0.0.1:${server.port}`,

  connected: (face: Face) => links.has(face),

  /** Resolves when the last one has left. `pause`: milliseconds after each turn. */
  async tell({
    face,
    count,
    chunk,
    pause,
  }: {
    face: Face
    count: number
    chunk: number
    pause: number
  }): Promise<void> {
    const link = links.get(face)
    if (link === undefined) throw new Error(`${face} is not connected`)
    for (let sent = 0; sent < count; sent += chunk) {
      while (link.getBufferedAmount() > 256 * 1024) await Bun.sleep(1)
      for (let index = 0; index < chunk; index++) link.send(EVENTS[face](++seq))
      await Bun.sleep(pause)
    }
  },
})

export type MilkySource = typeof handlers
