// The actions by which clients find, name and address each other.

import * as v from 'valibot'
import type { Bot } from '../broker/bot.ts'
import type { OwnAction, OwnCall } from '../broker/own.ts'
import type { Guests } from '../broker/ports.ts'
import { clientOf, isOnline, type Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import { rename } from '../broker/steering.ts'
import { broadcast, broadcastCallback, type Client } from '../onebot/event.ts'
import { refuse } from '../onebot/retcode.ts'
import { type ClientParam, checked, client, text } from './params.ts'

const Name = v.object({ name: v.string('wanted a string') })
const Acknowledge = v.object({ seq: v.pipe(v.number('wanted a number'), v.safeInteger('wanted a whole number')) })
const Broadcast = v.object({
  clients: v.pipe(v.array(client, 'wanted an array of clients'), v.minLength(1, 'wanted at least one client')),
  data: v.string('wanted a string'),
})
const Callback = v.object({ client, uuid: text(1, 256), data: v.string('wanted a string') })

const seconds = () => Math.floor(Date.now() / 1000)

export function clientActions(bot: Bot, report: Report, guests: Guests): Record<string, OwnAction> {
  return {
    get_online_clients: () => ({ data: onlineClients(bot) }),

    set_client_name(call) {
      const { name } = checked('set_client_name', Name, call.params)
      rename(bot, sessionOf(call, 'set_client_name'), name, { guests, report, where: 'set_client_name' })
      return { data: {} }
    },

    ack_event(call) {
      const { seq } = checked('ack_event', Acknowledge, call.params)
      bot.acknowledge(sessionOf(call, 'ack_event'), seq)
      return { data: {} }
    },

    send_broadcast_data(call) {
      const { clients, data } = checked('send_broadcast_data', Broadcast, call.params)
      const sender = sessionOf(call, 'send_broadcast_data')
      const to = new Set(clients.map((one, index) => find(bot, one, `send_broadcast_data: params.clients.${index}`)))
      to.delete(sender)
      const uuid = crypto.randomUUID()
      if (to.size > 0) bot.tell(to, broadcast(word(bot, sender, uuid, data)))
      return { data: { uuid } }
    },

    send_broadcast_data_callback(call) {
      const { client: asker, uuid, data } = checked('send_broadcast_data_callback', Callback, call.params)
      const answerer = sessionOf(call, 'send_broadcast_data_callback')
      const to = new Set([find(bot, asker, 'send_broadcast_data_callback: params.client')])
      bot.tell(to, broadcastCallback(word(bot, answerer, uuid, data)))
      return { data: {} }
    },
  }
}

/** Everybody who gets this bot's events, oldest first. */
export const onlineClients = (bot: Bot): OnlineClient[] =>
  [...bot.sessions.all()].filter(isOnline).map((session) => ({
    ...clientOf(session, bot.selfId),
    state: session.flow.state,
    // A web hook in the middle of a delivery has no count of bytes.
    pending: Number.isFinite(session.link.buffered) ? session.link.buffered : null,
    calls: session.open.calls,
  }))

/** How others see it, and how it fares: where it stands, bytes it has not taken yet, calls that are not answered. */
interface OnlineClient extends Client {
  readonly state: string
  readonly pending: number | null
  readonly calls: number
}

function sessionOf({ session }: OwnCall, action: string): Session {
  if (session?.events) return session
  return refuse('bad-request', `${action}: this call has no client behind it; use a WebSocket link that carries events`)
}

function find(bot: Bot, { app_id, client_name }: ClientParam, where: string): Session {
  const found = app_id ? bot.sessions.byId(app_id) : bot.sessions.byName(client_name ?? '')
  return found ?? refuse('not-found', `${where}: no client ${JSON.stringify(app_id || client_name)} is online`)
}

function word(bot: Bot, from: Session, uuid: string, data: string) {
  // Nobody would hear it: events begin when the account is known.
  const selfId = bot.selfId ?? refuse('unavailable', 'the bot has not been online yet; try again later')
  return { selfId, time: seconds(), client: clientOf(from, selfId), uuid, data }
}
