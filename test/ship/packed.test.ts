// The archive of this platform, as a user downloads it: unpacked into an empty folder, run, upgraded, rolled back. Built by
// `bun scripts/build.ts --pack`; runs where PERPETUA_BIN says that it was.

import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { archiveName, programName, type Target, thisTarget } from '../../scripts/release/targets.ts'
import { parseConfig } from '../../src/config/load.ts'
import { unpack } from '../../src/lib/unpack.ts'
import { Client } from '../support/client.ts'
import { type Folder, folder } from '../support/folder.ts'
import { groupMessage, Implementation } from '../support/implementation.ts'
import { program } from '../support/program.ts'
import { releaseHost, sha256 } from '../support/release-host.ts'
import { lacks, linux } from '../support/system.ts'

const RELEASE = join(import.meta.dir, '../../dist/release')
const target = thisTarget()
const archive = join(RELEASE, target === undefined ? '' : archiveName(target))
const built = process.env['PERPETUA_BIN'] !== undefined && target !== undefined && existsSync(archive)
if (!built) console.log('the packed program: not tried, PERPETUA_BIN does not say that it was built')

/** The program out of its archive. */
async function unpacked(home: Folder, name: Target): Promise<string> {
  await unpack(archive, home.at('unpacked'))
  return home.at('unpacked', `perpetua-${name}`, programName(name))
}

test.skipIf(!built)('[SHP6] the archive, unpacked into an empty folder, serves a client', async () => {
  await using home = await folder()
  await using bot = new Implementation()
  const file = await unpacked(home, target ?? 'linux-x64')
  await Bun.write(home.at('run', 'here'), '')
  const env = { PERPETUA_HTTP_PORT: '0', PERPETUA_NTQQ_IMPL_EXTERNAL_WEB_SOCKET: bot.url }
  await using running = program([], { cwd: home.at('run'), file, env })
  const [, address = ''] = await running.says(/started address=(\S+)/)
  await running.says(/bot online/)
  await using client = await Client.connect(`${address.replace('http', 'ws')}/onebot/v11/ws`)
  await client.next(({ self_client }) => self_client === true)
  bot.send(groupMessage('hello'))
  expect(await client.event('message')).toMatchObject({ raw_message: 'hello' })
  expect(await home.list('run', 'config')).toEqual(['config.schema.json', 'config.yml'])
})

test.skipIf(!built)(
  '[SHP6] licences, default config and its schema go along, and the sums are those of the files',
  async () => {
    await using home = await folder()
    const file = await unpacked(home, target ?? 'linux-x64')
    const top = join(file, '..')
    const text = await readFile(join(top, 'config.default.yml'), 'utf8')
    expect(parseConfig(text, { file: 'config.default.yml' }).notices).toEqual([])
    expect(JSON.parse(await readFile(join(top, 'config.schema.json'), 'utf8')).title).toBe('perpetua')
    expect(await readFile(join(top, 'LICENSE'), 'utf8')).toContain('AFFERO')
    expect(await readFile(join(top, 'THIRD-PARTY.txt'), 'utf8')).toContain('hono')
    const sums = (await readFile(join(RELEASE, 'SHA256SUMS'), 'utf8')).trim().split('\n')
    for (const line of sums) {
      const [sum, name = ''] = line.split('  ')
      expect(sha256(await readFile(join(RELEASE, name)))).toBe(sum ?? '')
    }
    for (const name of [
      archiveName(target ?? 'linux-x64'),
      'sbom.cdx.json',
      'config.schema.json',
      'install.sh',
      'install.ps1',
    ])
      expect(sums.some((line) => line.endsWith(`  ${name}`))).toBe(true)
  },
)

test.skipIf(!built)(
  '[INST4] [INST7] the program upgrades itself under a gateway that runs, and rolls back',
  async () => {
    await using home = await folder()
    const file = await unpacked(home, target ?? 'linux-x64')
    const bytes = await readFile(archive)
    const { stdout: version } = await program(['--version'], { cwd: home.path, file }).ended
    const tag = `v${version.split(' ')[0]}`
    await using host = await releaseHost({ file: archiveName(target ?? 'linux-x64'), bytes, tag })
    const upgrade = (...words: string[]) => program(['upgrade', ...words], { cwd: home.path, file }).ended

    const base = ['--base', host.url]
    expect(await upgrade(...base)).toMatchObject({ code: 0, stdout: expect.stringContaining('is the newest there is') })
    host.release.tag = 'v99.0.0'
    expect(await upgrade(...base, '--check')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('99.0.0 can be'),
    })
    const wrong = await upgrade(...base)
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('the release says v99.0.0, its program') })
    expect(await upgrade('--rollback')).toMatchObject({ code: 1, stderr: expect.stringContaining('no version before') })

    const env = { PERPETUA_HTTP_PORT: '0' }
    await Bun.write(home.at('run', 'here'), '')
    await using running = program([], { cwd: home.at('run'), file, env })
    const [, address = ''] = await running.says(/started address=(\S+)/)
    host.release.tag = tag
    const before = await stat(file)
    const done = await upgrade(...base, '--force')
    expect(done).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Upgraded from ${version.trim()} to ${version.trim()}`),
    })
    const after = await stat(file)
    expect(after.ino).not.toBe(before.ino)
    expect((await stat(`${file}.old`)).ino).toBe(before.ino)
    expect((await fetch(address)).status).toBe(200)
    expect(await upgrade('--rollback')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Back to ${version.trim()}.`),
    })
    expect((await stat(file)).ino).toBe(before.ino)
    expect((await program(['--version'], { cwd: home.path, file }).ended).stdout).toBe(version)
  },
)

test.skipIf(!built || lacks(!linux, 'only Linux has systemd'))(
  '[INST8] as a service, the program itself is what is started',
  async () => {
    await using home = await folder()
    const file = await unpacked(home, target ?? 'linux-x64')
    const { stdout } = await program(['service', 'install', '--print'], { cwd: home.path, file }).ended
    expect(stdout).toContain(`ExecStart=${file} start --config ${home.at('config', 'config.yml')}\n`)
  },
)
