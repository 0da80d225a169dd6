// scripts/install.sh and install.ps1, run against a release host of ours.

import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { chmod, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Folder, folder } from '../support/folder.ts'
import { type ReleaseHost, releaseHost, sha256 } from '../support/release-host.ts'
import { ARCHIVE, archiveOf, release, script, TARGET } from './release.ts'

const ROOT = join(import.meta.dir, '../..')

// Windows has no sh of its own.
const unix = test.skipIf(process.platform === 'win32')

interface Ran {
  code: number
  said: string
}

async function run(command: string[], env: Record<string, string> = {}): Promise<Ran> {
  const child = Bun.spawn(command, { env: { ...process.env, ...env }, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, said: out + err }
}

const install = (home: Folder, host: ReleaseHost, ...words: string[]) =>
  run([
    'sh',
    join(ROOT, 'scripts/install.sh'),
    '--dir',
    home.at('bin'),
    '--base',
    host.url,
    '--target',
    TARGET,
    ...words,
  ])

unix(
  '[INST1] install.sh brings the newest release, or the one that was named, into a folder, without root',
  async () => {
    await using home = await folder()
    await using host = await release('0.2.0')
    const { code, said } = await install(home, host)
    expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('Installed perpetua 0.2.0') })
    expect(said).toContain('is not in PATH')
    expect(await home.list('bin')).toEqual(['perpetua'])
    expect(await home.read('bin', 'perpetua')).toBe(script('0.2.0'))
    expect((await stat(home.at('bin', 'perpetua'))).mode & 0o111).toBe(0o111)
    expect(host.asked.map(({ path }) => path)).toContain(`/IUnlimit/perpetua/releases/latest/download/${ARCHIVE}`)

    await using other = await release('0.1.5')
    expect((await install(home, other, '--to', 'v0.1.5')).code).toBe(0)
    expect(other.asked.map(({ path }) => path)).toContain(`/IUnlimit/perpetua/releases/download/v0.1.5/${ARCHIVE}`)
    expect(await home.read('bin', 'perpetua')).toBe(script('0.1.5'))
    expect(await home.read('bin', 'perpetua.old')).toBe(script('0.2.0'))
  },
)

unix('[INST1] a mirror is put before the whole address', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  const words = ['--dir', home.at('bin'), '--mirror', `${host.url}/mirror/`, '--target', TARGET]
  expect((await run(['sh', join(ROOT, 'scripts/install.sh'), ...words])).code).toBe(0)
  expect(host.asked.at(-1)?.path).toBe(
    `/mirror/https://github.com/IUnlimit/perpetua/releases/latest/download/${ARCHIVE}`,
  )
})

unix('[INST2] what is not what SHA256SUMS says, or is not listed, is not installed; what was there stays', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  expect((await install(home, host)).code).toBe(0)
  const before = await home.read('bin', 'perpetua')
  host.release.bytes = archiveOf('0.3.0')
  const wrong = await install(home, host)
  expect(wrong.code).toBe(1)
  expect(wrong.said).toMatch(/is damaged, or another file: its SHA-256 is [0-9a-f]{64}, wanted [0-9a-f]{64}/)
  host.others['SHA256SUMS'] = `${sha256(host.release.bytes)}  another-${ARCHIVE}\n`
  expect((await install(home, host)).said).toContain(`does not list ${ARCHIVE}`)
  delete host.others['SHA256SUMS']
  expect((await install(home, host)).said).toContain('the list of checksums was not downloaded; nothing was changed')
  expect(await home.read('bin', 'perpetua')).toBe(before)
  expect(await home.list('bin')).toEqual(['perpetua'])
})

unix('[INST2] a download that breaks off changes nothing', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  expect((await install(home, host)).code).toBe(0)
  const next = archiveOf('0.3.0')
  host.release.bytes = next
  host.others['SHA256SUMS'] = `${sha256(next)}  ${ARCHIVE}\n`
  host.faults = Array.from({ length: 5 }, () => ({ cutAfter: 5_000 }))
  const { code, said } = await install(home, host)
  expect({ code, said }).toEqual({
    code: 1,
    said: expect.stringContaining('was not downloaded whole; nothing was changed'),
  })
  expect(await home.read('bin', 'perpetua')).toBe(script('0.2.0'))
  expect(await home.list('bin')).toEqual(['perpetua'])
  host.faults = []
  expect((await install(home, host)).said).toContain('Installed perpetua 0.3.0')
})

