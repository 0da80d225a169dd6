// perpetua lagrange, as a program: what it says, what it leaves behind, and what it survives.

import { expect, test } from 'bun:test'
import { chmodSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { lagrange } from '../../src/embedded/lagrange.ts'
import { thisMachine } from '../../src/embedded/machine.ts'
import { versionsIn } from '../../src/embedded/versions.ts'
import { tarGz, zip } from '../support/archive.ts'
import { type Folder, folder } from '../support/folder.ts'
import { program } from '../support/program.ts'
import { type ReleaseHost, releaseHost } from '../support/release-host.ts'

const asset = lagrange.asset(thisMachine())
if ('unsupported' in asset) throw new Error(asset.unsupported)
const { file: FILE } = asset
const NAME = lagrange.executable(process.platform)
const pack = (text: string | Uint8Array) =>
  (FILE.endsWith('.zip') ? zip : tarGz)([{ name: `deep/${NAME}`, body: text }])

const host = (text: string | Uint8Array = 'one') => releaseHost({ file: FILE, bytes: pack(text) })
const configFor = ({ url }: ReleaseHost) =>
  `# mine\nntqq-impl:\n  download: {base: '${url}'}   # near\n  mode: embedded\n  embedded: lagrange-onebot\n`

async function home(host: ReleaseHost): Promise<Folder> {
  const made = await folder()
  await Bun.write(made.at('config', 'config.yml'), configFor(host))
  return made
}
const start = (at: Folder, words: string, options: { terminal?: boolean } = {}) =>
  program(['lagrange', ...words.split(' ')], { cwd: at.path, as: 'perpetua', ...options })
const run = (at: Folder, words: string) => start(at, words).ended
const inUse = (at: Folder) => versionsIn(at.at('config', 'Lagrange.OneBot')).current

test('[INS19] install, update, list, path and rollback do as they say, and note the version down', async () => {
  await using from = await host()
  await using at = await home(from)
  expect(await run(at, 'path')).toMatchObject({ code: 1, stderr: expect.stringContaining('perpetua lagrange install') })
  expect(await run(at, 'rollback')).toMatchObject({ code: 1, stderr: expect.stringContaining('no version before') })
  expect(await run(at, 'list')).toMatchObject({ code: 0, stdout: expect.stringContaining('No version') })

  const first = await run(at, 'install')
  expect(first).toMatchObject({ code: 0, stderr: '' })
  const one = inUse(at)
  expect(first.stdout).toContain(`Downloading ${from.url}/LagrangeDev/`)
  expect(first.stdout).toContain('100 %')
  expect(first.stdout).toContain(`Installed Lagrange.OneBot ${one?.name}`)
  expect(await at.read('config', 'config.yml')).toBe(
    `${configFor(from)}  update:\n    id: 42\n    platform: ${process.platform}-${process.arch}\n    updated-at: "2025-09-12T08:30:00Z"\n`,
  )
  const path = await run(at, 'path')
  expect(path).toMatchObject({ code: 0, stderr: '' })
  expect(await Bun.file(at.at(path.stdout.trim())).text()).toBe('one')

  expect((await run(at, 'install')).stdout).toContain('is installed already')
  expect((await run(at, 'update')).stdout).toContain('is the newest there is')
  from.release = { ...from.release, bytes: pack('two'), updatedAt: '2025-10-01T00:00:00Z', id: 43 }
  expect((await run(at, 'update')).stdout).toContain('rollback goes back')
  expect(await at.read('config', 'config.yml')).toContain('    id: 43\n')
  const list = (await run(at, 'list')).stdout.trim().split('\n')
  expect(list).toEqual([
    expect.stringMatching(/^2025-10-01-.* in use /),
    expect.stringMatching(/^2025-09-12-.* before /),
  ])

  const back = await run(at, 'rollback')
  expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining(`Back to Lagrange.OneBot ${one?.name}`) })
  expect(inUse(at)).toEqual(one)
  expect(await at.read('config', 'config.yml')).toContain('    id: 42\n')

  from.metadata = { status: 403 }
  expect(await run(at, 'update')).toMatchObject({ code: 1, stderr: expect.stringContaining('update --force') })
  expect(await run(at, 'update --force')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('cannot be checked'),
  })
})

