// An implementation that perpetua runs itself: from an empty folder to an answered message, and through every trouble.

import { expect, test } from 'bun:test'
import { rm } from 'node:fs/promises'
import { lagrange } from '../../src/embedded/lagrange.ts'
import { thisMachine } from '../../src/embedded/machine.ts'
import { tarGz } from '../support/archive.ts'
import { Client } from '../support/client.ts'
import { type Folder, folder } from '../support/folder.ts'
import { ownPort } from '../support/port.ts'
import { type Program, program } from '../support/program.ts'
import { releaseHost } from '../support/release-host.ts'
import { type StandIn, scan, standIn, standInScript } from '../support/stand-in.ts'
import type { StandInFlags } from '../support/stand-in-program.ts'
import { lives } from '../support/system.ts'

const ADMIN = { Authorization: 'Bearer admin' }

interface House extends AsyncDisposable {
  readonly home: Folder
  readonly it: StandIn
  /** Starts perpetua there; resolves when clients may connect. */
  run(): Promise<Running>
}

interface Running {
  readonly running: Program
  readonly address: string
  readonly ws: string
  state(): Promise<{ state: string; pid?: number }>
  until(state: string): Promise<{ state: string; pid?: number }>
}

/** A user's folder with a stand-in where perpetua looks for Lagrange. */
async function house(flags: StandInFlags = {}, config = '', own = ''): Promise<House> {
  const home = await folder()
  const it = await standIn(home.at('config', 'Lagrange.OneBot', 'any', 'depth', 'Lagrange.OneBot'), flags)
  await Bun.write(
    home.at('config', 'config.yml'),
    `# my own notes\nntqq-impl: {mode: embedded${own}}\nhttp: {port: 0}\nadmin: {token: admin}\nlog: {colorful: false}\n${config}`,
  )
  const started: Program[] = []
  return {
    home,
    it,
    async run() {
      const running = program([], { cwd: home.path, as: 'perpetua' })
      started.push(running)
      const [, address = ''] = await running.says(/started address=(\S+)/)
      const state = async () => {
        const status = await fetch(`${address}/api/status`, { headers: ADMIN })
        return ((await status.json()) as { bots: [{ embedded: { state: string; pid?: number } }] }).bots[0].embedded
      }
      return {
        running,
        address,
        ws: address.replace('http', 'ws'),
        state,
        async until(wanted) {
          for (;;) {
            const now = await state()
            if (now.state === wanted) return now
            await Bun.sleep(20)
          }
        },
      }
    },
    async [Symbol.asyncDispose]() {
      for (const running of started) running.signal('SIGTERM')
      await Promise.all(started.map((running) => running.ended))
      await home[Symbol.asyncDispose]()
    },
  }
}

// They wait more than they work, each in a folder of its own: all but the one under load together.
test.concurrent('[EMB1] from a folder with a program to an answered message in one command', async () => {
  await using at = await house({ loginAfter: 0 })
  const { running, ws } = await at.run()
  await using client = await Client.connect(ws)
  expect(await client.event('meta_event.lifecycle')).toMatchObject({ sub_type: 'connect', self_id: expect.any(Number) })
  expect(await client.call('get_login_info')).toMatchObject({ status: 'ok' })
  expect(running.output).toContain('logged in')
  const settings = JSON.parse(await at.home.read('config', 'appsettings.json'))
  expect(settings.Implementations).toEqual([
    expect.objectContaining({
      Type: 'ForwardWebSocket',
      Host: '127.0.0.1',
      AccessToken: expect.stringMatching(/^.{16,}$/),
    }),
  ])
  expect(running.output).not.toContain(settings.Implementations[0].AccessToken)
  expect(await at.home.read('config', 'config.yml')).toStartWith('# my own notes\n')
})

