// Installing, updating and rolling back a program, from a release host and from archives.

import { expect, test } from 'bun:test'
import { existsSync, statSync } from 'node:fs'
import { InstallError } from '../../src/embedded/install-error.ts'
import { type InstallOptions, type InstallProgress, install, update } from '../../src/embedded/installer.ts'
import { lagrange } from '../../src/embedded/lagrange.ts'
import { allVersions, rollBack, versionsIn } from '../../src/embedded/versions.ts'
import { startOf } from '../../src/lib/process.ts'
import { type Item, tarGz, zip } from '../support/archive.ts'
import { type Folder, folder } from '../support/folder.ts'
import { type ReleaseHost, releaseHost, sha256 } from '../support/release-host.ts'

const LINUX = { os: 'linux', cpu: 'x64', musl: false }
const WINDOWS = { os: 'win32', cpu: 'x64', musl: false }
const FILE = 'Lagrange.OneBot_linux-x64_net9.0_SelfContained.tar.gz'
const DEEP = 'Lagrange.OneBot/bin/Release/net9.0/linux-x64/publish/'
const PLACE = '/LagrangeDev/Lagrange.Core/releases/download/nightly/'
const PATIENCE = { silence: 300, pause: 1, tries: 3 }

const program = (text: string): Item[] => [{ name: `${DEEP}Lagrange.OneBot`, body: text }]
const release = (text: string) => ({ file: FILE, bytes: tarGz(program(text)) })

function options(home: Folder, host: ReleaseHost, more: Partial<InstallOptions> = {}) {
  const source = { base: host.url, mirror: '' }
  return { kind: lagrange, folder: home.at('L'), machine: LINUX, source, patience: PATIENCE, ...more }
}
const renew = (home: Folder, host: ReleaseHost) =>
  update({ ...options(home, host), source: { base: host.url, mirror: '' } })
const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => error,
  )
const inUse = (home: Folder) => Bun.file(versionsIn(home.at('L')).current?.program ?? 'none').text()

test('[INS11] a release is downloaded, unpacked, made executable and in use', async () => {
  await using home = await folder()
  await using host = await releaseHost(release('one'))
  const steps: InstallProgress[] = []
  const { executable, version } = await install(options(home, host, { progress: (step) => steps.push(step) }))
  expect(executable).toBe(home.at('L', version.name, DEEP, 'Lagrange.OneBot'))
  expect(await Bun.file(executable).text()).toBe('one')
  expect(statSync(executable).mode & 0o111).toBe(0o111)
  const hash = sha256(host.release.bytes)
  expect(version).toMatchObject({
    id: 42,
    platform: 'linux-x64',
    updatedAt: '2025-09-12T08:30:00Z',
    name: `2025-09-12-${hash.slice(0, 8)}`,
  })
  expect(versionsIn(home.at('L'))).toEqual({ current: version, previous: undefined })
  expect(await home.list('L')).toEqual([version.name, 'versions.json'])
  expect(new Set(steps.map(({ step }) => step))).toEqual(new Set(['found', 'download', 'unpack']))
  expect(host.asked.map(({ path }) => path)).toEqual([
    '/repos/LagrangeDev/Lagrange.Core/releases/tags/nightly',
    PLACE + FILE,
  ])
})

test('[INS11] a mirror comes before the whole address of the file, and of the file only', async () => {
  await using home = await folder()
  await using host = await releaseHost(release('one'))
  await install(options(home, host, { source: { base: `${host.url}/`, mirror: `${host.url}/mirror/` } }))
  expect(host.asked.map(({ path }) => path)).toEqual([
    '/repos/LagrangeDev/Lagrange.Core/releases/tags/nightly',
    `/mirror/${host.url}${PLACE}${FILE}`,
  ])
})

test('[INS12] without metadata the file is fetched all the same, and its age is what the server says', async () => {
  for (const metadata of [
    { status: 403, headers: { 'x-ratelimit-remaining': '0' } },
    { status: 404 },
    { status: 200, body: '<html>' },
    { status: 200, body: '{"id": "x"}' },
  ]) {
    await using home = await folder()
    await using host = await releaseHost(release('one'))
    host.metadata = metadata
    const notices: string[] = []
    const progress = (step: InstallProgress) => step.step === 'notice' && notices.push(step.text)
    const { version } = await install(options(home, host, { progress }))
    expect(version).toMatchObject({ id: 0, updatedAt: '2025-09-12T08:30:00.000Z' })
    expect(notices).toEqual([expect.stringContaining('size and SHA-256 cannot be checked')])
    if (metadata.headers) expect(notices[0]).toContain('rate limit')
  }
})

