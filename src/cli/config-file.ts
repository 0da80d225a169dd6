// The config file of a running gateway, for whoever asks through the admin API: shown, judged, read anew.

import { certificateNotices, flawedCertificates } from '../config/certificates.ts'
import { changes } from '../config/diff.ts'
import { unreadableFiles } from '../config/files.ts'
import { parseConfig } from '../config/load.ts'
import { ConfigError, type Problem, problemText } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { shownText } from '../config/shown.ts'

export interface ConfigFileOptions {
  readonly file: string
  /** What is in force. */
  readonly config: () => Config
  /** The text it came from. */
  readonly text: () => string | undefined
  /** Reads the file anew; returns what kept it from being applied. */
  readonly reload: () => Promise<readonly string[]>
}

type Told = Problem & { readonly text: string }

/** @param environment overrides a candidate as it does the file. */
export function configFile(options: ConfigFileOptions, environment = process.env) {
  const { file, config, text, reload } = options
  return {
    file,
    text() {
      const current = text()
      return current === undefined ? undefined : shownText(current)
    },
    async validate(candidate: string) {
      const named = (value: Record<string, unknown>) => [...unreadableFiles(value), ...flawedCertificates(value)]
      try {
        const { config: next, notices } = parseConfig(candidate, { file, environment, named })
        const { restart } = changes(config(), next)
        return { ok: true, problems: [], notices: [...notices, ...certificateNotices(next)], restart }
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        const problems = error.problems.map((problem): Told => ({ ...problem, text: problemText(problem) }))
        return { ok: false, problems, notices: [], restart: [] }
      }
    },
    async reload() {
      const problems = await reload()
      return { applied: problems.length === 0, problems }
    },
  }
}