test.concurrent('[EMB2] a login that is needed is shown: the code on the terminal, as a picture, and in the status', async () => {
  await using at = await house()
  const { running, address, until, ws } = await at.run()
  await until('waiting-for-login')
  await running.says(/[▄▀█]{10}/)
  const picture = await fetch(`${address}/api/qrcode`, { headers: ADMIN })
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/png'])
  expect(new Uint8Array(await picture.arrayBuffer()).slice(1, 4)).toEqual(new TextEncoder().encode('PNG'))
  expect((await fetch(`${address}/api/qrcode`)).status).toBe(401)
  await using client = await Client.connect(ws)
  await scan(at.home.at('config'))
  expect(await client.event('meta_event.lifecycle')).toBeDefined()
  await until('running')
  expect((await fetch(`${address}/api/qrcode`, { headers: ADMIN })).status).toBe(404)
})

test.concurrent('[EMB3] a program that dies again and again is given up with its last words; HTTP goes on', async () => {
  await using at = await house({ loginFails: true })
  const { running, address, until } = await at.run()
  await until('stopped')
  await running.says(/fails again and again/)
  expect(running.output).toContain('All login failed!')
  expect(await at.it.starts()).toHaveLength(5)
  expect(await at.it.twice()).toBe(false)
  expect((await fetch(address)).status).toBe(200)
  // Mended, it is started again by whoever asks.
  await at.it.set({ loginAfter: 0 })
  const restarted = await fetch(`${address}/onebot/v11/set_restart`, { method: 'POST' })
  expect(await restarted.json()).toMatchObject({ status: 'async', retcode: 1 })
  await until('running')
})

test.concurrent('[EMB8] perpetua lagrange restart asks the running gateway, and says so when there is none', async () => {
  const port = ownPort()
  await using at = await house({ loginAfter: 0 })
  await Bun.write(
    at.home.at('config', 'config.yml'),
    `ntqq-impl: {mode: embedded}\nhttp: {port: ${port}, access-token: secret}\nadmin: {token: admin}\n`,
  )
  const restart = () => program(['lagrange', 'restart'], { cwd: at.home.path, as: 'perpetua' }).ended
  expect(await restart()).toMatchObject({ code: 1, stderr: expect.stringContaining('No gateway answers') })
  const { until } = await at.run()
  const { pid = 0 } = await until('running')
  expect(await restart()).toMatchObject({ code: 0 })
  for (let now: number | undefined = pid; now === pid || now === undefined; ) now = (await until('running')).pid
  expect(await at.it.twice()).toBe(false)
})

test.concurrent('[EMB9] a token that the user wrote into its settings is asked of clients, too; one of our making is not', async () => {
  await using at = await house({ loginAfter: 0 })
  await Bun.write(
    at.home.at('config', 'appsettings.json'),
    JSON.stringify({
      Implementations: [{ Type: 'ForwardWebSocket', Host: '127.0.0.1', Port: ownPort(), AccessToken: 'theirs' }],
    }),
  )
  const { ws, until } = await at.run()
  await until('running')
  expect(String(await Client.connect(ws).catch((error: unknown) => error))).toContain('401')
  await using client = await Client.connect(ws, { headers: { Authorization: 'Bearer theirs' } })
  expect(await client.event('meta_event.lifecycle')).toBeDefined()
})

