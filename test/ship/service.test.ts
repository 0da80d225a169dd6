// perpetua service: the file that it writes, and what the manager is told. A systemctl of ours stands in for the real one.

import { expect, test } from 'bun:test'
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { isOurs, launchdJob, type Service, systemdUnit } from '../../src/cli/unit.ts'
import { type Folder, folder } from '../support/folder.ts'
import { program } from '../support/program.ts'
import { lacks, linux } from '../support/system.ts'

const VERIFY = Bun.which('systemd-analyze')
if (VERIFY === null) console.log('units: not verified, there is no systemd-analyze here')
const ROOT = join(import.meta.dir, '../..')
const elsewhere = lacks(!linux, 'only Linux has systemd')

const SERVICE: Service = {
  command: ['/bin/sh', '/home/a b/100%/$x.ts', 'start', '--config', '/home/a b/"c".yml'],
  folder: '/tmp',
  writes: [],
  system: false,
  user: 'daemon',
  lowPorts: false,
  unpacks: '',
  logs: true,
}

/**
 * With a systemctl that notes what it is told, fails when it is told to, and else starts what the unit says; a journalctl
 * shows what that has said.
 */
async function machine(config = 'http: {port: 0}') {
  const home = await folder()
  await Bun.write(home.at('config', 'config.yml'), config)
  const scripts = {
    systemctl: `echo "$@" >> '${home.at('told')}'
[ -z "$FAILS" ] || { echo "$FAILS" >&2; exit 1; }
ends() { [ ! -e pid ] || { kill -9 "$(cat pid)"; rm pid; } 2>/dev/null; }
cd '${home.path}'
case "$*" in
  *show*) { kill -0 "$(cat pid)" && cat pid; } 2>/dev/null || echo 0 ;;
  *disable*) ends ;;
  *restart*) ends; eval "exec $(sed -n 's/^ExecStart=//p' "$XDG_CONFIG_HOME/systemd/user/perpetua.service")" > said 2>&1 & echo $! > pid ;;
esac`,
    journalctl: `cat '${home.at('said')}'`,
  }
  for (const [name, script] of Object.entries(scripts)) {
    await Bun.write(home.at('bin', name), `#!/bin/sh\n${script}\n`)
    await chmod(home.at('bin', name), 0o755)
  }
  return {
    ...home,
    async [Symbol.asyncDispose]() {
      await service(home, ['uninstall'])
      await home[Symbol.asyncDispose]()
    },
  }
}

const service = (home: Pick<Folder, 'path' | 'at'>, words: string[], env: Record<string, string> = {}) =>
  program(['service', ...words], {
    cwd: home.path,
    env: { XDG_CONFIG_HOME: home.at('config home'), PATH: `${home.at('bin')}:/usr/bin:/bin`, ...env },
  }).ended

const unitOf = (home: Pick<Folder, 'at'>) => home.at('config home', 'systemd', 'user', 'perpetua.service')

async function verify(file: string): Promise<string> {
  const child = Bun.spawn([VERIFY ?? '', 'verify', file], { stdout: 'pipe', stderr: 'pipe' })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return `${await child.exited}${out}${err}`
}

test.skipIf(elsewhere)('[INST8] service install writes a unit, and has it started now and always', async () => {
  await using home = await machine()
  const { code, stdout } = await service(home, ['install'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('It runs. perpetua service status') })
  const unit = await Bun.file(unitOf(home)).text()
  expect(unit).toContain(`start --config ${home.at('config', 'config.yml')}\n`)
  expect(unit).toContain(`WorkingDirectory=${home.path}\n`)
  expect(await home.read('told')).toStartWith(
    '--user daemon-reload\n--user enable perpetua.service\n--user restart perpetua.service\n',
  )
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
    expect(failed.stderr).toContain(
      'systemctl --user enable perpetua.service && systemctl --user restart perpetua.service',
    )
    const absent = await service(home, ['install'], { PATH: home.at('nowhere') })
    expect(absent.stderr).toContain('systemctl: not found\nSystemd does not run this system')
    const lonely = await service(home, ['install'], { FAILS: 'Failed to connect to bus: No medium found' })
    expect(lonely.stderr).toContain('This user has no session of systemd')
    expect(lonely.stderr).toContain('loginctl enable-linger')
    const nobody = await service(home, ['install', '--system', '--user', 'no-such-user'])
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no no-such-user') })

    await using other = await machine('http: {prot: 1}')
    expect(await service(other, ['install'])).toMatchObject({ code: 1, stderr: expect.stringContaining('http.prot') })
    expect(await other.list('config home')).toEqual([])
  },
)

