// What the settings of pools promise and cannot keep: said at the start and by `perpetua check`, though nothing is wrong.

import type { ClientSettings, Config, PostConfig, WebhookConfig } from './schema.ts'

/** So many members are named; more would hide what is said of them. */
const NAMED = 5

/** With `dispatch: acked` only what a member acknowledges is known to have arrived. */
export function poolNotices(config: Config): string[] {
  return Object.entries(config.pools).flatMap(([pool, { dispatch, resume }]) => {
    if (dispatch !== 'acked') return []
    const mute = members(config, pool)
      .filter((member) => !(member.settings.resume ?? resume ?? config.defaults.resume))
      .map(({ name }) => name)
    if (mute.length === 0) return []
    const more = mute.length > NAMED ? ` and ${mute.length - NAMED} more` : ''
    return [
      `pools.${pool}.dispatch is acked, but nothing tells what has arrived at ${mute.slice(0, NAMED).join(', ')}${more}: ` +
        `what is on its way when a member leaves is lost; set resume: true there, or in pools.${pool}`,
    ]
  })
}

interface Member {
  readonly name: string
  readonly settings: ClientSettings
}

function members(
  { clients, defaults, 'reverse-web-socket': dialled, 'http-post': posts, satori }: Config,
  pool: string,
): Member[] {
  const all: Member[] = [
    ...clients.map((entry) => ({ name: entry.name, settings: entry })),
    ...dialled.map((entry, index) => ({ name: entry.name || `reverse-web-socket[${index}]`, settings: entry })),
    ...posts.map((entry, index) => hookIn('http-post', entry, index)),
    ...satori.webhooks.map((entry, index) => hookIn('satori.webhooks', entry, index)),
  ]
  const own = all.filter(({ settings }) => (settings.pool ?? defaults.pool) === pool)
  return defaults.pool === pool ? [...own, { name: 'everybody else (defaults)', settings: defaults }] : own
}

/** A web hook acknowledges by its answers, unless told not to. */
const hookIn = (section: string, entry: PostConfig | WebhookConfig, index: number): Member => ({
  name: entry.name || `${section}[${index}]`,
  settings: { resume: { ack: 'ping' }, ...entry },
})
