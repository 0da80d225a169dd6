// perpetua check: says whether the config can be used, and what it would run.

import { defineCommand } from 'citty'
import { type Implementation, implementations } from '../config/implementations.ts'
import { type Loaded, loadConfig } from '../config/load.ts'
import { ConfigError, problemText } from '../config/problem.ts'
import { clientToken } from '../config/rules.ts'
import type { Config, PostConfig, ReverseConfig, WebhookConfig } from '../config/schema.ts'
import { formatDuration } from '../lib/duration.ts'
import { maskText } from '../lib/mask.ts'
import { formatSize } from '../lib/size.ts'
import { EXIT } from './exit.ts'
import { clientLines, type Line, limitLines, settingsText } from './governance.ts'
import { configOption } from './options.ts'
import { complain, say } from './say.ts'

export const check = defineCommand({
  meta: { name: 'check', description: 'Check the config file and say what it would run' },
  args: {
    config: configOption,
    json: { type: 'boolean', description: 'Print {ok, problems, notices} as JSON' },
  },
  async run({ args: { config: file, json = false } }) {
    try {
      const loaded = await loadConfig({ file })
      say(json ? JSON.stringify({ ok: true, problems: [], notices: loaded.notices }) : summary(loaded))
      return EXIT.ok.code
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      if (json) say(JSON.stringify({ ok: false, problems: error.problems, notices: [] }))
      else complain(problemList(error))
      return EXIT.failed.code
    }
  },
})

/** Every problem on its line, then how many there are. */
export function problemList({ problems }: ConfigError): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return [...problems.map(problemText), `${count} in the config`].join('\n')
}

function summary({ file, config, notices }: Loaded): string {
  const lines = facts(config)
  const widest = Math.max(...lines.map(([name]) => name.length))
  return [
    `${file} is fine.`,
    ...lines.map(([name, text]) => `  ${name.padEnd(widest)}  ${maskText(text)}`),
    ...notices.map((notice) => `Note: ${notice}`),
  ].join('\n')
}

function facts(config: Config): Line[] {
  const { http, 'web-socket': links, 'msg-expire-time': age, journal, log } = config
  const range = links['range-port']
  return [
    ...implementations(config).map(
      ({ name, kind, url, 'self-id': id }): Line => [
        'implementation',
        [name, WHERE[kind](url), id && `as ${id}`].filter(Boolean).join(', '),
      ],
    ),
    ['clients', `${http.tls.cert === '' ? 'http' : 'https'}://${host(http.host)}:${http.port}, ${tokenText(config)}`],
    ['allotted ports', range.enabled ? `${range.start}-${range.end}` : 'any free port'],
    ...config['reverse-web-socket'].map((entry): Line => ['reverse', entryText(entry)]),
    ...config['http-post'].map((entry): Line => ['http-post', entryText(entry)]),
    ...satoriLines(config),
    ...clientLines(config),
    ...limitLines(config),
    ['events kept', `${formatDuration(age)}, ${formatSize(journal['max-bytes'])}${journal.persist ? ', on disk' : ''}`],
    ['data', config['data-dir']],
    ['log', `${log.level}, ${log.dir === '' ? 'no files' : log.dir}`],
  ]
}

function satoriLines({ satori }: Config): Line[] {
  if (!satori.enabled) return []
  return [['satori', satori.path], ...satori.webhooks.map((entry): Line => ['satori hook', entryText(entry)])]
}

const WHERE = {
  forward: (url) => `connect to ${url}`,
  reverse: () => 'wait for it to connect',
  milky: (url) => `connect to ${url} by Milky`,
  embedded: () => 'run Lagrange',
} as const satisfies Record<Implementation['kind'], (url: string) => string>

const host = (name: string) => (name.includes(':') && !name.startsWith('[') ? `[${name}]` : name)
const entryText = (entry: ReverseConfig | PostConfig | WebhookConfig) =>
  [entry.name, entry.url, settingsText(entry)].filter(Boolean).join(', ')
const tokenText = (config: Config) => (clientToken(config) === '' ? 'no token needed' : 'token needed')
