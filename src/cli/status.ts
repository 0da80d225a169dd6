// perpetua status, clients and kick: who is there, how they fare, and out with one.

import { defineCommand } from 'citty'
import { oneLine } from '../observe/line.ts'
import { type Api, reaching, reachOptions } from './reach.ts'
import { say } from './say.ts'
import { bytes, lasting, table } from './table.ts'

/** What the admin API tells, as far as it is shown here. */
interface Status {
  readonly version: string
  readonly uptime: number
  readonly rss: number
  readonly links: number
  /** A gateway of an older version may say less. */
  readonly reverse?: readonly Reverse[]
}
/** A client that the gateway dials, connected or not. */
interface Reverse {
  readonly name: string
  readonly target: string
  readonly state: 'idle' | 'dialling' | 'open' | 'pausing'
  readonly reason?: string | null
}
interface Bot {
  readonly name: string
  readonly self_id: string | null
  readonly online: boolean
  readonly heartbeat_age: number | null
  readonly implementation: {
    readonly peer: string | null
    readonly since: number | null
    readonly lost: string | null
    readonly name: string | null
    readonly version: string | null
  }
  readonly journal: { readonly entries: number; readonly bytes: number }
  readonly waiting: { readonly replies: number; readonly waiting: number }
  readonly clients: number
  readonly embedded?: { readonly state: string }
  readonly upstreams: readonly {
    readonly peer: string
    readonly connected: boolean
    readonly active: boolean
    readonly failing: 'offline' | 'calls' | null
  }[]
  readonly calls?: { readonly breakers: Readonly<Record<string, { readonly state: string; readonly until?: number }>> }
}
interface Client {
  readonly bot: string
  readonly app_id: string
  readonly client_name?: string
  readonly transport: string
  readonly state: string
  readonly peer: string
  readonly pool?: string
  readonly pending: number | null
  readonly lag: { readonly events: number; readonly seconds: number } | null
  readonly sent: { readonly events: number; readonly bytes: number }
  readonly called: { readonly calls: number }
}
interface Incident {
  readonly kind: string
  readonly bot?: string
  readonly client?: string
  readonly detail?: string
  readonly since: number
}

export const status = defineCommand({
  meta: { name: 'status', description: 'Show how a running gateway and its bots fare' },
  args: reachOptions,
  run: ({ args }) =>
    reaching(args, async (api) => {
      const [gateway, { bots }, { incidents }] = await Promise.all([
        answer<Status>(api, '/api/status'),
        answer<{ bots: Bot[] }>(api, '/api/bots'),
        answer<{ incidents: Incident[] }>(api, '/api/alerts'),
      ])
      if (args.json) return say(JSON.stringify({ ...gateway, bots, incidents }))
      const { version, uptime, rss, links } = gateway
      say(`perpetua ${version}, up ${lasting(uptime)}, ${bytes(rss)} of memory, ${links} links`)
      say(table(['bot', 'state', 'implementation', 'heartbeat', 'clients', 'journal', 'calls'], bots.map(botRow)))
      for (const note of bots.flatMap((bot) => [...troubles(bot)])) say(oneLine(note))
      for (const link of gateway.reverse ?? []) {
        const why = absent(link)
        if (why !== undefined) say(oneLine(`NOTE reverse-web-socket ${link.name || link.target}: ${why}`))
      }
      for (const { kind, bot, client, detail, since } of incidents)
        say(oneLine(`ALERT ${[kind, bot, client, detail].filter(Boolean).join(', ')}, for ${ago(since)}`))
    }),
})

