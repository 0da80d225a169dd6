// perpetua service: the file that it writes, and what the manager is told. A systemctl of ours stands in for the real one.

import { expect, test } from 'bun:test'
import { chmod } from 'node:fs/promises'
import { launchdJob, type Service, systemdUnit } from '../../src/cli/unit.ts'
import { type Folder, folder } from '../support/folder.ts'
import { program } from '../support/program.ts'
import { lacks, linux } from '../support/system.ts'

const VERIFY = Bun.which('systemd-analyze')
if (VERIFY === null) console.log('units: not verified, there is no systemd-analyze here')
const elsewhere = lacks(!linux, 'only Linux has systemd')

const SERVICE: Service = {
  command: ['/bin/sh', '/home/a b/100%/$x.ts', 'start', '--config', '/home/a b/"c".yml'],
  folder: '/tmp',
  system: false,
  user: 'daemon',
}

/** With a systemctl that notes what it is told, and fails when it is told to. */
async function machine() {
  const home = await folder()
  await Bun.write(
    home.at('bin', 'systemctl'),
    `#!/bin/sh\necho "$@" >> '${home.at('told')}'\n[ -z "$FAILS" ] || { echo "$FAILS" >&2; exit 1; }\n`,
  )
  await chmod(home.at('bin', 'systemctl'), 0o755)
  return home
}

const service = (home: Folder, words: string[], env: Record<string, string> = {}) =>
  program(['service', ...words], {
    cwd: home.path,
    env: { XDG_CONFIG_HOME: home.at('config home'), PATH: `${home.at('bin')}:/usr/bin:/bin`, ...env },
  }).ended

const unitOf = (home: Folder) => home.at('config home', 'systemd', 'user', 'perpetua.service')

async function verify(file: string): Promise<string> {
  const child = Bun.spawn([VERIFY ?? '', 'verify', file], { stdout: 'pipe', stderr: 'pipe' })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return `${await child.exited}${out}${err}`
}

test.skipIf(elsewhere)('[INST8] service install writes a unit, and has it started now and always', async () => {
  await using home = await machine()
  const { code, stdout } = await service(home, ['install'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('loginctl enable-linger') })
  const unit = await Bun.file(unitOf(home)).text()
  expect(unit).toContain(`start --config ${home.at('config', 'config.yml')}\n`)
  expect(unit).toContain(`WorkingDirectory=${home.path}\n`)
  expect(await home.read('told')).toBe('--user daemon-reload\n--user enable --now perpetua.service\n')
  expect((await service(home, ['status'])).code).toBe(0)

  const removed = await service(home, ['uninstall'])
  expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining('Config and data are as they were') })
  expect(await Bun.file(unitOf(home)).exists()).toBe(false)
  expect((await home.read('told')).trim().split('\n').slice(-2)).toEqual([
    '--user disable --now perpetua.service',
    '--user daemon-reload',
  ])
  expect(await service(home, ['uninstall'])).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing') })
  expect(await service(home, ['status'])).toMatchObject({ code: 1, stderr: expect.stringContaining('Not installed') })
})

test.skipIf(elsewhere)(
  '[INST8] what cannot be started is said, with what to do; a wrong config is refused before',
  async () => {
    await using home = await machine()
    const failed = await service(home, ['install'], { FAILS: 'no bus' })
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain('It was not started: systemctl --user daemon-reload: no bus')
    expect(failed.stderr).toContain('systemctl --user daemon-reload && systemctl --user enable --now perpetua.service')
    const absent = await service(home, ['install'], { PATH: home.at('nowhere') })
    expect(absent.stderr).toContain('systemctl: not found\nSystemd does not run this system')
    const lonely = await service(home, ['install'], { FAILS: 'Failed to connect to bus: No medium found' })
    expect(lonely.stderr).toContain('This user has no session of systemd')
    expect(lonely.stderr).toContain('loginctl enable-linger')
    const nobody = await service(home, ['install', '--system', '--user', 'no-such-user'])
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no no-such-user') })

    await using other = await machine()
    await Bun.write(other.at('config', 'config.yml'), 'http: {prot: 1}')
    expect(await service(other, ['install'])).toMatchObject({ code: 1, stderr: expect.stringContaining('http.prot') })
    expect(await other.list('config home')).toEqual([])
  },
)

test.skipIf(elsewhere)('[INST8] service install --print writes nothing', async () => {
  await using home = await machine()
  const { code, stdout } = await service(home, ['install', '--print', '--system', '--user', 'bot', '-c', 'my.yml'])
  expect(code).toBe(0)
  expect(stdout).toContain('User=bot\n')
  expect(stdout).toContain(`--config ${home.at('my.yml')}\n`)
  expect(stdout).toContain(`ReadWritePaths=${home.path}\n`)
  expect(await home.list()).toEqual(['bin'])
})

test.skipIf(VERIFY === null)(
  '[INST9] systemd accepts the units, of a user and of the machine, also with odd names',
  async () => {
    await using home = await folder()
    for (const system of [false, true])
      for (const command of [SERVICE.command, ['/bin/sh', 'start']]) {
        const file = home.at(String(system), 'perpetua.service')
        await Bun.write(file, systemdUnit({ ...SERVICE, command, system }))
        expect(await verify(file)).toBe('0')
      }
  },
)

test('[INST9] units keep the service from what it does not need, and let it stop in order', () => {
  const unit = systemdUnit(SERVICE)
  expect(unit).toContain('ExecStart=/bin/sh "/home/a b/100%%/$$x.ts" start --config "/home/a b/\\"c\\".yml"\n')
  for (const line of ['NoNewPrivileges=yes', 'SystemCallFilter=@system-service', 'UMask=0077', 'LimitNOFILE=65536'])
    expect(unit).toContain(`${line}\n`)
  // Of the file system's views, a user's manager cannot promise any.
  expect(unit).not.toContain('ProtectSystem')
  const whole = systemdUnit({ ...SERVICE, system: true })
  for (const line of ['ProtectSystem=strict', 'CapabilityBoundingSet=', 'PrivateTmp=yes', 'ReadWritePaths=/tmp'])
    expect(whole).toContain(`${line}\n`)
  expect(Number(/TimeoutStopSec=(\d+)/.exec(unit)?.[1])).toBeGreaterThan(10)
})

test('[INST9] the job for launchd is well-formed, with its words escaped', () => {
  const job = launchdJob({ ...SERVICE, command: ['/bin/sh', 'a & <b>'], system: true })
  expect(job).toContain('<string>a &amp; &lt;b&gt;</string>')
  expect(job).toContain('<key>UserName</key>\n  <string>daemon</string>')
  const open: string[] = []
  for (const [, end, name = '', alone] of job.replace(/^<\?.*\n<!.*\n/, '').matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g))
    if (end) expect(open.pop()).toBe(name)
    else if (!alone) open.push(name)
  expect(open).toEqual([])
})
