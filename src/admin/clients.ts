// What an operator does to clients: sees them, disconnects them, holds their events back, drops a backlog, names them.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { type Guests, TRANSPORTS } from '../broker/ports.ts'
import type { Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import { kick, pause, rename, skip } from '../broker/steering.ts'
import { isObject } from '../onebot/object.ts'
import { refuse } from '../onebot/retcode.ts'
import { type Asked, bodyOf, flag, list, nullable, object, type Route, text, textIn, whole } from './route.ts'

export interface ClientsPort {
  readonly bots: Bots
  readonly guests: Guests
  readonly report: Report
  /** What `GET /api/status` tells of each bot. */
  readonly seen: () => readonly SeenBot[]
}

export interface SeenBot {
  readonly name: string
  readonly self_id: string | null
  readonly sessions: readonly object[]
  readonly callers: readonly object[]
}

const CLIENT = object(
  {
    bot: text,
    self_id: whole,
    app_id: text,
    client_name: text,
    transport: { enum: TRANSPORTS },
    state: { enum: ['waiting', 'live', 'catching-up', 'paused', 'away', 'gone'] },
    paused: flag,
    events: { type: 'boolean', description: 'false: a link for calls only, which can be disconnected and no more' },
    peer: text,
    entry: { type: 'string', description: 'the entry of the configuration that governs it' },
    pool: text,
    since: { type: 'integer', description: 'seconds since 1970' },
    pending: nullable({ type: 'integer', description: 'bytes that it has not read yet' }),
    lag: nullable(object({ events: whole, seconds: whole })),
    calls: { type: 'integer', description: 'calls of its own that are not answered yet' },
    sent: object({ events: whole, bytes: whole }),
    called: object({ calls: whole, size: whole }),
  },
  ['self_id', 'client_name', 'pool', 'entry'],
)

const BOT = {
  self_id: 'whose client: an account or the name of a bot; only needed where two bots have one of that name',
}

export function clientRoutes(port: ClientsPort): Route[] {
  const act = (verb: string, summary: string, answer: Route['answer'], work: Work): Route => ({
    method: 'post',
    path: `/api/clients/:client/${verb}`,
    summary,
    query: BOT,
    answer,
    async handle(c) {
      const { bot, session } = find(port.bots, c)
      const done: unknown = await work(bot, session, c)
      return c.json(isObject(done) ? done : {})
    },
  })
  const events = (session: Session) => {
    if (!session.events) refuse('bad-request', 'this is a link for calls only: it gets no events')
  }
  return [
    {
      method: 'get',
      path: '/api/clients',
      summary: 'Everybody who is there, or away and waited for',
      answer: object({ clients: list(CLIENT) }),
      handle: (c) => c.json({ clients: port.seen().flatMap(clientsOf) }),
    },
    act(
      'kick',
      'Disconnects it with 4012; away, it is waited for no more. It may come again',
      object({}),
      (bot, session) => kick(bot, session),
    ),
    act('pause', 'Holds its events back; it gets them from the journal afterwards', object({}), (bot, session) => {
      events(session)
      pause(bot, session, true, port.report)
    }),
    act('resume', 'Sends its events on', object({}), (bot, session) => {
      events(session)
      pause(bot, session, false, port.report)
    }),
    act('drop', 'Drops what it has yet to get from the journal', object({ dropped: whole }), (bot, session) => {
      events(session)
      return { dropped: skip(bot, session, port.report) }
    }),
    {
      ...act(
        'rename',
        'Gives it another name, and with it what the configuration says of that name',
        object({}),
        named,
      ),
      body: object({ name: text }),
    },
  ]

  async function named(bot: Bot, session: Session, c: Asked): Promise<void> {
    const name = textIn(await bodyOf(c), 'name')
    events(session)
    rename(bot, session, name, { guests: port.guests, report: port.report, where: 'rename' })
  }
}

type Work = (bot: Bot, session: Session, c: Asked) => unknown

const clientsOf = ({ name, sessions, callers }: SeenBot) => [
  ...sessions.map((session) => ({ bot: name, events: true, ...session })),
  ...callers.map((session) => ({ bot: name, events: false, ...session })),
]

/** By `app_id`, or by name where only one bot has somebody of that name. @throws ActionError */
function find(bots: Bots, c: Asked): { bot: Bot; session: Session } {
  const wanted = c.req.param('client') ?? ''
  const whose = c.req.query('self_id')
  const found = bots
    .all()
    .filter(({ selfId, name }) => whose === undefined || selfId === whose || name === whose)
    .flatMap((bot) => {
      const session = bot.sessions.byId(wanted) ?? bot.sessions.byName(wanted) ?? callerOf(bot, wanted)
      return session === undefined ? [] : [{ bot, session }]
    })
  const [first, second] = found
  if (first === undefined)
    return refuse('not-found', `no client ${JSON.stringify(wanted)} is here, by name or by app_id`)
  if (second !== undefined)
    return refuse('conflict', `several bots have a client ${JSON.stringify(wanted)}: add ?self_id=`)
  return first
}

const callerOf = (bot: Bot, wanted: string): Session | undefined =>
  [...bot.members.all()].find(({ appId, name }) => appId === wanted || name === wanted)
