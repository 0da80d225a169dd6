// Fails when a rule of test/SPEC.md has no test or stands in the wrong section, or a test names a rule that is not there.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ID = /\[([A-Z]+\d+[a-z]?)\]/g

const rules = new Set<string>()
const problems: string[] = []
let section = 'no heading such as "### LNK: links"'
for (const line of readFileSync('test/SPEC.md', 'utf8').split('\n')) {
  section = /^### ([A-Z]+): \S/.exec(line)?.[1] ?? section
  const id = /^- \[([A-Z]+\d+[a-z]?)\]/.exec(line)?.[1]
  if (id === undefined) continue
  if (id.replace(/\d.*/, '') !== section) problems.push(`test/SPEC.md: [${id}] stands under ${section}`)
  if (rules.has(id)) problems.push(`test/SPEC.md: [${id}] twice`)
  rules.add(id)
}

const tested = new Set<string>()
for (const file of readdirSync('test', { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.ts')) continue
  const text = readFileSync(join('test', file), 'utf8')
  for (const [, id = ''] of text.matchAll(ID)) {
    tested.add(id)
    if (!rules.has(id)) problems.push(`test/${file}: [${id}] is no rule of test/SPEC.md`)
  }
  if (/\b(?:test|it|describe)\.(?:only|todo)\b/.test(text)) problems.push(`test/${file}: only and todo do not land`)
}
for (const id of rules) if (!tested.has(id)) problems.push(`test/SPEC.md: [${id}] has no test`)

for (const problem of new Set(problems)) console.error(problem)
console.log(`${rules.size} rules, ${problems.length} problems`)
process.exit(problems.length === 0 ? 0 : 1)