export const clients = defineCommand({
  meta: { name: 'clients', description: 'List the clients of a running gateway' },
  args: reachOptions,
  run: ({ args }) =>
    reaching(args, async (api) => {
      const { clients: all } = await answer<{ clients: Client[] }>(api, '/api/clients')
      if (args.json) return say(JSON.stringify(all))
      if (all.length === 0) return say('Nobody is connected.')
      const several = new Set(all.map(({ bot }) => bot)).size > 1
      const head = ['client', 'transport', 'state', 'peer', 'pool', 'events', 'unread', 'behind', 'calls']
      say(
        table(
          several ? ['bot', ...head] : head,
          all.map((one) => (several ? [one.bot, ...clientRow(one)] : clientRow(one))),
        ),
      )
    }),
})

export const kick = defineCommand({
  meta: { name: 'kick', description: 'Disconnect a client of a running gateway; it may come again' },
  args: {
    client: { type: 'positional', required: true, description: 'Its name or app_id, as perpetua clients tells it' },
    bot: {
      type: 'string',
      valueHint: 'account',
      description: 'Whose client it is, where several bots have one so named',
    },
    ...reachOptions,
  },
  run: ({ args }) =>
    reaching(args, async (api) => {
      const whose = args.bot === undefined ? '' : `?self_id=${encodeURIComponent(args.bot)}`
      await api.post(`/api/clients/${encodeURIComponent(args.client)}/kick${whose}`)
      say(args.json ? JSON.stringify({ kicked: args.client }) : `Disconnected ${args.client}.`)
    }),
})

// The cast: both sides are of one program.
const answer = async <T>(api: Api, path: string): Promise<T> => (await api.get(path)) as T

function botRow(bot: Bot): string[] {
  const { name, self_id, online, heartbeat_age: beat, implementation, journal, waiting, embedded } = bot
  const { peer, lost, since } = implementation
  const program = [implementation.name, implementation.version].filter(Boolean).join(' ')
  const state = online ? 'online' : (embedded?.state ?? 'offline')
  return [
    self_id ?? name,
    since === null ? state : `${state} ${ago(since)}`,
    online ? program || (peer ?? '') : (lost ?? peer ?? ''),
    beat === null ? '' : `${lasting(beat)} ago`,
    String(bot.clients),
    `${journal.entries} (${bytes(journal.bytes)})`,
    String(waiting.replies + waiting.waiting),
  ]
}

/** What is wrong though it is online: calls that are refused, and others that could not take over. */
function* troubles({ name, self_id, upstreams, calls }: Bot): Generator<string> {
  const who = self_id ?? name
  for (const [kind, { state, until }] of Object.entries(calls?.breakers ?? {})) {
    if (state === 'closed') continue
    const next =
      until === undefined ? 'the next one is a try' : `refused for ${lasting(Math.max(0, until - now()))} more`
    yield `NOTE ${who}, "${kind}" actions keep failing: ${next}`
  }
  for (const { peer, connected, active, failing } of upstreams) {
    if (active || upstreams.length === 1) continue
    const why = connected ? failing && FAILING[failing] : 'not connected'
    if (why !== null) yield `NOTE ${who}, ${peer || 'one of its implementations'}: ${why}`
  }
}

/** Why a client that is dialled is not there; undefined: it is, or soon will be. */
function absent({ state, reason }: Reverse): string | undefined {
  if (state === 'open') return undefined
  if (state === 'idle') return 'dialled as soon as the account is known'
  return reason === null || reason === undefined ? undefined : `not connected: ${reason}`
}

const FAILING = { offline: 'says that the account is offline', calls: 'its calls keep failing' } as const

function clientRow(client: Client): string[] {
  const { client_name: name, app_id, transport, state, peer, pool, pending, lag, sent, called } = client
  return [
    name ?? app_id,
    transport,
    state,
    peer,
    pool ?? '',
    `${sent.events} (${bytes(sent.bytes)})`,
    pending === null ? '?' : bytes(pending),
    lag === null ? '' : `${lag.events}, ${lasting(lag.seconds)}`,
    String(called.calls),
  ]
}

const now = () => Date.now() / 1_000
const ago = (since: number) => lasting(Math.max(0, now() - since))
