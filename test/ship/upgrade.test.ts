// perpetua upgrade: another version takes the place of the program, or nothing changes. A story with the real program is
// in packed.test.ts.

import { expect, test } from 'bun:test'
import { chmod, link, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { find, rollBack, type UpgradeOptions, upgrade } from '../../src/cli/upgrading.ts'
import { compareVersions } from '../../src/lib/newer.ts'
import { kept, replaceProgram, swapPrograms } from '../../src/lib/replace.ts'
import { type Folder, folder } from '../support/folder.ts'
import { program } from '../support/program.ts'
import type { ReleaseHost } from '../support/release-host.ts'
import { ARCHIVE, archiveOf, release, script, TARGET } from './release.ts'

async function installed(home: Folder, version = '0.1.0'): Promise<string> {
  const file = home.at('perpetua')
  await writeFile(file, script(version))
  await chmod(file, 0o755)
  return file
}

const options = (program: string, host: ReleaseHost, more: Partial<UpgradeOptions> = {}): UpgradeOptions => ({
  program,
  target: TARGET,
  repository: { owner: 'somebody', name: 'perpetua', tag: 'latest' },
  origin: { base: host.url, mirror: '' },
  patience: { pause: 1, tries: 2 },
  ...more,
})

/** Looks and upgrades, as the command does. */
async function go(options: UpgradeOptions): Promise<string> {
  return upgrade(options, await find(options))
}

test('[INST4] the newest release takes the place of the program in one step, and the one before is kept', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  const program = await installed(home)
  expect(await go(options(program, host))).toBe('0.2.0 (abcdef0)')
  expect(await home.read('perpetua')).toBe(script('0.2.0'))
  expect(await home.read('perpetua.old')).toBe(script('0.1.0'))
  expect((await stat(program)).mode & 0o777).toBe(0o755)
  expect(await home.list()).toEqual(['perpetua', 'perpetua.old'])
  expect(host.asked.map(({ path }) => path)).toEqual([
    '/repos/somebody/perpetua/releases/latest',
    `/somebody/perpetua/releases/download/v0.2.0/${ARCHIVE}`,
  ])
})

test('[INST4] a version that is named is fetched by its tag, and through a mirror', async () => {
  await using home = await folder()
  await using host = await release('0.1.5')
  const program = await installed(home)
  const repository = { owner: 'somebody', name: 'perpetua', tag: 'v0.1.5' }
  await go(options(program, host, { repository, origin: { base: host.url, mirror: `${host.url}/mirror/` } }))
  expect(await home.read('perpetua')).toBe(script('0.1.5'))
  expect(host.asked.map(({ path }) => path)).toEqual([
    '/repos/somebody/perpetua/releases/tags/v0.1.5',
    `/mirror/${host.url}/somebody/perpetua/releases/download/v0.1.5/${ARCHIVE}`,
  ])
})

test('[INST5] where the release host tells no sum, SHA256SUMS does, which is said; without one nothing is installed', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  host.metadata = { status: 403, headers: { 'x-ratelimit-remaining': '0' } }
  const program = await installed(home)
  const notices: string[] = []
  const notice = (text: string) => notices.push(text)
  await go(options(program, host, { notice }))
  expect(notices).toEqual([expect.stringContaining('not from the release host: asking it, its rate limit')])
  expect(await home.read('perpetua')).toBe(script('0.2.0'))

  host.others['SHA256SUMS'] = 'nothing of ours'
  await expect(go(options(program, host))).rejects.toThrow(`lists no ${ARCHIVE}: without a sum nothing is installed`)
  delete host.others['SHA256SUMS']
  await expect(go(options(program, host))).rejects.toThrow('not downloaded: the server answered 404')
})

