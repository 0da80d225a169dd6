// What must hold before a change lands is checked by one command: it runs everything, counts, and says what failed.

import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Check, run } from '../../scripts/verify/check.ts'
import { runAll } from '../../scripts/verify/pool.ts'
import { folder } from '../support/folder.ts'
import { lacks, windows } from '../support/system.ts'

const BUN = process.execPath

/** A check that says this and ends so. */
const saying = (name: string, script: string, more: Partial<Check> = {}): Check => ({
  name,
  command: [BUN, '-e', script],
  ...more,
})

/** What becomes of a file of tests. */
async function tested(text: string) {
  await using place = await folder()
  await Bun.write(place.at('it.test.ts'), `import { expect, test } from 'bun:test'\n${text}`)
  return await run({ name: 'it', command: [BUN, 'test', place.at('it.test.ts')] })
}

test('[VFY1] checks are begun in their order, so many at a time; whatever fails, the others are run', async () => {
  const begun: string[] = []
  let [now, most] = [0, 0]
  const checks = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, command: [] }))
  const outcomes = await runAll(checks, {
    slots: 2,
    over: () => undefined,
    async run({ name }) {
      begun.push(name)
      most = Math.max(most, ++now)
      await new Promise((resolve) => setImmediate(resolve))
      now -= 1
      const failed = name === 'b' ? 1 : 0
      return { name, seconds: 0, passed: 1 - failed, failed, skipped: [], slow: [] }
    },
  })
  expect([begun, most]).toEqual([['a', 'b', 'c', 'd', 'e'], 2])
  expect(outcomes.map(({ name }) => name).toSorted()).toEqual(begun)
})

test('[VFY2] what needs another check waits for it; where that fails it is not run, and has failed', async () => {
  const told: string[] = []
  const checks = [
    saying('ship', '', { after: 'build' }),
    saying('fly', '', { after: 'break' }),
    saying('break', 'process.exit(3)'),
    saying('build', ''),
  ]
  const outcomes = await runAll(checks, { slots: 1, run, over: ({ name }) => told.push(name) })
  expect(told).toEqual(['break', 'build', 'ship', 'fly'])
  expect(outcomes.map(({ passed, failed }) => [passed, failed])).toEqual([
    [0, 1],
    [1, 0],
    [1, 0],
    [0, 1],
  ])
  expect(outcomes[0]?.trouble).toEndWith('exit code 3')
  expect(outcomes[3]?.trouble).toBe('not run: break did not succeed')
})

test('[VFY3] tests are counted as their runner counts them; those skipped, and those that took long, are named', async () => {
  expect(
    await tested(`
test('one', () => {})
test.each([1, 2])('each %i', async () => {})
test.skip('not here', () => {})
test('long', () => Bun.sleep(3_050))`),
  ).toMatchObject({
    ...{ passed: 4, failed: 0, skipped: ['not here'] },
    slow: [{ test: 'long', seconds: expect.closeTo(3.1, 0) }],
  })
})

test('[VFY3] a runner that dies, that has nothing to run, or that hangs, is one failure', async () => {
  const died = await tested(`test('one', () => process.exit(7))`)
  expect(died).toMatchObject({ failed: 1, trouble: expect.stringContaining('exit code 7') })
  expect(await tested('')).toMatchObject({ passed: 0, failed: 1 })
  const left = await tested(`test.skip('x', () => {})\ntest('one', () => {})\ntest('two', () => process.exit(0))`)
  expect(left).toMatchObject({ passed: 0, failed: 1, trouble: expect.stringContaining('exit code 0') })
  expect(await tested(`throw new Error('at the top')`)).toMatchObject({
    failed: 1,
    trouble: expect.stringContaining('error: at the top'),
  })
  const hung = await run(saying('hangs', 'console.log("so far"); setInterval(() => {}, 1_000)'), 1_000)
  expect(hung).toMatchObject({ failed: 1, trouble: expect.stringMatching(/^so far\nended by SIGKILL$/) })
})

test('[VFY4] of what failed all is kept but the tests that passed, and bounded', async () => {
  const {
    passed,
    failed,
    trouble = '',
  } = await tested(`
test('good', () => console.log('a clue'))
test('bad', () => expect(1).toBe(2))`)
  expect([passed, failed]).toEqual([1, 1])
  for (const part of ['a clue', 'error: expect(received).toBe(expected)', '(fail) bad']) expect(trouble).toContain(part)
  expect(trouble).not.toContain('(pass)')
  const talk = await run(saying('talks', 'for (let n = 1; n <= 5_000; n++) console.log("line " + n); process.exit(1)'))
  const lines = (talk.trouble ?? '').split('\n')
  expect(lines).toHaveLength(302)
  expect([lines[0], lines[200], lines[300]]).toEqual(['line 1', '... 4700 lines left out ...', 'line 5000'])
})

test('[VFY3] what tests write does not count, whatever it looks like', async () => {
  const loud = await tested(`
test('loud', () => {
  console.log(' 7 pass')
  console.error(' 5 fail\\nRan 9 tests across 1 file. [1ms]')
  process.stdout.write('no end of line')
})`)
  expect(loud).toMatchObject({ passed: 1, failed: 0 })
})

test.skipIf(lacks(windows, 'Windows has no groups of processes'))(
  '[VFY5] what a check has started ends with it',
  async () => {
    const gone = Promise.withResolvers<void>()
    using listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {}, close: () => gone.resolve() } })
    const child = `await Bun.connect({ hostname: '127.0.0.1', port: ${listener.port}, socket: { data() {} } }); console.log(1); setInterval(() => {}, 1_000)`
    const parent = `const child = Bun.spawn([process.execPath, '-e', ${JSON.stringify(child)}], { stdout: 'pipe' })
for await (const _ of child.stdout) process.exit(3)`
    expect((await run(saying('leaves', parent))).trouble).toEndWith('exit code 3')
    await gone.promise
  },
)

test('[VFY5] what cannot be started has failed, and the others are run', async () => {
  const checks = [{ name: 'nothing', command: ['./no-such-program'] }, saying('something', '')]
  const outcomes = await runAll(checks, { slots: 1, run, over: () => undefined })
  expect(outcomes.map(({ passed, failed }) => [passed, failed])).toEqual([
    [0, 1],
    [1, 0],
  ])
  expect(outcomes[0]?.trouble).toStartWith('not run: ')
})

test('[VFY8] what it does not know is refused: neither everything nor nothing is run', async () => {
  for (const words of [['nod'], ['node', 'deno']]) {
    const child = Bun.spawn([BUN, join(import.meta.dir, '../../scripts/verify.ts'), ...words], {
      cwd: join(import.meta.dir, '../..'),
      stdout: 'pipe',
    })
    expect(await new Response(child.stdout).text()).toBe(
      `verify.ts: found ${words.join(' ')}, wanted nothing (everything) or node; a file alone: bun test FILE\n\n0 passed, 1 failed\n`,
    )
    expect(await child.exited).toBe(1)
  }
})
