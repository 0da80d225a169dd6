// What can be wrong, and how it is said to people: in English and in Chinese.

import type { AlertsConfig } from '../config/schema.ts'

export type Kind = AlertsConfig['on'][number]

/** Something that is wrong now. Two with one id are the same. */
export interface Trouble {
  readonly id: string
  readonly kind: Kind
  /** The account of the bot, or its name; absent: about none. */
  readonly bot?: string | undefined
  readonly client?: string | undefined
  /** What is said of it, where that is not what is said of all of its kind. */
  readonly words?: keyof typeof WORDS | undefined
  /** Whatever makes it clear: a class of actions, a number of events, a folder. */
  readonly detail?: string | undefined
}

/** What people get. */
export interface Message {
  readonly state: 'open' | 'resolved' | 'test'
  readonly incident: Kind | 'test'
  readonly bot?: string | undefined
  readonly client?: string | undefined
  readonly detail?: string | undefined
  /** Milliseconds since 1970: when it was noticed, and when it was over. */
  readonly since: number
  readonly time: number
  readonly title: string
  readonly text: string
}

interface Words {
  readonly en: string
  readonly zh: string
  readonly advice: { readonly en: string; readonly zh: string }
}

const WORDS: Record<Kind | 'left' | 'deliveries', Words> = {
  offline: {
    en: 'bot offline',
    zh: '机器人离线',
    advice: { en: 'Look at the implementation and its log.', zh: '请检查 OneBot 实现及其日志。' },
  },
  login: {
    en: 'login needed',
    zh: '需要登录',
    advice: { en: 'Scan the code: it is on the page of perpetua.', zh: '请扫描二维码登录，二维码见 perpetua 的页面。' },
  },
  'client-gone': {
    en: 'client gone',
    zh: '客户端已离开',
    advice: { en: 'Look whether the program still runs.', zh: '请检查该程序是否仍在运行。' },
  },
  breaker: {
    en: 'actions keep failing',
    zh: '动作持续失败',
    advice: { en: 'They are refused until they work again.', zh: '恢复之前这类动作会被直接拒绝。' },
  },
  left: {
    en: 'calls of an implementation keep failing',
    zh: '一个实现的调用持续失败',
    advice: { en: 'Look at its log, restart it if it hangs.', zh: '请查看它的日志，卡住了就重启。' },
  },
  deliveries: {
    en: 'client takes no events',
    zh: '客户端不接收事件',
    advice: { en: 'See that it answers at its url. Events wait for it.', zh: '请检查它的地址能否应答；事件会等它。' },
  },
  behind: {
    en: 'client falls behind',
    zh: '客户端落后',
    advice: { en: 'It takes events more slowly than they come.', zh: '它处理事件的速度跟不上。' },
  },
  disk: {
    en: 'disk full',
    zh: '磁盘空间不足',
    advice: { en: 'Make room: nothing can be kept otherwise.', zh: '请清理磁盘，否则数据无法保存。' },
  },
}

export function messageOf(trouble: Trouble, state: 'open' | 'resolved', since: number, now: number): Message {
  const { kind, bot, client, detail, words = kind } = trouble
  const { en, zh, advice } = WORDS[words]
  const about = [bot, client].filter((part) => part !== undefined).join(' / ')
  const over = state === 'resolved'
  const subject = about === '' ? '' : `: ${about}`
  const lasted = minutes(now - since)
  return {
    state,
    incident: kind,
    bot,
    client,
    detail,
    since,
    time: now,
    title: over ? `[perpetua] resolved · 已恢复: ${en} · ${zh}${subject}` : `[perpetua] ${en} · ${zh}${subject}`,
    text: [
      ...(detail === undefined ? [] : [detail]),
      over ? `It is over, after ${lasted.en}.` : advice.en,
      over ? `已恢复，持续 ${lasted.zh}。` : advice.zh,
    ].join('\n'),
  }
}

export const testMessage = (now: number): Message => ({
  state: 'test',
  incident: 'test',
  since: now,
  time: now,
  title: '[perpetua] test · 测试',
  text: 'Alerts of perpetua reach you here.\nperpetua 的通知可以送达此处。',
})

function minutes(ms: number): { en: string; zh: string } {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 120) return { en: `${seconds} s`, zh: `${seconds} 秒` }
  const whole = Math.round(seconds / 60)
  return whole < 120
    ? { en: `${whole} min`, zh: `${whole} 分钟` }
    : { en: `${Math.round(whole / 60)} h`, zh: `${Math.round(whole / 60)} 小时` }
}
