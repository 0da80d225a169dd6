// What is wrong with a block of code in the docs: each language that a block may have is read by what reads it for real,
// or as nearly as can be without doing what it says.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import manifest from '../package.json' with { type: 'json' }
import { mistakeIn } from '../src/cli/run.ts'
import { parseConfig } from '../src/config/load.ts'
import { ConfigError, problemText } from '../src/config/problem.ts'
import { commandLines, commands } from './command-lines.ts'

const HOUSE = join(import.meta.dir, '..')

/** Programs that are no business of ours: only the shell reads such a line. */
const OF_OTHERS = new Set(['cd', 'git', 'mkdir', 'npm', 'sh', 'sha256sum', 'tar'])
/** What runs files of ours. */
const RUNTIMES = new Set(['bun', 'node', 'deno'])
/** What a release has besides archives. */
const ASSETS = 'https://github.com/IUnlimit/perpetua/releases/latest/download/'

type Reader = (text: string) => Iterable<string>

/** Every language a block may have. `text` is what is shown, not typed: pictures, headers, lines of the log. */
const READERS: Record<string, Reader> = {
  sh: shell,
  powershell,
  yaml: config,
  yml: otherYaml,
  json: (text) => refusals(() => JSON.parse(text), 'json'),
  dotenv,
  java: () => [],
  text: () => [],
}

export function* wrongBlock(language: string, text: string): Generator<string> {
  if (Object.hasOwn(READERS, language)) yield* READERS[language]?.(text) ?? []
  else yield `wanted a language of ${Object.keys(READERS).join(', ')}; found "${language}", which nobody reads`
}

function* shell(text: string): Generator<string> {
  const { exitCode, stderr } = Bun.spawnSync(['sh', '-n'], { stdin: Buffer.from(text) })
  if (exitCode !== 0) yield `no sh: ${stderr.toString().trim().split('\n')[0]}`
  yield* ours(text)
  for (const [program = '', ...words] of commands(text))
    for (const mistake of wrongCommand(program, words)) yield `${[program, ...words].join(' ')}: ${mistake}`
}

function* ours(text: string): Generator<string> {
  for (const words of commandLines(text)) {
    const mistake = mistakeIn(words)
    if (mistake !== undefined) yield `perpetua ${words.join(' ')}: ${mistake}`
  }
}

function* wrongCommand(program: string, words: string[]): Generator<string> {
  if (/(?:^|\/)perpetua$/.test(program) || OF_OTHERS.has(program)) return
  if (program === 'npx') yield* wrongCommand(words[0] ?? '', words.slice(1))
  else if (RUNTIMES.has(program)) yield* ofRuntime(words)
  else if (program === 'curl') yield* ofCurl(words)
  else if (program === 'docker') yield* ofDocker(words)
  else if (!program.startsWith('./')) yield 'nobody here knows this program'
  else if (!executable(program)) yield `${program} is no program of the repository`
}

