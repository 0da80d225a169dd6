// Which files may import which: what the guard refuses, and in which words.

import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { folder } from '../support/folder.ts'

const GUARD = join(import.meta.dir, '../../scripts/check-layers.ts')

/** What the guard says of a house with these files, line by line; each file opens as files do. */
async function said(files: Record<string, string>): Promise<readonly string[]> {
  await using house = await folder()
  const whole = { 'page/main.tsx': '', 'scripts/it.ts': '', 'test/it.ts': '', ...files }
  for (const [file, text] of Object.entries(whole)) await Bun.write(house.at(file), `// It is there.\n${text}`)
  const run = Bun.spawnSync([process.execPath, GUARD], { cwd: house.path })
  const problems = run.stderr.toString().split('\n').filter(Boolean)
  expect(run.exitCode).toBe(problems.length === 0 ? 0 : 1)
  return problems
}

test('[VFY6] an import that points the wrong way through the house is refused', async () => {
  const files = {
    'src/lib/clock.ts': '',
    'src/broker/bot.ts': "import { now } from '../lib/clock.ts'",
    'src/downstream/link.ts': "import {\n  type Bot,\n} from '../broker/bot.ts'",
  }
  expect(await said(files)).toEqual([])
  expect(
    await said({
      ...files,
      'src/lib/clock.ts': "import type { Bot } from '../broker/bot.ts'",
      'src/upstream/dial.ts': "export { link } from '../downstream/link.ts'",
      'src/broker/own.ts': "const { it } = await import('../../test/it.ts')",
      'page/main.tsx': "import { now } from '../src/lib/clock.ts'",
    }),
  ).toEqual(
    expect.arrayContaining([
      'src/lib/clock.ts:2: lib must not import broker',
      'src/upstream/dial.ts:2: upstream must not import downstream',
      'src/broker/own.ts:2: src must not import test/it.ts',
      'page/main.tsx:2: page may import types only from src',
    ]),
  )
})

test('[VFY7] files that import each other are refused, by way of others too, and for a type too', async () => {
  const circles = await said({
    'src/broker/a.ts': "import { b } from './b.ts'\nimport { c } from './c.ts'",
    'src/broker/b.ts': "import type { C } from './c.ts'",
    'src/broker/c.ts': "import {\n  a,\n} from './a.ts'",
    'src/broker/d.ts': "import { a } from './a.ts'",
    'page/main.tsx': "import { Part } from './part.tsx'",
    'page/part.tsx': "export * from './main.tsx'",
    'test/it.ts': "import './it.ts'",
  })
  expect(circles.toSorted()).toEqual(
    [
      'page/main.tsx -> page/part.tsx -> page/main.tsx',
      'src/broker/a.ts -> src/broker/b.ts -> src/broker/c.ts -> src/broker/a.ts',
      'test/it.ts -> test/it.ts',
    ].map((circle) => `${circle}: a circle of imports: move what both need, or hand it in`),
  )
})