test('[INST6] whatever goes wrong, the message says so and the program is the one before', async () => {
  const broken: [what: string, arrange: (host: ReleaseHost) => void, said: RegExp][] = [
    ['sum', (host) => (host.release.digest = `sha256:${'0'.repeat(64)}`), /SHA-256 is .*nothing was changed/],
    ['size', (host) => (host.release.size = 5), /bytes, wanted 5/],
    ['asset', (host) => (host.release.file = 'other.tar.gz'), /release v0\.2\.0 .* has no file perpetua-linux-x64/],
    [
      'cut',
      (host) => (host.faults = [{ cutAfter: 10 }, { cutAfter: 10 }, { cutAfter: 10 }]),
      /try again, which goes on/,
    ],
    ['refusal', (host) => (host.faults = [{ status: 403 }]), /answered 403.*--mirror/],
    ['no archive', (host) => (host.release.bytes = Buffer.from('<html>')), /not unpacked: neither/],
    [
      'no start',
      (host) => (host.release.bytes = archiveOf('', '#!/bin/sh\necho boom; exit 3\n')),
      /exit code 3\): boom/,
    ],
    ['no program', (host) => (host.release.bytes = archiveOf('', 'not a program')), /does not start here/],
    ['version', (host) => (host.release.bytes = archiveOf('0.9.9')), /release says v0\.2\.0, its program 0\.9\.9/],
  ]
  for (const [what, arrange, said] of broken) {
    await using home = await folder()
    await using host = await release('0.2.0')
    const program = await installed(home)
    arrange(host)
    const message = await go(options(program, host)).then(
      () => 'it went well',
      (error: Error) => error.message,
    )
    expect({ what, message }).toEqual({ what, message: expect.stringMatching(said) })
    expect(await home.read('perpetua')).toBe(script('0.1.0'))
    expect(await home.list()).not.toContain('perpetua.old')
    // A part of a download is kept for the next try, and nothing else.
    if (what === 'refusal') expect(await home.list()).toEqual(['perpetua'])
  }
})

test('[INST6] one that was stopped goes on next time, and two at a time do not disturb each other', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  const program = await installed(home)
  host.faults = [{ silentAfter: 8_000 }]
  const stopped = new AbortController()
  const some = Promise.withResolvers<void>()
  const progress = ({ received }: { received: number }) => received > 0 && some.resolve()
  const first = go(options(program, host, { signal: stopped.signal, progress }))
  await some.promise
  stopped.abort(new Error('stopped'))
  await expect(first).rejects.toThrow('stopped')
  expect(await home.read('perpetua')).toBe(script('0.1.0'))
  // Somebody else is at it.
  const lock = home.at('.perpetua-upgrade.lock')
  await writeFile(lock, JSON.stringify({ pid: process.ppid, host: 'here', since: '' }))
  await expect(go(options(program, host))).rejects.toThrow(`another upgrade is going on (process ${process.ppid})`)
  await rm(lock)
  await go(options(program, host))
  expect(Number(/^bytes=(\d+)-$/.exec(host.asked.at(-1)?.range ?? '')?.[1])).toBeGreaterThan(0)
  expect(await home.list()).toEqual(['perpetua', 'perpetua.old'])
})

test('[INST7] going back changes places with the one before, and once more returns', async () => {
  await using home = await folder()
  const program = await installed(home, '0.1.0')
  expect(swapPrograms(program)).toBe(false)
  await writeFile(home.at('next'), script('0.2.0'), { mode: 0o755 })
  replaceProgram(program, home.at('next'))
  const both = async () => [await home.read('perpetua'), await Bun.file(kept(program)).text()]
  expect(await both()).toEqual([script('0.2.0'), script('0.1.0')])
  expect(swapPrograms(program)).toBe(true)
  expect(await both()).toEqual([script('0.1.0'), script('0.2.0')])
  expect(swapPrograms(program)).toBe(true)
  expect(await both()).toEqual([script('0.2.0'), script('0.1.0')])
  expect(await home.list()).toEqual(['perpetua', 'perpetua.old'])
})

test('[INST7] the one before is tried first: what does not start is not gone back to', async () => {
  await using home = await folder()
  const program = await installed(home, '0.2.0')
  expect(await rollBack(program)).toBeUndefined()
  await writeFile(kept(program), '#!/bin/sh\necho gone; exit 5\n', { mode: 0o755 })
  await expect(rollBack(program)).rejects.toThrow('the one before does not start here (exit code 5): gone')
  expect(await home.read('perpetua')).toBe(script('0.2.0'))
  await writeFile(kept(program), script('0.1.0'))
  expect(await rollBack(program)).toBe('0.1.0 (abcdef0)')
  expect(await home.read('perpetua')).toBe(script('0.1.0'))
  expect(await home.list()).toEqual(['perpetua', 'perpetua.old'])
})

test('[INST12] killed while programs change places, the way back is still there', async () => {
  await using home = await folder()
  // An upgrade, before its last step: the one before is another name of the one in use.
  const program = await installed(home, '0.1.0')
  await link(program, kept(program))
  await writeFile(home.at('next'), script('0.2.0'), { mode: 0o755 })
  replaceProgram(program, home.at('next'))
  expect(await home.list()).toEqual(['perpetua', 'perpetua.old'])
  expect(await home.read('perpetua.old')).toBe(script('0.1.0'))
  // A rollback, before its last step: the one before has its place already, the other not yet.
  await rename(program, `${kept(program)}.new`)
  await rename(kept(program), program)
  expect(await rollBack(program)).toBe('0.2.0 (abcdef0)')
  expect(await home.list()).toEqual(['perpetua', 'perpetua.old'])
  // An upgrade that had not got far: there is nothing to go back to.
  await rm(kept(program))
  await link(program, `${kept(program)}.new`)
  expect(await rollBack(program)).toBeUndefined()
  expect(await home.read('perpetua')).toBe(script('0.2.0'))
})

