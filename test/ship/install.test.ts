// scripts/install.sh and install.ps1, run against a release host of ours.

import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, readFile, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Folder, folder } from '../support/folder.ts'
import { program } from '../support/program.ts'
import { type ReleaseHost, releaseHost, sha256 } from '../support/release-host.ts'
import { lacks, lives, windows } from '../support/system.ts'
import { ARCHIVE, archiveOf, release, script, TARGET } from './release.ts'

const ROOT = join(import.meta.dir, '../..')
const SCRIPT = join(ROOT, 'scripts/install.sh')

const unix = test.skipIf(lacks(windows, 'Windows has no sh of its own'))
/** Those that are somewhere called sh. */
const SHELLS = [['sh'], ['dash'], ['bash', '--posix'], ['busybox', 'ash']].filter(([name]) => Bun.which(name ?? ''))

interface Ran {
  code: number
  said: string
}

async function run(command: string[], env: Record<string, string> = {}, input = ''): Promise<Ran> {
  const stdin = Buffer.from(input)
  const child = Bun.spawn(command, { env: { ...process.env, ...env }, stdin, stdout: 'pipe', stderr: 'pipe' })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, said: out + err }
}

const install = (home: Folder, host: ReleaseHost, ...words: string[]) =>
  run(['sh', SCRIPT, '--dir', home.at('bin'), '--base', host.url, '--target', TARGET, ...words])

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
  expect((await run(['sh', SCRIPT, ...words])).code).toBe(0)
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
  await using host = await release(
    '0.2.0',
    archiveOf('0.2.0', '#!/bin/sh\necho no such library >&2; echo and more >&2; exit 127\n'),
  )
  const { code, said } = await install(home, host)
  expect({ code, said }).toEqual({
    code: 1,
    said: expect.stringContaining('it does not start here: no such library; perhaps --target'),
  })
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
    const words = ['sh', SCRIPT, '--dir', home.at('bin'), '--base', host.url]
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
  const words = (...more: string[]) => run(['sh', SCRIPT, ...more])
  expect(await words('--nope')).toEqual({ code: 1, said: expect.stringContaining('unknown option --nope') })
  expect(await words('--dir')).toEqual({ code: 1, said: expect.stringContaining('--dir needs a value') })
  const help = await words('--help')
  for (const option of ['--dir', '--to', '--mirror', '--base', '--target']) expect(help.said).toContain(option)
})

unix(
  '[INST14] a script that was cut runs nothing; piped into a shell it takes options and explains itself',
  async () => {
    await using home = await folder()
    await using host = await release('0.2.0')
    const text = await readFile(SCRIPT, 'utf8')
    const piped = (shell: string[], script: string, ...words: string[]) =>
      run([...shell, '-s', '--', ...words], { HOME: home.at('my home'), SHELL: '/bin/zsh' }, script)
    const words = ['--base', host.url, '--target', TARGET]
    const cuts = [...Array(60).keys()].map((n) => text.trimEnd().length - 1 - n)
    for (let at = 0; at < text.length - 60; at += 97) cuts.push(at)
    for (const at of cuts) await piped(['sh'], text.slice(0, at), ...words)
    expect(host.asked).toEqual([])
    expect(await home.list()).toEqual([])

    for (const shell of SHELLS) {
      expect((await piped(shell, text, '--help')).said).toContain('--mirror')
      const { code, said } = await piped(shell, text, ...words)
      const bin = home.at('my home', '.local', 'bin')
      expect({ shell, code, said }).toMatchObject({
        code: 0,
        said: expect.stringContaining('Installed perpetua 0.2.0'),
      })
      expect(said).toContain(`add it to ~/.zshrc for shells to come:\n  export PATH="${bin}:$PATH"\n`)
      expect(said).toContain(`"${bin}/perpetua" init`)
      expect(await home.list('my home', '.local', 'bin')).toContain('perpetua')
      await rm(home.at('my home'), { recursive: true })
    }
  },
)

unix('[INST14] curl or wget alone will do, in any shell', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  const tools = 'sh cat cp cut getconf grep gzip ln mkdir mktemp mv rm sed sha256sum shasum tar uname'.split(' ')
  for (const fetcher of ['curl', 'wget', 'none']) {
    if (lacks(fetcher !== 'none' && Bun.which(fetcher) === null, `there is no ${fetcher} here`)) continue
    for (const tool of [...tools, fetcher]) {
      const file = Bun.which(tool)
      await mkdir(home.at(fetcher), { recursive: true })
      if (file !== null) await symlink(file, home.at(fetcher, tool))
    }
    for (const shell of SHELLS) {
      const command = [Bun.which(shell[0] ?? '') ?? '', ...shell.slice(1), SCRIPT]
      const words = ['--dir', home.at('bin'), '--base', host.url, '--target', TARGET]
      const { code, said } = await run([...command, ...words], { PATH: home.at(fetcher) })
      const told = fetcher === 'none' ? 'curl or wget is needed' : 'Installed perpetua 0.2.0'
      expect({ shell, fetcher, code, said }).toMatchObject({
        code: fetcher === 'none' ? 1 : 0,
        said: expect.stringContaining(told),
      })
    }
  }
})

