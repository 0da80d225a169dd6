// Fails when a page of the docs says what is no longer so; --write makes the generated pages anew.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import manifest from '../package.json' with { type: 'json' }
import { ownActions } from '../src/actions/table.ts'
import { alertRoutes } from '../src/admin/alerts.ts'
import { described } from '../src/admin/api.ts'
import { botRoutes } from '../src/admin/bots.ts'
import { callRoutes } from '../src/admin/calls.ts'
import { clientRoutes } from '../src/admin/clients.ts'
import { configRoutes } from '../src/admin/config.ts'
import { healthRoutes } from '../src/admin/health.ts'
import { liveRoutes } from '../src/admin/live.ts'
import { sandboxRoutes } from '../src/admin/sandbox.ts'
import { CLOSING } from '../src/broker/closing.ts'
import { EXIT } from '../src/cli/exit.ts'
import { environmentName } from '../src/config/env.ts'
import { jsonSchema } from '../src/config/json-schema.ts'
import { reference } from '../src/config/reference.ts'
import { leaves, SHAPE, shapeAt } from '../src/config/shape.ts'
import { discovery } from '../src/downstream/discovery.ts'
import { forward } from '../src/downstream/forward.ts'
import { METRICS } from '../src/observe/metric.ts'
import { RETCODE } from '../src/onebot/retcode.ts'
import { EVENTS } from '../src/satori/events.ts'
import { METHODS } from '../src/satori/features.ts'
import { said, warnings, wrongBlock } from './docs-code.ts'
import { unlikePairs } from './docs-pairs.ts'
import { type Page, readPage, type Table } from './markdown.ts'
import { milkyPage } from './milky-page.ts'
import { archiveName, TARGETS } from './release/targets.ts'
import { vendored } from './vendor.ts'

const HOUSE = join(import.meta.dir, '..')
/** The folders that hold no page of ours. */
const NO_DOCS = new Set(['node_modules', 'dist', 'data', 'logs', 'config', '.git'])
/** The two commands that are all a newcomer needs. */
const FIRST_COMMANDS = ['./scripts/start', './scripts/test']

const GENERATED: Record<string, () => string> = {
  ...vendored,
  'docs/configuration.md': () => reference('en'),
  'docs/configuration.zh-CN.md': () => reference('zh'),
  'docs/milky.md': () => milkyPage('en'),
  'docs/milky.zh-CN.md': () => milkyPage('zh'),
  'docs/config.schema.json': () => inLine(JSON.stringify(jsonSchema(), null, 2)),
}

const VARIABLES = new Set([
  'PERPETUA_BIN',
  'PERPETUA_RUNTIME',
  'PERPETUA_UPSTREAM',
  ...[...leaves()].map(({ path }) => environmentName(path)),
])

/** Tables whose first column is what the log says. */
const LOG_HEADS = new Set(['the log says', '日志里写着'])

const packages = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]

/** By the heads of its tables, in each language: of each key what the config takes. */
const REFERENCE = new Map(
  (['en', 'zh'] as const).map((language) => {
    const { tables } = readPage(reference(language))
    const rows = tables.flatMap((table) => table.rows)
    const keys = rows.map(([key = '', ...said]) => [key, said.slice(0, 2).join(' | ')] as const)
    return [tables[0]?.head.join(), new Map(keys)]
  }),
)

/** Paths that addresses in the docs may have. */
const PLACES = places()

/** What each command says of itself; undefined: there is no such command. */
const helps = new Map<string, string | undefined>()

if (process.argv.includes('--write')) {
  for (const [file, text] of Object.entries(GENERATED)) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text())
  }
}

