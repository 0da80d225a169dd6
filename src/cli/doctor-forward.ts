// Dials an implementation as the gateway does, and asks who it is: an open door is not yet a bot that works.

import type { Files } from '../config/files.ts'
import type { Implementation } from '../config/implementations.ts'
import { host } from '../runtime/current.ts'

/** How long (ms) somebody may take to open, and to answer what we ask. */
const PATIENCE = 5_000
/** OneBot's retcode for a wrong token, which NapCat and LLBot send once the link is open. */
const WRONG_TOKEN = 1403
const MAX_FRAME = 2 ** 20

/** What it showed of itself before it answered, hung up, or let us wait. */
export interface Met {
  /** `refused`: it says that our token is wrong. `gone`: it hung up. */
  readonly end: 'answered' | 'silent' | 'refused' | 'gone'
  /** It sent an event of OneBot. */
  readonly events: boolean
  /** The account that it is logged in to. */
  readonly account?: string | undefined
  /** Whether it says that the account is online; undefined: it does not say. */
  readonly online?: boolean | undefined
  /** Its clock (ms), as its events tell it, minus ours. */
  readonly ahead?: number | undefined
}

const ASKED = { who: 'perpetua-doctor-who', how: 'perpetua-doctor-how' }

/** @throws DialError where the link does not open. */
export async function meet(one: Implementation, { authorities }: Files): Promise<Met> {
  const met = Promise.withResolvers<Met>()
  let seen: Omit<Met, 'end'> = { events: false }
  const waiting = new Set(Object.values(ASKED))
  const ends = (end: Met['end']) => met.resolve({ ...seen, end })
  const token = one['access-token']
  const socket = await host.dial({
    url: one.url,
    maxFrame: MAX_FRAME,
    tls: { insecure: one.insecure, ...(one.ca !== '' && { ca: authorities.get(one.ca) }) },
    timeout: PATIENCE,
    headers: { 'User-Agent': 'OneBot/11', ...(token !== '' && { Authorization: `Bearer ${token}` }) },
    events: {
      text(_socket, text) {
        const said = object(text)
        if (said['retcode'] === WRONG_TOKEN) return ends('refused')
        const { post_type: event, time, echo } = said
        if (typeof event === 'string')
          seen = { ...seen, events: true, ...(typeof time === 'number' && { ahead: time * 1_000 - Date.now() }) }
        if (typeof echo !== 'string' || !waiting.delete(echo)) return
        const data = object(said['data'])
        if (echo === ASKED.who && data['user_id'] !== undefined) seen = { ...seen, account: String(data['user_id']) }
        if (echo === ASKED.how && typeof data['online'] === 'boolean') seen = { ...seen, online: data['online'] }
        if (waiting.size === 0) ends('answered')
      },
      close: () => ends('gone'),
    },
  })
  const patient = setTimeout(() => ends(waiting.size < Object.keys(ASKED).length ? 'answered' : 'silent'), PATIENCE)
  try {
    for (const [action, echo] of [
      ['get_login_info', ASKED.who],
      ['get_status', ASKED.how],
    ])
      socket.send(JSON.stringify({ action, params: {}, echo }))
    return await met.promise
  } finally {
    clearTimeout(patient)
    socket.close(1000, 'only looking')
  }
}

/** What is no object has nothing in it. */
function object(value: unknown): Record<string, unknown> {
  try {
    const read: unknown = typeof value === 'string' ? JSON.parse(value) : value
    return typeof read === 'object' && read !== null ? (read as Record<string, unknown>) : {} // just checked
  } catch {
    return {}
  }
}
