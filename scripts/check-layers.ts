// Fails when an import points the wrong way through the house, or when runtime globals leak out of runtime/.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

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

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const problems: string[] = []
for (const file of files) {
  const text = readFileSync(join('src', file), 'utf8')
  const from = placeOf(file)
  if (!text.startsWith('// ')) problems.push(`src/${file}: wanted a first line that says what the file owns`)
  if (text.split('\n').length > 400) problems.push(`src/${file}: more than 400 lines`)
  for (const [line, index] of text.split('\n').map((line, index) => [line, index] as const)) {
    const target = /(?:from |import\()'(\.{1,2}\/[^']+)'/.exec(line)?.[1]
    if (target !== undefined) checkImport(file, from, target, index + 1, line)
    if (from !== 'runtime' && /(?<![\w.'/])(?:Bun|Deno)\.\w/.test(line.replace(/\/\/.*|^\s*\/?\*.*/, '')))
      problems.push(`src/${file}:${index + 1}: Bun. and Deno. belong in runtime/`)
  }
}
// What runs in a browser: types of ours are all that it may know.
const pages = readdirSync('page').filter((file) => /\.tsx?$/.test(file))
for (const file of pages) {
  const text = readFileSync(join('page', file), 'utf8')
  if (!text.startsWith('// ')) problems.push(`page/${file}: wanted a first line that says what the file owns`)
  if (text.split('\n').length > 400) problems.push(`page/${file}: more than 400 lines`)
  for (const [index, line] of text.split('\n').entries())
    if (/(?:from |import\()'\.\.\//.test(line) && !line.startsWith('import type '))
      problems.push(`page/${file}:${index + 1}: page may import types only from src`)
}
for (const problem of problems) console.error(problem)
console.log(`${files.length + pages.length} files, ${problems.length} problems`)
process.exit(problems.length === 0 ? 0 : 1)

function checkImport(file: string, from: string, target: string, line: number, text: string): void {
  const to = placeOf(join(file, '..', target))
  if (to === from || to.startsWith('..')) return
  const edge = EDGES.includes(from)
  if (!(ALLOWED[from] ?? []).includes(to)) problems.push(`src/${file}:${line}: ${from} must not import ${to}`)
  else if (edge && to === 'config' && !/^(?:import|export) type |\{ type /.test(text))
    problems.push(`src/${file}:${line}: ${from} may import types only from config`)
}

/** The folder right below src, or the file's own name there. */
function placeOf(file: string): string {
  const [first = '', ...rest] = file.split('/')
  return rest.length === 0 ? first.replace(/\.ts$/, '') : first
}