unix('[INST2] a program that does not start here is taken away again', async () => {
  await using home = await folder()
  await using host = await release('0.2.0', archiveOf('0.2.0', '#!/bin/sh\necho no such library >&2; exit 127\n'))
  const { code, said } = await install(home, host)
  expect({ code, said }).toEqual({ code: 1, said: expect.stringContaining('it does not start here: no such library') })
  expect(await home.list('bin')).toEqual([])
})

unix('[INST3] install.sh finds out which build runs here, and says what to do where there is none', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  await Bun.write(home.at('fake', 'uname'), '#!/bin/sh\n[ "$1" = -s ] && echo "$SYSTEM" || echo "$MACHINE"\n')
  await Bun.write(home.at('fake', 'sysctl'), '#!/bin/sh\necho "$TRANSLATED"\n')
  for (const name of ['uname', 'sysctl']) await chmod(home.at('fake', name), 0o755)
  const asks = async (SYSTEM: string, MACHINE: string, TRANSLATED = '0') => {
    host.asked.length = 0
    const words = ['sh', join(ROOT, 'scripts/install.sh'), '--dir', home.at('bin'), '--base', host.url]
    const env = { SYSTEM, MACHINE, TRANSLATED, PATH: `${home.at('fake')}:${process.env['PATH']}` }
    const { said } = await run(words, env)
    return /perpetua-([\w-]+)\.tar\.gz/.exec(host.asked.at(-1)?.path ?? '')?.[1] ?? said.trim()
  }
  expect(await asks('Darwin', 'x86_64')).toBe('darwin-x64')
  expect(await asks('Darwin', 'x86_64', '1')).toBe('darwin-arm64')
  expect(await asks('Darwin', 'arm64')).toBe('darwin-arm64')
  expect(await asks('Linux', 'x86_64')).toMatch(/^linux-x64(-baseline)?(-musl)?$/)
  expect(await asks('Linux', 'aarch64')).toMatch(/^linux-arm64(-musl)?$/)
  expect(await asks('Linux', 'riscv64')).toContain('there is no build for riscv64')
  expect(await asks('FreeBSD', 'amd64')).toContain('there is no build for FreeBSD')
  expect(await asks('MINGW64_NT-10.0', 'x86_64')).toContain('install.ps1')
})

unix('[INST3] options that it does not know are refused, and a value that is missing is asked for', async () => {
  const words = (...more: string[]) => run(['sh', join(ROOT, 'scripts/install.sh'), ...more])
  expect(await words('--nope')).toEqual({ code: 1, said: expect.stringContaining('unknown option --nope') })
  expect(await words('--dir')).toEqual({ code: 1, said: expect.stringContaining('--dir needs a value') })
  const help = await words('--help')
  for (const option of ['--dir', '--to', '--mirror', '--base', '--target']) expect(help.said).toContain(option)
})

const powershell = ['pwsh', 'powershell'].find((name) => Bun.which(name))
if (powershell === undefined) console.log('install.ps1: not run, there is no PowerShell here')

test.skipIf(process.platform !== 'win32' || !existsSync('dist/release'))(
  '[INST1] install.ps1 does the same on Windows',
  async () => {
    await using home = await folder()
    const file = 'perpetua-windows-x64.zip'
    const bytes = await readFile(join(ROOT, 'dist/release', file))
    await using host = await releaseHost({ file, bytes })
    const words = ['-ExecutionPolicy', 'Bypass', '-File', join(ROOT, 'scripts/install.ps1'), '-NoPath']
    const ps = () => run([powershell ?? 'powershell', ...words, '-Dir', home.at('bin'), '-Base', host.url])
    host.others['SHA256SUMS'] = `${'0'.repeat(64)}  ${file}\n`
    expect(await ps()).toEqual({ code: 1, said: expect.stringContaining('damaged, or another file') })
    host.others['SHA256SUMS'] = `${sha256(bytes)}  ${file}\n`
    expect(await ps()).toEqual({ code: 0, said: expect.stringContaining('Installed perpetua') })
    expect(await home.list('bin')).toEqual(['perpetua.exe'])
  },
)