test.skipIf(elsewhere)('[INST8] one that ends at once is told, with its last words', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo // it listens on a port
  await using home = await machine(`http: {port: ${port}}`)
  const { code, stderr } = await service(home, ['install'])
  taken.close()
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^It was started, but it ended\.\nIts last words:\n/),
  })
  expect(stderr).toContain(`http.port: ${port} is in use on 127.0.0.1`)
  expect(stderr).toContain('the system tries again by itself')
})

test.skipIf(elsewhere)(
  '[INST10] installed again, it is started anew only where something changed; the unit before is kept',
  async () => {
    await using home = await machine()
    const told = async () => (await home.read('told')).split('\n').filter((line) => line.includes('restart')).length
    await service(home, ['install'])
    const first = await home.read('pid')
    expect(await service(home, ['install'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Nothing has changed'),
    })
    expect([await told(), await home.read('pid')]).toEqual([1, first])

    await Bun.write(unitOf(home), `${await Bun.file(unitOf(home)).text()}# by hand\n`)
    expect(await service(home, ['install'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is perpetua.service.old'),
    })
    expect(await told()).toBe(2)
    expect(await home.read('pid')).not.toBe(first)
    expect(await Bun.file(`${unitOf(home)}.old`).text()).toEndWith('# by hand\n')
    await service(home, ['uninstall'])
    expect(await home.list('config home', 'systemd', 'user')).toEqual([])
  },
)

test.skipIf(elsewhere)(
  '[INST10] the service of another folder and a gateway that runs by hand are left alone',
  async () => {
    await using home = await machine()
    await service(home, ['install'])
    await using other = await machine()
    const env = { XDG_CONFIG_HOME: home.at('config home') }
    const refused = await service(other, ['install'], env)
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`runs the gateway in ${home.path}. Give this one another name`),
    })
    expect(await service(other, ['install', '--name', 'no/name'], env)).toMatchObject({ code: 2 })
    expect((await service(other, ['install', '--print', '--name', 'second'], env)).code).toBe(0)

    await using running = program(['start'], { cwd: other.path })
    await running.says(/started/)
    expect(await service(other, ['install'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`already, process ${running.pid}: stop it first`),
    })
    expect(await Bun.file(unitOf(other)).exists()).toBe(false)
  },
)

test.skipIf(elsewhere)('[INST18] the service of another program is neither replaced nor removed', async () => {
  await using home = await machine()
  const unit = '[Service]\nExecStart=/usr/sbin/sshd -D\nWorkingDirectory=/gone\n'
  await Bun.write(unitOf(home), unit)
  for (const words of [['install'], ['uninstall']])
    expect(await service(home, words)).toMatchObject({
      code: 1,
      stderr: `${unitOf(home)} is of another program: give another name, --name NAME\n`,
    })
  expect(await Bun.file(unitOf(home)).text()).toBe(unit)
  expect(await home.list()).not.toContain('told')
  // Ours, of any version.
  expect(isOurs(systemdUnit(SERVICE))).toBe(true)
  expect(isOurs(launchdJob({ ...SERVICE, command: ['/bin/x', 'start', '--config', 'c'] }, 'second'))).toBe(true)
  await rm(unitOf(home))
})

