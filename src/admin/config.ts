// The configuration for an operator: what is in force, whether a candidate could be used, and reading the file anew.

import { refuse } from '../onebot/retcode.ts'
import { bodyOf, flag, list, nullable, object, type Route, text, textIn, whole } from './route.ts'

export interface ConfigProblem {
  readonly file: string
  readonly line?: number | undefined
  readonly column?: number | undefined
  readonly path: string
  readonly found: string
  readonly wanted: string
  readonly hint?: string | undefined
  /** All of it in one line. */
  readonly text: string
}

export interface Validated {
  readonly ok: boolean
  readonly problems: readonly ConfigProblem[]
  readonly notices: readonly string[]
  /** Keys whose change takes effect at the next start only. */
  readonly restart: readonly string[]
}

/** The file behind the configuration. */
export interface ConfigFile {
  readonly file: string
  /** As it is in force, without secrets; undefined: there is none, or it cannot be shown without them. */
  text(): string | undefined
  /** Whether this text could take its place. */
  validate(text: string): Promise<Validated>
  /** Reads it anew and applies it. `applied`: it is in force now. */
  reload(): Promise<{ readonly applied: boolean; readonly problems: readonly string[] }>
}

export interface ConfigPort {
  /** What is in force, without secrets. */
  readonly shown: () => object
  /** Absent: it came from no file. */
  readonly file: ConfigFile | undefined
}

const PROBLEM = object(
  { file: text, line: whole, column: whole, path: text, found: text, wanted: text, hint: text, text },
  ['line', 'column', 'hint'],
)
/** Nobody writes a longer one; it is parsed as a whole. */
const LONGEST = 1024 * 1024

export function configRoutes({ shown, file }: ConfigPort): Route[] {
  const theFile = () => file ?? refuse('not-found', 'this gateway was started without a config file')
  return [
    {
      method: 'get',
      path: '/api/config',
      summary: 'What is in force, defaults included, and the text of the file; secrets are ***',
      answer: object({ file: nullable(text), text: nullable(text), config: { type: 'object' } }),
      handle: (c) => c.json({ file: file?.file ?? null, text: file?.text() ?? null, config: shown() }),
    },
    {
      method: 'post',
      path: '/api/config/validate',
      summary: 'Whether a text could be the config file: nothing is changed',
      body: object({ text }),
      answer: object({ ok: flag, problems: list(PROBLEM), notices: list(text), restart: list(text) }),
      async handle(c) {
        const candidate = textIn(await bodyOf(c), 'text')
        if (candidate.length > LONGEST)
          refuse('too-large', `text: found ${candidate.length} characters, wanted 1 MiB at most`)
        return c.json(await theFile().validate(candidate))
      },
    },
    {
      method: 'post',
      path: '/api/config/reload',
      summary: 'Reads the config file anew and applies it, as SIGHUP does',
      answer: object({ applied: flag, problems: list(text) }),
      handle: async (c) => c.json(await theFile().reload()),
    },
  ]
}