test('[INS13] whatever goes wrong, the message says what to do and the version before stays in use', async () => {
  await using home = await folder()
  await using host = await releaseHost(release('one'))
  await install(options(home, host))
  const good = { ...host.release }
  const next = { ...good, bytes: tarGz(program('two')), etag: '"two"' }
  const evil = tarGz([{ name: '../escaped', body: 'x' }, ...program('evil')])
  const cases: [prepare: () => void, says: RegExp][] = [
    [() => host.faults.push({ status: 404 }), /404.*download\.base/],
    [() => host.faults.push({ status: 403 }), /403.*wait an hour.*download\.mirror.*ntqq-impl\.archive.*NapCat/],
    [() => host.faults.push({ status: 502 }, { status: 502 }, { status: 502 }), /502.*try again later/],
    [() => host.faults.push({ cutAfter: 0 }, { cutAfter: 0 }, { cutAfter: 0 }), /goes on from where it stopped/],
    [() => (host.release.size = 7), /wanted 7.*nothing was changed/],
    [() => (host.release.digest = `sha256:${'0'.repeat(64)}`), /SHA-256.*nothing was changed/],
    [() => (host.release.bytes = evil), /not unpacked.*"\.\.\/escaped".*NapCat/],
    [() => (host.release.bytes = tarGz([{ name: 'readme', body: 'x' }])), /no Lagrange\.OneBot in it/],
    [() => (host.release.bytes = Buffer.from('<html>')), /perhaps a page/],
    [() => (host.release.file = 'other'), /has no file Lagrange/],
  ]
  for (const [prepare, says] of cases) {
    host.release = { ...next }
    prepare()
    const error = await failure(install(options(home, host)))
    expect([says, error]).toEqual([says, expect.any(InstallError)])
    expect(String(error)).toMatch(says)
    host.faults = []
    expect(await inUse(home)).toBe('one')
    expect(existsSync(home.at('escaped'))).toBe(false)
  }
  const unsupported = await failure(install(options(home, host, { machine: { ...LINUX, musl: true } })))
  expect(String(unsupported)).toMatch(/musl.*NapCat/)
  host.release = next
  await install(options(home, host))
  expect(await inUse(home)).toBe('two')
})

test('[INS14] an update installs what is new and keeps the version before; a rollback changes places', async () => {
  await using home = await folder()
  await using host = await releaseHost(release('one'))
  expect((await renew(home, host)).outcome).toBe('installed')
  const asked = host.asked.length
  expect((await renew(home, host)).outcome).toBe('current')
  expect(host.asked).toHaveLength(asked + 1)
  for (const text of ['two', 'three']) {
    host.release = { ...host.release, bytes: release(text).bytes, etag: `"${text}"` }
    expect((await renew(home, host)).outcome).toBe('installed')
    expect(await inUse(home)).toBe(text)
  }
  expect(allVersions(home.at('L'))).toHaveLength(2)
  expect(await home.list('L')).toHaveLength(3)
  expect(rollBack(home.at('L'))).toBeDefined()
  expect(await inUse(home)).toBe('two')
  rollBack(home.at('L'))
  expect(await inUse(home)).toBe('three')

  host.release = { ...host.release, digest: null, updatedAt: '2025-10-01T00:00:00Z' }
  expect((await renew(home, host)).outcome).toBe('installed')
  expect((await renew(home, host)).outcome).toBe('current')
  host.metadata = { status: 403 }
  expect(await renew(home, host)).toMatchObject({ outcome: 'unknown', why: 'it answered 403' })
  // The same again replaces itself, and what is gone back to stays.
  rollBack(home.at('L'))
  expect(await inUse(home)).toBe('two')
})

test('[INS14] without a version before, there is nothing to go back to', async () => {
  await using home = await folder()
  expect(rollBack(home.at('L'))).toBeUndefined()
  await using host = await releaseHost(release('one'))
  await install(options(home, host))
  expect(rollBack(home.at('L'))).toBeUndefined()
  expect(await inUse(home)).toBe('one')
})