const files = pagesIn('.')
const pages = new Map(files.map((file) => [file, readPage(readFileSync(file, 'utf8'))]))
const problems = [
  ...stale(),
  ...[...pages].flatMap(([file, page]) => [
    ...deadLinks(file, page),
    ...wrongTables(file, page),
    ...wrongKeys(file, page),
    ...wrongCode(file, page),
  ]),
  ...unlikePairs(pages),
  ...missingCommands(),
  ...untold(),
]
for (const problem of problems) console.error(problem)
console.log(`${pages.size} pages, ${problems.length} problems`)
process.exit(problems.length === 0 ? 0 : 1)

function pagesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return NO_DOCS.has(entry.name) ? [] : pagesIn(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

function* stale(): Generator<string> {
  for (const [file, text] of Object.entries(GENERATED))
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text())
      yield `${file}: out of date: run bun scripts/check-docs.ts --write`
}

function* deadLinks(file: string, { links }: Page): Generator<string> {
  for (const { target, line } of links) {
    if (/^[a-z][a-z+.-]*:/i.test(target)) continue
    const [path = '', anchor] = decodeURI(target).split('#')
    const at = path === '' ? file : normalize(join(dirname(file), path))
    if (at.startsWith('..') || !existsSync(at)) yield `${file}:${line}: ${target} leads nowhere`
    else if (anchor !== undefined && anchor !== '' && statSync(at).isFile() && !pages.get(at)?.anchors.has(anchor))
      yield `${file}:${line}: ${target}: no such heading there`
  }
}

