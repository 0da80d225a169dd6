// Fails when an import points the wrong way through the house or comes round to where it began, or when runtime globals
// leak out of runtime/.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { circlesOf } from './circles.ts'

const EDGES = [
  'actions',
  'governance',
  'storage',
  'upstream',
  'embedded',
  'milky',
  'downstream',
  'satori',
  'observe',
  'admin',
  'alerts',
]

/** Which folders of ours a folder may import, itself aside. `config` is for its types only, except where named. */
const ALLOWED: Record<string, string[]> = {
  lib: [],
  config: ['lib'],
  onebot: ['lib'],
  runtime: ['lib'],
  broker: ['onebot', 'lib'],
  simulator: ['onebot', 'lib', 'runtime'],
  ...Object.fromEntries(EDGES.map((edge) => [edge, ['broker', 'onebot', 'lib', 'runtime', 'config']])),
  cli: ['alerts', 'app', 'config', 'simulator', 'embedded', 'observe', 'runtime', 'storage', 'lib'],
  embed: [...EDGES, 'broker', 'onebot', 'lib', 'runtime', 'config'],
  operator: [...EDGES, 'broker', 'onebot', 'lib', 'runtime', 'config'],
  routes: [...EDGES, 'embed', 'operator', 'broker', 'onebot', 'lib', 'runtime', 'config'],
  'satori-plug': ['satori', 'downstream', 'broker', 'onebot', 'lib', 'runtime', 'config'],
  accounts: [...EDGES, 'embed', 'broker', 'onebot', 'lib', 'runtime', 'config'],
  app: [
    ...EDGES,
    'embed',
    'operator',
    'routes',
    'accounts',
    'satori-plug',
    'broker',
    'onebot',
    'lib',
    'runtime',
    'config',
  ],
  main: ['cli'],
}

interface Import {
  readonly file: string
  readonly line: number
  readonly text: string
  /** The file that it names. */
  readonly target: string
}

const problems: string[] = []
const files = ['src', 'page'].flatMap(sourcesIn)
for (const file of files) {
  const text = readFileSync(file, 'utf8')
  if (!text.startsWith('// ')) problems.push(`${file}: wanted a first line that says what the file owns`)
  if (text.split('\n').length > 400) problems.push(`${file}: more than 400 lines`)
  if (placeOf(file) !== 'runtime') checkGlobals(file, text)
  for (const one of importsOf(file)) (file.startsWith('page/') ? checkPage : checkImport)(one)
}
const all = [...files, ...['scripts', 'test'].flatMap(sourcesIn)]
const graph = new Map(all.map((file) => [file, importsOf(file).map(({ target }) => target)]))
for (const circle of circlesOf(graph))
  problems.push(`${circle.join(' -> ')}: a circle of imports: move what both need, or hand it in`)
for (const problem of problems) console.error(problem)
console.log(`${all.length} files, ${problems.length} problems`)
process.exit(problems.length === 0 ? 0 : 1)

function sourcesIn(folder: string): string[] {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  return found.filter((file) => /\.tsx?$/.test(file)).map((file) => join(folder, file))
}

/** Those of files of ours, of types as well. */
function importsOf(file: string): Import[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      const target = /(?:from |import |import\()'(\.{1,2}\/[^']+)'/.exec(text)?.[1]
      return target === undefined ? [] : { file, line: index + 1, text, target: join(file, '..', target) }
    })
}

function checkImport({ file, line, text, target }: Import): void {
  const [from, to] = [placeOf(file), placeOf(target)]
  if (target === 'package.json') return
  if (!target.startsWith('src/')) problems.push(`${file}:${line}: src must not import ${target}`)
  else if (to !== from && !(ALLOWED[from] ?? []).includes(to))
    problems.push(`${file}:${line}: ${from} must not import ${to}`)
  else if (EDGES.includes(from) && to === 'config' && !/^(?:import|export) type |\{ type /.test(text))
    problems.push(`${file}:${line}: ${from} may import types only from config`)
}

/** What runs in a browser: types of ours are all that it may know. */
function checkPage({ file, line, text, target }: Import): void {
  if (!target.startsWith('page/') && !text.startsWith('import type '))
    problems.push(`${file}:${line}: page may import types only from src`)
}

function checkGlobals(file: string, text: string): void {
  for (const [index, line] of text.split('\n').entries())
    if (/(?<![\w.'/])(?:Bun|Deno)\.\w/.test(line.replace(/\/\/.*|^\s*\/?\*.*/, '')))
      problems.push(`${file}:${index + 1}: Bun. and Deno. belong in runtime/`)
}

/** The folder right below src, or the file's own name there. */
function placeOf(file: string): string {
  const [, first = '', ...rest] = file.split('/')
  return rest.length === 0 ? first.replace(/\.tsx?$/, '') : first
}