test('[INST17] on Windows, one before that runs still is moved out of the way, and goes with the next', async () => {
  await using home = await folder()
  const program = await installed(home, '0.1.0')
  const next = async (version: string) => {
    await writeFile(home.at('next'), script(version), { mode: 0o755 })
    return home.at('next')
  }
  // As a program that runs is there, a folder that holds something can only be renamed.
  const runs = (file: string) => mkdir(`${file}/inside`, { recursive: true })
  const real = process.platform
  Object.defineProperty(process, 'platform', { value: 'win32' })
  try {
    await runs(kept(program))
    replaceProgram(program, await next('0.2.0'))
    expect([await home.read('perpetua'), await home.read('perpetua.old')]).toEqual([script('0.2.0'), script('0.1.0')])
    const [, , aside = ''] = await home.list()
    expect(aside).toMatch(/^perpetua\.old\.[0-9a-f-]{36}$/)

    // It has ended, and a rollback was killed on the way.
    await rm(home.at(aside), { recursive: true })
    await writeFile(home.at(aside), '')
    await runs(`${kept(program)}.new`)
    expect(swapPrograms(program)).toBe(true)
    expect([await home.read('perpetua'), await home.read('perpetua.old')]).toEqual([script('0.1.0'), script('0.2.0')])

    await rm(kept(program))
    await writeFile(kept(program), script('0.0.9'))
    replaceProgram(program, await next('0.3.0'))
    expect([await home.read('perpetua'), await home.read('perpetua.old')]).toEqual([script('0.3.0'), script('0.1.0')])
    expect(await home.list()).not.toContain(aside)
  } finally {
    Object.defineProperty(process, 'platform', { value: real })
  }
})

test('[INST12] nobody goes back while an upgrade is going on', async () => {
  await using home = await folder()
  const program = await installed(home)
  await writeFile(kept(program), script('0.0.9'), { mode: 0o755 })
  await writeFile(home.at('.perpetua-upgrade.lock'), JSON.stringify({ pid: process.ppid, host: 'here', since: '' }))
  await expect(rollBack(program)).rejects.toThrow(`another upgrade is going on (process ${process.ppid})`)
  expect(await home.read('perpetua')).toBe(script('0.1.0'))
})

test('[INST6] what came through whole and could not be unpacked need not come again', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  const program = await installed(home)
  await mkdir(home.at('.perpetua-upgrade'))
  await writeFile(home.at('.perpetua-upgrade', ARCHIVE), host.release.bytes)
  await go(options(program, host))
  expect(host.asked).toHaveLength(1)
  expect(await home.read('perpetua')).toBe(script('0.2.0'))
})

test('[INST13] where the release host cannot be asked, the list of parts says the version, also through a mirror', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  host.metadata = { status: 404 }
  host.others['sbom.cdx.json'] = '{"metadata": {"component": {"version": "0.2.0"}}}'
  const program = await installed(home)
  const origin = { base: host.url, mirror: `${host.url}/mirror` }
  const found = await find(options(program, host, { origin }))
  expect(found).toMatchObject({
    tag: 'v0.2.0',
    url: `${host.url}/mirror/${host.url}/somebody/perpetua/releases/download/v0.2.0/${ARCHIVE}`,
  })
  await go(options(program, host, { origin }))
  expect(await home.read('perpetua')).toBe(script('0.2.0'))
  for (const wrong of ['<html>', '{"metadata": {"component": {"version": "../up"}}}', 'null']) {
    host.others['sbom.cdx.json'] = wrong
    expect((await find(options(program, host))).tag).toBeUndefined()
  }
})

test('[INST4] newer is what has the greater number; what is on its way to a version comes before it', () => {
  const inOrder = ['0.1.0-rc.2', '0.1.0-rc.10', '0.1.0', '0.1.1', '0.2.0', '0.10.0', '1.0.0']
  for (const [i, a] of inOrder.entries())
    for (const [j, b] of inOrder.entries()) expect(Math.sign(compareVersions(`v${a}`, b))).toBe(Math.sign(i - j))
})

test('[INST4] run from source there is no program to replace, which is said', async () => {
  await using home = await folder()
  const { code, stderr } = await program(['upgrade'], { cwd: home.path }).ended
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('git pull, then ./scripts/setup') })
})