/** Tables are known by their first heading; each must hold exactly what the code's table holds. */
function* wrongTables(file: string, { tables }: Page): Generator<string> {
  const truth: Record<string, () => string[][]> = {
    retcode: () => Object.values(RETCODE).map(({ code, http }) => [`${code}`, `${http}`]),
    'close code': () => Object.values(CLOSING).map(({ code, text, retry }) => [`${code}`, text, retry ? 'yes' : 'no']),
    'exit code': () => Object.values(EXIT).map(({ code, means }) => [`${code}`, means]),
    action: () => ownNames().map((name) => [name]),
    path: () => routes().map((path) => [path]),
    关闭码: () => Object.values(CLOSING).map(({ code, text, retry }) => [`${code}`, text, retry ? '是' : '否']),
    退出码: () => Object.values(EXIT).map(({ code }) => [`${code}`]),
    动作: () => ownNames().map((name) => [name]),
    路径: () => routes().map((path) => [path]),
    method: () => Object.entries(METHODS).map(([name, { state, by }]) => [name, stateOf(state), by]),
    方法: () => Object.entries(METHODS).map(([name, { state }]) => [name, state === 'served' ? '是' : stateOf(state)]),
    'OneBot event': () => Object.entries(EVENTS).map(([name, { becomes }]) => [name, becomes]),
    'OneBot 事件': () => Object.entries(EVENTS).map(([name, { becomes }]) => [name, becomes]),
    package: () => packages.map((name) => [name]),
    metric: () => METRICS.map(({ name, type }) => [name, type]),
    指标: () => METRICS.map(({ name, type }) => [name, type]),
    source: folders,
    源码: folders,
    archive: () => TARGETS.map((target) => [archiveName(target)]),
    压缩包: () => TARGETS.map((target) => [archiveName(target)]),
    endpoint: endpoints,
    接口: endpoints,
  }
  for (const { head, rows, line } of tables.filter(({ head: [first = ''] }) => LOG_HEADS.has(first)))
    for (const [, words = ''] of rows.flatMap(([cell = '']) => [...cell.matchAll(/`([^`]+)`/g)]))
      if (words.includes(' ') && !said(words)) yield `${file}:${line}: ${head[0]} table: the log never says "${words}"`
  for (const table of tables) {
    const wanted = Object.hasOwn(truth, table.head[0] ?? '') ? truth[table.head[0] ?? '']?.() : undefined
    // Names that belong together may share a row.
    const rows =
      wanted?.[0]?.length === 1
        ? table.rows.flatMap(([names = '']) => names.split(', ').map((name) => [name]))
        : table.rows
    if (wanted !== undefined) yield* tableDifferences(`${file}:${table.line}`, { ...table, rows }, wanted)
  }
}

/** What a page says of a key is what the reference says: its default, and what it accepts. */
function* wrongKeys(file: string, { tables }: Page): Generator<string> {
  for (const { head, rows, line } of tables) {
    const known = REFERENCE.get(head.join())
    if (known === undefined) continue
    for (const [key = '', ...said] of rows) {
      const truth = known.get(key)
      if (truth === undefined) yield `${file}:${line}: ${key} is no key of the config`
      else if (truth !== said.slice(0, 2).join(' | '))
        yield `${file}:${line}: ${key}: the reference has "${truth}" as default and what it accepts`
    }
  }
}

/** What Satori's clients are answered. */
function stateOf(state: 'served' | 'lacking' | 'undone'): string {
  return { served: 'yes', lacking: '404', undone: '501' }[state]
}

function* tableDifferences(where: string, { head, rows }: Table, wanted: string[][]): Generator<string> {
  const width = wanted[0]?.length ?? 1
  const key = (row: readonly string[]) => row.slice(0, width).join(' | ').replaceAll('`', '')
  const found = new Set(rows.map(key))
  const known = new Set(wanted.map(key))
  for (const row of known) if (!found.has(row)) yield `${where}: ${head[0]} table: the code has "${row}"`
  for (const row of found) if (!known.has(row)) yield `${where}: ${head[0]} table: the code has no "${row}"`
}

/** The organs of the house. */
function folders(): string[][] {
  const entries = readdirSync(join(HOUSE, 'src'), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => [`src/${name}`])
}

/** The table of own actions answers for single names only: every word of its sources is asked for. */
function ownNames(): string[] {
  const folder = join(HOUSE, 'src/actions')
  const words = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').match(/[.\w]+/g) ?? [])
  const own = ownActions({} as never, {} as never) // nothing is called
  return [...new Set(words)].filter((word) => own(word) !== undefined)
}

/** Those of the doors, and those that the gateway itself adds. */
function routes(): string[] {
  const doors = [discovery({} as never), forward({} as never)] // nothing is called
  const paths = doors.flatMap((door) => door.routes.filter(({ method }) => method === 'GET').map(({ path }) => path))
  const app = readdirSync(join(HOUSE, 'src'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(HOUSE, 'src', file), 'utf8'))
    .join('\n')
  const more = [...app.matchAll(/\bapp\.get\('([^']+)'/g)].map(([, path = '']) => path)
  const actions = [...app.matchAll(/\bapp\.route\('(\/.+)'/g)].map(([, path]) => `${path}/{action}`)
  return [...new Set([...paths, ...more, ...actions, '/api/status', '/api/qrcode'])]
}

/** What the gateway has at its port, with its defaults. */
function places(): RegExp[] {
  const admin = endpoints().map(([name = '']) => name.replace(/^\w+ /, ''))
  return [...routes(), ...admin, '/milky/event', '/satori'].map(
    (path) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
  )
}

/** What the admin API has, as "GET /api/clients". */
function endpoints(): string[][] {
  const none = {} as never // nothing is called
  const routes = [
    clientRoutes,
    botRoutes,
    callRoutes,
    alertRoutes,
    configRoutes,
    liveRoutes,
    sandboxRoutes,
    healthRoutes,
  ].flatMap((of) => of(none))
  const own = described(routes, '').map(({ method, path }) => `${method.toUpperCase()} ${path}`)
  return [...own, 'GET /api/status', 'GET /api/qrcode'].map((name) => [name.replace(/:(\w+)/g, '{$1}')])
}

/** What stands as code must exist: config keys, environment variables, commands, scripts, whole configs. */
function* wrongCode(file: string, { spans, blocks }: Page): Generator<string> {
  for (const { text, line } of [...spans, ...blocks]) {
    const where = `${file}:${line}`
    for (const [command, name = '', rest = ''] of text.matchAll(/(?<![\w-])perpetua ([a-z]+)((?: +--?[a-z]+)*)/g))
      yield* wrongCommand(where, command, name, rest)
    for (const [, script = ''] of text.matchAll(/\bbun run ([\w:-]+)/g))
      if (!Object.hasOwn(manifest.scripts, script)) yield `${where}: package.json has no script ${script}`
    for (const [name] of text.matchAll(/\bPERPETUA_[A-Z_]+/g))
      if (!VARIABLES.has(name)) yield `${where}: ${name} names no key`
    for (const [, path = '/'] of text.matchAll(/\b(?:ws|http)s?:\/\/[\w.]+:8080(\/[^\s"'`,)?#]*)?/g))
      if (!PLACES.some((place) => place.test(path))) yield `${where}: nothing is served at ${path}`
  }
  for (const { text, line, language } of blocks) {
    for (const mistake of wrongBlock(language, text)) yield `${file}:${line}: ${mistake}`
    // Lines of the log are those that it has: fields may be others.
    for (const [, words = ''] of text.matchAll(/^(?:debug|info|warn|error) +(.+?) [\w-]+=/gm))
      if (!said(words)) yield `${file}:${line}: the log never says "${words}"`
  }
  for (const { text, line } of spans) {
    if (/^(?:perpetua \S+ \S|(?:npx )?bun (?:run |\w+\/)|\.\/\w+\/|(?:node|curl|docker build) )/.test(text))
      for (const mistake of wrongBlock('sh', text)) yield `${file}:${line}: ${mistake}`
    const ours = /^(?:src|test|scripts|docs)\/[\w./-]+$/.test(text)
    if (ours && !existsSync(text) && !existsSync(join(HOUSE, text))) yield `${file}:${line}: ${text} does not exist`
    const path = text.replace(/:.*$/s, '').replaceAll('[]', '').split('.')
    const known = Object.hasOwn(SHAPE.keys, path[0] ?? '') && path.every((key) => /^[a-z-]+$/.test(key))
    if (known && path.length > 1 && !knownKey(path)) yield `${file}:${line}: ${text} is no key of the config`
  }
}

function knownKey(path: string[]): boolean {
  // The keys of a list are those of its entries.
  const full: (string | number)[] = []
  for (const key of path) {
    if (shapeAt(full)?.type === 'list') full.push(0)
    full.push(key)
  }
  return shapeAt(full) !== undefined
}

function* wrongCommand(where: string, command: string, name: string, options: string): Generator<string> {
  const help = helpOf(name)
  if (help === undefined) yield `${where}: ${command}: no such command`
  else
    for (const option of options.trim().split(/ +/))
      if (option !== '' && !help.includes(option)) yield `${where}: ${command}: no option ${option}`
}

function helpOf(name: string): string | undefined {
  if (!helps.has(name)) {
    const run = Bun.spawnSync([process.execPath, join(HOUSE, 'src/main.ts'), name, '--help'])
    helps.set(name, run.exitCode === 0 ? run.stdout.toString() : undefined)
  }
  return helps.get(name)
}

function* untold(): Generator<string> {
  const texts = files.filter((file) => file.startsWith('docs/')).map((file) => readFileSync(file, 'utf8'))
  for (const words of warnings())
    if (!texts.some((text) => text.includes(words))) yield `docs/troubleshooting.md: the log may say "${words}"`
}

function* missingCommands(): Generator<string> {
  for (const file of ['README.md', 'README.zh-CN.md'])
    for (const command of FIRST_COMMANDS)
      if (!pages.get(file)?.blocks.some(({ text }) => text.split('\n').some((line) => line.trim().startsWith(command))))
        yield `${file}: wanted a code block with ${command}`
}

/** Short lists on one line, as the formatter has them. */
function inLine(json: string): string {
  return `${json.replace(/\[\n\s+([^[\]{}]*?)\n\s+\]/g, (_, items: string) => `[${items.replace(/\n\s+/g, ' ')}]`)}\n`
}
