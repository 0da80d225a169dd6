// What the config says of single clients, pools and limits, in lines for people.

import type { ClientSettings, Config, LimitConfig, LimitsConfig } from '../config/schema.ts'
import { formatDuration } from '../lib/duration.ts'

export type Line = readonly [name: string, text: string]

/** Each client and pool that has settings, and what holds for everybody else. Says nothing where nothing is configured. */
export function clientLines({ clients, defaults, pools }: Config): Line[] {
  const everybody = settingsText(defaults)
  return [
    ...clients.map(({ name, token, ...settings }): Line => {
      const known = token === '' ? 'known by its name' : 'known by its token'
      return ['client', listed([name, known, ...settingsTexts(settings)])]
    }),
    ...(everybody === '' ? [] : [['everybody', everybody] as const]),
    ...Object.entries(pools).map(([name, { strategy, by, dispatch, ...settings }]): Line => {
      const how = by === undefined ? strategy : `${strategy} by ${by}`
      return ['pool', listed([name, how, dispatch === 'acked' && 'dispatch acked', ...settingsTexts(settings)])]
    }),
  ]
}

/** What limits the calls of every bot. */
export const limitLines = ({ 'rate-limit': { bot, preset } }: Config): Line[] => [
  ...Object.entries(bot).map((limit): Line => ['limit', `${limitText(limit)} for each bot`]),
  ...(preset === 'none' ? [] : [['limit', `preset ${preset}`] as const]),
]

/** What an entry says of the client behind it; '' for nothing. */
export const settingsText = (settings: ClientSettings): string => listed(settingsTexts(settings))

function settingsTexts(settings: ClientSettings): (string | false)[] {
  const { pool, weight, resume, filter, allow, deny } = settings
  return [
    pool ? `pool ${pool}${weight === undefined ? '' : `, weight ${weight}`}` : false,
    resume ? `resume by ${resume.ack}` : resume === false && 'no resume',
    filter !== undefined && 'filtered',
    settings['message-format'] !== undefined && `messages as ${settings['message-format']}`,
    settings['report-self-message'] !== undefined &&
      (settings['report-self-message'] ? 'own messages' : 'no own messages'),
    settings['prefix-strip'] ? `strips ${JSON.stringify(settings['prefix-strip'])}` : false,
    allow !== undefined && `may call ${some(allow, 'nothing')}`,
    deny !== undefined && deny.length > 0 && `may not call ${some(deny)}`,
    settings['allow-groups']?.length ? `groups ${some(settings['allow-groups'])}` : false,
    settings['allow-users']?.length ? `users ${some(settings['allow-users'])}` : false,
    ...limitTexts(settings['rate-limit'] ?? {}),
  ]
}

const limitTexts = (limits: LimitsConfig) => Object.entries(limits).map(limitText)

function limitText([on, limit]: [on: string, limit: LimitConfig]): string {
  const { rate, burst, 'min-interval': interval, jitter, per, mode, 'max-wait': most } = limit
  const many = [rate !== undefined && rateText(rate), burst !== undefined && `burst ${burst}`]
  const pauses = [interval > 0 && `every ${formatDuration(interval)}`, jitter > 0 && `jitter ${formatDuration(jitter)}`]
  const rest = [per === 'group' || per === 'user' ? `per ${per}` : false]
  const how = mode === 'reject' ? 'else rejected' : `waits up to ${formatDuration(most)}`
  return `at most ${on} ${[...many, ...pauses, ...rest, how].filter(Boolean).join(' ')}`
}

/** Per second, in the unit in which it is a whole number. */
function rateText(rate: number): string {
  for (const [unit, seconds] of Object.entries({ s: 1, min: 60, h: 3_600 })) {
    const count = rate * seconds
    if (Math.abs(count - Math.round(count)) < 1e-6 * count) return `${Math.round(count)}/${unit}`
  }
  return `${Number((rate * 3_600).toPrecision(3))}/h`
}

/** Lists may be long: the first few say what they are about. */
const SHOWN = 5
const some = (values: readonly string[], none = '') =>
  values.length > SHOWN
    ? `${values.slice(0, SHOWN).join(' ')} and ${values.length - SHOWN} more`
    : values.join(' ') || none

const listed = (texts: readonly (string | false)[]) => texts.filter(Boolean).join(', ')