/** A script of package.json, a folder of tests, or a file: with options that it has. */
function* ofRuntime(words: string[]): Generator<string> {
  const [first, second = '', ...rest] = words
  const script = Object.entries(manifest.scripts).find(([name]) => name === second)?.[1]
  if (first === 'run' && script !== undefined) return yield* optionsOf(script.split(' ').at(-1) ?? '', rest)
  const file = words.find((word) => /^(?:src|scripts|test)\//.test(word))
  if (file === undefined) yield 'it names neither a script of package.json nor a file of ours'
  else if (!existsSync(join(HOUSE, file))) yield `${file} does not exist`
  else if (file.startsWith('scripts/')) yield* optionsOf(file, words.slice(words.indexOf(file) + 1))
}

/** What a script takes stands in it, as a key of its options. */
function* optionsOf(file: string, words: string[]): Generator<string> {
  const source = file.endsWith('.ts') ? readFileSync(join(HOUSE, file), 'utf8') : ''
  for (const word of words) {
    const name = word.replace(/^--/, '')
    if (word.startsWith('--') && !source.includes(word) && !new RegExp(`\\b'?${name}'?:`).test(source))
      yield `${file} has no option ${word}`
  }
}

function* ofCurl(words: string[]): Generator<string> {
  for (const word of words) {
    const asset = word.includes(ASSETS) ? word.slice(word.indexOf(ASSETS) + ASSETS.length) : undefined
    if (asset !== undefined && !existsSync(join(HOUSE, 'scripts', asset))) yield `a release has no ${asset}`
    if (word.startsWith('{')) yield* refusals(() => JSON.parse(word), 'json')
  }
}

/** A container gets its config from the environment: it must be one that can start. */
function* ofDocker(words: string[]): Generator<string> {
  const given = words.flatMap((word, index) => (word === '-e' ? [words[index + 1] ?? ''] : []))
  if (words[0] === 'run') yield* environment(Object.fromEntries(given.map((pair) => pair.split(/=(.*)/s).slice(0, 2))))
  if (words[0] === 'build' && !existsSync(join(HOUSE, 'Dockerfile'))) yield 'there is no Dockerfile'
}

function* environment(variables: Record<string, string>): Generator<string> {
  yield* problems(() =>
    parseConfig('', { file: 'the environment', environment: { PERPETUA_HTTP_HOST: '0.0.0.0', ...variables } }),
  )
}

function* powershell(text: string): Generator<string> {
  yield* ours(text)
  const takes = readFileSync(join(HOUSE, 'scripts/install.ps1'), 'utf8')
  for (const [, file = '', options = ''] of text.matchAll(/(?<=\s)-File (\S+)(.*)/g)) {
    if (!existsSync(join(HOUSE, 'scripts', file))) yield `a release has no ${file}`
    for (const [, option] of options.matchAll(/ -(\w+)/g))
      if (!takes.includes(`]$${option}`)) yield `${file} has no option -${option}`
  }
  for (const [address, asset = ''] of text.matchAll(/https:\S+\/download\/(\S+)/g))
    if (!address.startsWith(ASSETS) || !existsSync(join(HOUSE, 'scripts', asset))) yield `a release has no ${asset}`
}

function* config(text: string): Generator<string> {
  if (text.startsWith('# config/config.yml\n')) yield* problems(() => parseConfig(text, { file: '', environment: {} }))
  else yield 'wanted "# config/config.yml" as the first line, so that readers and this guard know what it is'
}

/** What other programs read: of a file for Compose also what our container is given. */
function* otherYaml(text: string): Generator<string> {
  yield* refusals(() => parseYaml(text), 'yml')
  for (const { environment: variables } of services(text)) yield* environment(variables ?? {})
}

function services(text: string): { environment?: Record<string, string> }[] {
  try {
    return Object.values(parseYaml(text)?.services ?? {})
  } catch {
    return []
  }
}

/** NoneBot takes lists and objects as JSON. */
function* dotenv(text: string): Generator<string> {
  for (const line of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
    const [, value] = /^[A-Z_]+=(.*)$/.exec(line) ?? []
    if (value === undefined) yield `no dotenv: ${line}`
    else if (/^[[{]/.test(value)) yield* refusals(() => JSON.parse(value), 'json')
  }
}

function* refusals(read: () => unknown, language: string): Generator<string> {
  try {
    read()
  } catch (error) {
    yield `no ${language}: ${error instanceof Error ? error.message : error}`
  }
}

function* problems(read: () => unknown): Generator<string> {
  try {
    read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    yield* error.problems.map(problemText)
  }
}

const executable = (path: string) => existsSync(join(HOUSE, path)) && (statSync(join(HOUSE, path)).mode & 0o111) !== 0

/** Whether the program says these words: as a line of its log, in one piece or made of what stands around a colon. */
export function said(words: string): boolean {
  return SOURCE.includes(words) || words.split(': ').every((part) => SOURCE.includes(part))
}

/** What the log warns of, by the words before the first colon: whoever meets one looks for it in the docs. */
export function warnings(): Set<string> {
  const found = SOURCE.matchAll(
    /(?:\b(?:log|seldom|rarely|voice)\.(?:warn|error)|\b(?:again|lost))\(\s*(['`])([^'`$]+)/g,
  )
  return new Set([...found].map(([, , words = '']) => words.replace(/:.*/s, '').trim()))
}

const SOURCE = readdirSync(join(HOUSE, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join(HOUSE, 'src', file), 'utf8'))
  .join('\n')