test('[INS15] an aborted installation leaves the version before, and the next one cleans up', async () => {
  await using home = await folder()
  await using host = await releaseHost(release('one'))
  await install(options(home, host))
  host.release = { ...host.release, bytes: release('two').bytes, etag: '"two"' }
  host.faults = [{ silentAfter: 10 }]
  const stop = new AbortController()
  const patience = { ...PATIENCE, silence: 60_000 }
  const work = failure(install(options(home, host, { signal: stop.signal, patience })))
  await host.silent
  stop.abort(new Error('enough'))
  expect(await work).toEqual(new Error('enough'))
  expect(await inUse(home)).toBe('one')
  // As a killed one would leave it.
  await Bun.write(home.at('L', '.new-left', 'Lagrange.OneBot'), 'half')
  await Bun.write(home.at('L', '.versions.json-left'), '{')
  await Bun.write(home.at('L', 'mine', 'Lagrange.OneBot'), 'by hand')
  const { version } = await install(options(home, host))
  expect(await inUse(home)).toBe('two')
  const all = await home.list('L')
  expect(all).toEqual([...allVersions(home.at('L')).map(({ name }) => name), 'mine', 'versions.json'].sort())
  expect(all).toContain(version.name)
})

test('[INS15] a version whose folder is gone counts as none', async () => {
  await using home = await folder()
  await using host = await releaseHost(release('one'))
  const { executable } = await install(options(home, host))
  await Bun.file(executable).delete()
  expect(versionsIn(home.at('L')).current).toBeUndefined()
  await Bun.write(home.at('L', 'versions.json'), '{"current": "../../etc"}')
  expect(versionsIn(home.at('L')).current).toBeUndefined()
  await install(options(home, host))
  expect(await inUse(home)).toBe('one')
})

test('[INS15] where nobody knows which version is in use, none is removed before there is a new one', async () => {
  await using home = await folder()
  await using host = await releaseHost(release('one'))
  const { executable } = await install(options(home, host))
  await Bun.write(home.at('L', 'versions.json'), '{"current": ')
  host.faults = [{ status: 404 }]
  expect(await failure(install(options(home, host)))).toBeInstanceOf(InstallError)
  expect(await Bun.file(executable).text()).toBe('one')
})

test('[INS16] an archive takes the place of a download', async () => {
  await using home = await folder()
  await using host = await releaseHost(release('unused'))
  for (const [name, bytes] of Object.entries({ 'a.tgz': tarGz(program('a')), 'b.zip': zip(program('b')) })) {
    await Bun.write(home.at(name), bytes)
    const { version } = await install(options(home, host, { source: { archive: home.at(name) } }))
    expect(version).toMatchObject({ from: name, id: 0, sha256: sha256(bytes) })
    expect(await inUse(home)).toBe(await Bun.file(version.program).text())
    expect(existsSync(home.at(name))).toBe(true)
  }
  expect(host.asked).toEqual([])
  const none = await failure(install(options(home, host, { source: { archive: home.at('none') } })))
  expect(none).toBeInstanceOf(InstallError)
  expect(await inUse(home)).toBe('b')
})

test('[INS17] on Windows it is an .exe out of a .zip', async () => {
  await using home = await folder()
  const file = 'Lagrange.OneBot_win-x64_net9.0_SelfContained.zip'
  const bytes = zip([{ name: 'Lagrange.OneBot\\bin\\Lagrange.OneBot.exe', body: 'win' }])
  await using host = await releaseHost({ file, bytes })
  const { version } = await install(options(home, host, { machine: WINDOWS }))
  expect(version).toMatchObject({ platform: 'win32-x64', executable: 'Lagrange.OneBot/bin/Lagrange.OneBot.exe' })
  expect(await inUse(home)).toBe('win')
})

test('[INS18] one installation at a time; one that was killed is no hindrance', async () => {
  await using home = await folder()
  await using host = await releaseHost(release('one'))
  const other = Bun.spawn(['sleep', '60'])
  const owner = { pid: other.pid, start: startOf(other.pid), host: 'h', since: 'now' }
  await Bun.write(home.at('L', '.installing'), JSON.stringify(owner))
  expect(String(await failure(install(options(home, host))))).toContain(`process ${other.pid}`)
  other.kill()
  await other.exited
  await install(options(home, host))
  expect(await inUse(home)).toBe('one')
})