test('[INS19] an archive, a config that cannot be written to, and none at all are fine', async () => {
  await using from = await host()
  await using at = await home(from)
  await Bun.write(at.at('my.archive'), pack('mine'))
  chmodSync(at.at('config', 'config.yml'), 0o444)
  const { code, stdout } = await run(at, 'install --archive my.archive')
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('was left as it is') })
  expect(await at.read('config', 'config.yml')).toBe(configFor(from))
  await using bare = await folder()
  // Its name tells which one it is of.
  await Bun.write(bare.at('Lagrange.OneBot_mine.archive'), pack('mine'))
  expect((await run(bare, 'install --archive Lagrange.OneBot_mine.archive')).code).toBe(0)
  expect(await bare.list('config')).toEqual(['Lagrange.OneBot'])
  expect(from.asked).toEqual([])
})

test('[INS13] a failure exits 1 and says what to do, without a trace of the program itself', async () => {
  await using from = await host()
  await using at = await home(from)
  from.faults = [{ status: 403 }]
  const { code, stderr } = await run(at, 'install')
  expect(code).toBe(1)
  expect(stderr).toMatch(/^Lagrange\.OneBot was not downloaded: the server answered 403.*ntqq-impl\.download\.mirror/)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect((await run(at, 'install --archive none')).stderr).toContain('none')
  await Bun.write(at.at('config', 'config.yml'), 'ntqq-impl: {download: {bas: x}}')
  expect(await run(at, 'list')).toMatchObject({ code: 1, stderr: expect.stringContaining('did you mean') })
})

test('[CLI1] lagrange refuses what it does not know', async () => {
  await using at = await folder()
  const cases = {
    '': 'needs to know what to do',
    instal: 'did you mean install',
    'list x': 'unexpected argument',
    '--x': 'needs',
  }
  for (const [words, says] of Object.entries(cases)) {
    const { code, stderr } = await program(['lagrange', ...words.split(' ').filter(Boolean)], { cwd: at.path }).ended
    expect([words, code, stderr]).toEqual([words, 2, expect.stringContaining(says)])
  }
  for (const words of ['--help', 'install --help']) expect((await run(at, words)).stdout).toContain('install')
})

/** Half of the file is there, and the rest does not come. */
async function halfway(at: Folder, from: ReleaseHost): Promise<void> {
  await from.silent
  const part = at.at('config', 'Lagrange.OneBot', `${FILE}.part`)
  while (((await stat(part).catch(() => undefined))?.size ?? 0) < 10_000) await Bun.sleep(5)
}

test('[INS15] kill -9 in the middle leaves the version before working, and the next one goes on from there', async () => {
  await using from = await host()
  await using at = await home(from)
  expect((await run(at, 'install')).code).toBe(0)
  const before = inUse(at)
  const big = crypto.getRandomValues(new Uint8Array(40_000))
  from.release = { ...from.release, bytes: pack(big), etag: '"two"', updatedAt: '2025-10-01T00:00:00Z' }
  from.faults = [{ silentAfter: 10_000 }]
  await using it = start(at, 'update')
  await halfway(at, from)
  it.signal('SIGKILL')
  await it.ended
  expect(inUse(at)).toEqual(before)
  expect((await run(at, 'path')).code).toBe(0)

  expect((await run(at, 'update')).code).toBe(0)
  expect(from.asked.at(-1)?.range).toBe('bytes=10000-')
  expect(await Bun.file(inUse(at)?.program ?? '').bytes()).toEqual(big)
  expect(await at.list('config', 'Lagrange.OneBot')).toHaveLength(3)
})

test('[INS21] Ctrl-C on a terminal ends it with exit 1, and what was downloaded is used next time', async () => {
  await using from = await host(crypto.getRandomValues(new Uint8Array(40_000)))
  await using at = await home(from)
  from.faults = [{ silentAfter: 10_000 }]
  await using it = start(at, 'install', { terminal: true })
  await it.says(/\[[#.]+\] +\d+ %/)
  await halfway(at, from)
  it.types('\u0003')
  const { code, stdout } = await it.ended
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/Stopped; nothing was changed/) })
  expect((await run(at, 'install')).code).toBe(0)
  expect(from.asked.at(-1)?.range).toBe('bytes=10000-')
})