test.concurrent('[EMB10] without a program it is fetched, said step by step, noted in the config, and started', async () => {
  const asset = lagrange.asset(thisMachine())
  if (!('file' in asset)) throw new Error(`no release for this machine: ${asset.unsupported}`)
  const program = 'Lagrange.OneBot/bin/Release/net9.0/linux-x64/publish/Lagrange.OneBot'
  const bytes = tarGz([{ name: program, body: standInScript({ loginAfter: 0 }), mode: 0o644 }])
  await using host = await releaseHost({ file: asset.file, bytes })
  // At first there is no way to it.
  host.faults.push({ status: 404 })
  await using at = await house({}, '', `, embedded: lagrange-onebot, download: {base: "${host.url}"}`)
  await rm(at.home.at('config', 'Lagrange.OneBot'), { recursive: true })
  const { running, until, ws } = await at.run()
  await running.says(/own implementation cannot be started: trying again/)
  await running.says(/downloading http/)
  await running.says(/installed Lagrange\.OneBot/)
  await until('running')
  await using client = await Client.connect(ws)
  expect(await client.event('meta_event.lifecycle')).toBeDefined()
  const config = await at.home.read('config', 'config.yml')
  expect(config).toStartWith('# my own notes\n')
  expect(config).toContain(`id: ${host.release.id}`)
  expect(running.output).not.toContain('config applied')
})

test.concurrent('[EMB5] a killed gateway leaves its program; the next start ends that one and logs in as before', async () => {
  await using at = await house({ loginAfter: 0 })
  const first = await at.run()
  const { pid: orphan = 0 } = await first.until('running')
  first.running.signal('SIGKILL')
  await first.running.ended
  expect(lives(orphan)).toBe(true)
  await at.it.set({})
  const second = await at.run()
  // With its keystore, nobody has to scan.
  await second.until('running')
  expect(lives(orphan)).toBe(false)
  expect(await at.it.starts()).toHaveLength(2)
  expect(await at.it.twice()).toBe(false)
})

test.concurrent('[EMB6] at an orderly end the program ends, too, even one that ignores SIGTERM', async () => {
  for (const ignoresSigterm of [false, true]) {
    await using at = await house({ loginAfter: 0, ignoresSigterm })
    const { running, until } = await at.run()
    const { pid = 0 } = await until('running')
    running.signal('SIGTERM')
    expect((await running.ended).code).toBe(0)
    expect(lives(pid)).toBe(false)
  }
})

test.concurrent('[EMB7] a program that ends is started again, and clients go on', async () => {
  await using at = await house({ loginAfter: 0 })
  const { ws, until } = await at.run()
  const { pid = 0 } = await until('running')
  await using client = await Client.connect(ws)
  await client.event('notice.client_status')
  process.kill(pid, 'SIGKILL')
  for (let now: number | undefined = pid; now === pid || now === undefined; ) now = (await until('running')).pid
  expect(await client.call('get_login_info')).toMatchObject({ status: 'ok' })
})

test('[EMB4] set_restart under load: no client leaves, every call has one reply, one program at a time', async () => {
  await using at = await house({ loginAfter: 0 })
  const { ws, until } = await at.run()
  const { pid: before } = await until('running')
  const clients = await Promise.all(Array.from({ length: 50 }, () => Client.connect(ws)))
  await Promise.all(clients.map((client) => client.event('notice.client_status')))
  let sent = 0
  let over = false
  const replies = clients.map(async (client, who) => {
    for (let call = 0; !over; call++) {
      sent++
      await client.call(call % 2 ? 'get_status' : 'send_private_msg', { user_id: 1, message: 'x' }, `${who}-${call}`)
      await Bun.sleep(5)
    }
  })
  const askers = await Promise.all([1, 2].map(() => Client.connect(`${ws}/api`)))
  const asked = await Promise.all(askers.map((client) => client.call('set_restart')))
  expect(asked.map(({ retcode }) => retcode).sort()).toEqual([1, 1409])
  for (let pid = before; pid === before || pid === undefined; ) pid = (await until('running')).pid
  over = true
  await Promise.all(replies)
  const echoes = clients.flatMap(({ heard }) => heard.filter((raw) => /"echo":"\d+-\d+"/.test(raw)))
  expect(echoes).toHaveLength(sent)
  expect(await at.it.starts()).toHaveLength(2)
  expect(await at.it.twice()).toBe(false)
  for (const client of clients) expect(client.socket.readyState).toBe(WebSocket.OPEN)
  for (const client of [...clients, ...askers]) await client.close()
})