test.skipIf(elsewhere)(
  '[INST11] the unit has what the config asks for, and not what only the environment says',
  async () => {
    const printed = async (config: string, env = {}) => {
      await using home = await machine(config)
      const { stdout, stderr } = await service(home, ['install', '--print', '--system', '--user', 'bot'], env)
      return { stderr, unit: stdout.replaceAll(home.path, 'HOME') }
    }
    const { unit: plain, stderr } = await printed('{}', { PERPETUA_HTTP_PORT: '80' })
    expect(stderr).toStartWith('Note: PERPETUA_HTTP_PORT of this environment will not be there')
    expect(plain).toContain('\nCapabilityBoundingSet=\n')
    expect(plain).toContain('\nReadWritePaths=HOME\n')
    expect(plain).toContain('\nPrivateTmp=yes\n')
    const { unit: asking } = await printed(
      '{http: {port: 80}, data-dir: /var/lib/my bot, log: {dir: ../logs}, ntqq-impl: {mode: embedded}}',
    )
    expect(asking).toContain('\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n')
    expect(asking).toMatch(/\nReadWritePaths=HOME "-\/var\/lib\/my bot" -\/\S+\/logs -\/tmp -\/var\/tmp\n/)
    expect(asking).toContain('\nEnvironment="DOTNET_BUNDLE_EXTRACT_BASE_DIR=/var/lib/my bot/dotnet"\n')
    expect(asking).not.toContain('PrivateTmp')
  },
)

test.skipIf(elsewhere)('[INST8] service install --print writes nothing', async () => {
  await using home = await machine()
  const { code, stdout } = await service(home, ['install', '--print', '--system', '--user', 'bot', '-c', 'my.yml'])
  expect(code).toBe(0)
  expect(stdout).toContain('User=bot\n')
  expect(stdout).toContain(`--config ${home.at('my.yml')}\n`)
  expect(stdout).toContain(`ReadWritePaths=${home.path}\n`)
  expect(await home.list()).toEqual(['bin', 'config'])
})

test.skipIf(elsewhere)(
  '[INST16] from source, the service starts the runtime with its options and the source',
  async () => {
    await using home = await machine()
    const main = join(ROOT, 'src/main.ts')
    const node = realpathSync(join(ROOT, 'node_modules/.bin/node'))
    for (const [file, ...words] of [
      [process.execPath, '--smol', main],
      [node, '--max-old-space-size=512', main],
    ] as const) {
      const print = [...words, 'service', 'install', '--print']
      const { stdout } = await program(print, { cwd: home.path, file }).ended
      expect(stdout).toContain(
        `ExecStart=${[file, ...words].join(' ')} start --config ${home.at('config/config.yml')}\n`,
      )
    }
  },
)

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
  // Behind the program a dollar sign begins a variable, in its own path and in those of folders it does not.
  expect(systemdUnit({ ...SERVICE, command: ['/a$b/sh'], folder: '/c$d', system: true })).toMatch(
    /^ExecStart=\/a\$b\/sh$.*^WorkingDirectory=\/c\$d$.*^ReadWritePaths=\/c\$d$/ms,
  )
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
  const job = launchdJob({ ...SERVICE, command: ['/bin/sh', 'a & <b>'], system: true }, 'perpetua')
  expect(job).toContain('<string>a &amp; &lt;b&gt;</string>')
  // What is said goes to the log's own files, which have an end.
  expect(job).not.toContain('StandardOutPath')
  expect(launchdJob({ ...SERVICE, logs: false }, 'perpetua')).toContain('StandardOutPath')
  expect(job).toContain('<key>UserName</key>\n  <string>daemon</string>')
  const open: string[] = []
  for (const [, end, name = '', alone] of job.replace(/^<\?.*\n<!.*\n/, '').matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g))
    if (end) expect(open.pop()).toBe(name)
    else if (!alone) open.push(name)
  expect(open).toEqual([])
})
