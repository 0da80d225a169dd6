// perpetua doctor: looks at everything that keeps a gateway from working, and says what to do about each.

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineCommand } from 'citty'
import { type Loaded, loadConfig } from '../config/load.ts'
import { ConfigError, type Problem, problemText } from '../config/problem.ts'
import { configOf } from '../config/schema.ts'
import { machine } from './doctor-machine.ts'
import { peers } from './doctor-peers.ts'
import { ports, runningGateway } from './doctor-ports.ts'
import { runningStatus } from './doctor-running.ts'
import { EXIT } from './exit.ts'
import { bad, type Finding, findingText, fine, summaryText, warning } from './finding.ts'
import { configOption } from './options.ts'
import { say } from './say.ts'
import { columns } from './wrap.ts'

export const doctor = defineCommand({
  meta: { name: 'doctor', description: 'Find what keeps it from working, and say what to do about it' },
  args: {
    config: configOption,
    json: { type: 'boolean', description: 'Print {ok, findings} as JSON' },
  },
  async run({ args: { config: file, json = false } }) {
    const findings = await examine(file, Date.now())
    const ok = findings.every(({ state }) => state !== 'bad')
    if (json) say(JSON.stringify({ ok, findings }))
    else {
      const width = columns()
      say([...findings.map((finding) => findingText(finding, width)), summaryText(findings)].join('\n'))
    }
    return ok ? EXIT.ok.code : EXIT.failed.code
  },
})

/**
 * `now` in milliseconds. Nothing is changed, and whoever is dialled is left at once; one that a running gateway has is not
 * dialled, since some leave the one for the other.
 */
async function examine(file: string, now: number): Promise<Finding[]> {
  try {
    const loaded = await loadConfig({ file, missing: 'defaults' })
    const { config } = loaded
    // SQLite is loaded for whoever wants to know.
    const { kept } = await import('./doctor-kept.ts')
    const owner = runningGateway(config['data-dir'])
    const running = owner === undefined ? undefined : await runningStatus(config)
    return [
      ...configFile(loaded),
      ...machine(config, now, owner),
      ...kept(config),
      ...(await ports(config, running)),
      ...(await peers(config, file, running)),
    ]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // What it would run is not known; the machine is there all the same.
    return [...error.problems.map(flaw), ...machine(configOf(), now)]
  }
}

function flaw(problem: Problem): Finding {
  const { hint, path } = problem
  const what = path === '' ? 'it' : path
  return bad('config', problemText({ ...problem, hint: undefined }), hint ?? `correct ${what}, then perpetua check`)
}

function configFile({ file, text, notices }: Loaded): Finding[] {
  if (text === undefined)
    return [
      warning(
        'config',
        `${resolve(file)} is not there: the defaults count`,
        'go to the folder with your config, or perpetua init',
      ),
    ]
  return [
    fine('config', `${file} is fine`),
    ...notices.map((notice) => warning('config', ...inTwo(notice))),
    ...readableByOthers(file, text),
  ]
}

/** Notices say what is so, and behind a semicolon what to do. */
function inTwo(notice: string): [fact: string, remedy: string] {
  const at = notice.lastIndexOf('; ')
  return at === -1 ? [notice, 'see docs/configuration.md'] : [notice.slice(0, at), notice.slice(at + 2)]
}

function readableByOthers(file: string, text: string): Finding[] {
  if (process.platform === 'win32' || (statSync(file).mode & 0o077) === 0) return []
  if (!/^[^#\n]*(?:token|secret)["']?\s*:\s*["']?[^\s"'#,}]/m.test(text)) return []
  return [warning('config', `other users of this machine can read the tokens in ${file}`, `chmod 600 ${file}`)]
}