unix('[INST15] where it cannot be put is said before anything is downloaded', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  await Bun.write(home.at('file'), '')
  await mkdir(home.at('taken', 'perpetua'), { recursive: true })
  const to = (dir: string) => install(home, host, '--dir', dir)
  expect(await to(home.at('file', 'bin'))).toMatchObject({ code: 1, said: expect.stringContaining('cannot be made') })
  expect(await to(home.at('taken'))).toMatchObject({ code: 1, said: expect.stringContaining('perpetua is a folder') })
  const { code, said } = await run(['sh', SCRIPT, '--base', host.url, '--target', TARGET], { HOME: '' })
  expect({ code, said }).toEqual({ code: 1, said: expect.stringContaining('HOME is not set; name a folder') })
  expect(host.asked).toEqual([])
  expect(await home.list('taken')).toEqual(['perpetua'])
})

unix('[INST15] gateways may run from the program and from the one before: both are replaced, and go on', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  const sleep = Bun.which('sleep')
  if (sleep === null) throw new Error('there is a sleep on every such system')
  await using running = new AsyncDisposableStack()
  const pids: number[] = []
  for (const name of ['perpetua', 'perpetua.old']) {
    await mkdir(home.at('bin'), { recursive: true })
    await copyFile(sleep, home.at('bin', name))
    await chmod(home.at('bin', name), 0o755)
    pids.push(running.use(Bun.spawn([home.at('bin', name), '1000'])).pid)
  }
  const { code, said } = await install(home, host)
  expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('kept as perpetua.old') })
  expect(await home.list('bin')).toEqual(['perpetua', 'perpetua.old'])
  expect(await home.read('bin', 'perpetua')).toBe(script('0.2.0'))
  expect(pids.map(lives)).toEqual([true, true])
})

unix('[INST15] another program that comes first in PATH is told', async () => {
  await using home = await folder()
  await using host = await release('0.2.0')
  await Bun.write(home.at('first', 'perpetua'), script('0.1.0'))
  await chmod(home.at('first', 'perpetua'), 0o755)
  const PATH = `${home.at('first')}:${home.at('bin')}:${process.env['PATH']}`
  const words = ['--dir', `${home.at('bin')}/`, '--base', host.url, '--target', TARGET]
  const { said } = await run(['sh', SCRIPT, ...words], { PATH })
  expect(said).toContain(`But ${home.at('first', 'perpetua')} comes first in PATH`)
})

const shells = ['powershell', 'pwsh'].filter((name) => Bun.which(name))
if (shells.length === 0) console.log('install.ps1: not run, there is no PowerShell here')
const packed = existsSync(join(ROOT, 'dist/release/perpetua-windows-x64.zip'))

// Windows has the old one; whoever installed the new one uses that.
test.skipIf(!windows || lacks(!packed, 'there is no archive for Windows')).each(shells)(
  '[INST1] install.ps1 does the same in %s',
  async (powershell) => {
    await using home = await folder()
    const file = 'perpetua-windows-x64.zip'
    const bytes = await readFile(join(ROOT, 'dist/release', file))
    await using host = await releaseHost({ file, bytes })
    const words = ['-ExecutionPolicy', 'Bypass', '-File', join(ROOT, 'scripts/install.ps1'), '-NoPath']
    const ps = () => run([powershell, ...words, '-Dir', home.at('bin'), '-Base', host.url])
    host.others['SHA256SUMS'] = `${'0'.repeat(64)}  ${file}\n`
    expect(await ps()).toEqual({ code: 1, said: expect.stringContaining('damaged, or another file') })
    host.others['SHA256SUMS'] = `${sha256(bytes)}  ${file}\n`
    expect(await ps()).toEqual({ code: 0, said: expect.stringContaining('Installed perpetua') })
    expect(await home.list('bin')).toEqual(['perpetua.exe'])
    // Over one that runs, twice: the one before is running then, too.
    await using one = program([], {
      cwd: home.path,
      file: home.at('bin', 'perpetua.exe'),
      env: { PERPETUA_HTTP_PORT: '0' },
    })
    await one.says(/started/)
    expect(await ps()).toEqual({ code: 0, said: expect.stringContaining('Installed perpetua') })
    expect(await ps()).toEqual({ code: 0, said: expect.stringContaining('Installed perpetua') })
    expect(lives(one.pid)).toBe(true)
  },
)
