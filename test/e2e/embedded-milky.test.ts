// Lagrange.Milky run by perpetua itself: found, set up, logged in, talked to, and started again when QQ ends its session.

import { expect, test } from 'bun:test'
import { rm } from 'node:fs/promises'
import { Client } from '../support/client.ts'
import { folder } from '../support/folder.ts'
import { KICKED, milkyStandIn, STARTS } from '../support/milky-stand-in.ts'
import { program } from '../support/program.ts'
import { scan } from '../support/stand-in.ts'

const ADMIN = { Authorization: 'Bearer admin' }

test('[LGR22] from a program in its folder to an answered message, and back again when QQ ends the session', async () => {
  await using home = await folder()
  await milkyStandIn(home.at('config', 'Lagrange.Milky', 'any', 'depth', 'Lagrange.Milky'))
  await Bun.write(
    home.at('config', 'config.yml'),
    'ntqq-impl: {mode: embedded, account: 10001, sign-server-url: "https://sign.example.com/"}\n' +
      'http: {port: 0}\nadmin: {token: admin}\nlog: {colorful: false}\n',
  )
  await using running = program([], { cwd: home.path, as: 'perpetua' })
  const [, address = ''] = await running.says(/started address=(\S+)/)
  await running.says(/█▀▀▀▀▀█/)
  const picture = await fetch(`${address}/api/qrcode`, { headers: ADMIN })
  expect([picture.status, await picture.text()]).toEqual([200, 'a picture'])
  await scan(home.at('config'))
  await running.says(/bot online/)
  const status = (await (await fetch(`${address}/api/status`, { headers: ADMIN })).json()) as {
    bots: [{ self_id: string; embedded: { kind: string; state: string } }]
  }
  expect(status.bots[0]).toMatchObject({ self_id: '10001', embedded: { kind: 'Lagrange.Milky', state: 'running' } })

  await using client = await Client.connect(`${address.replace('http', 'ws')}/onebot/v11/ws`)
  await client.next(({ self_client }) => self_client === true)
  expect(await client.call('send_private_msg', { user_id: 20002, message: 'hi' })).toMatchObject({
    status: 'ok',
    data: { message_id: expect.any(Number) },
  })
  const starts = async () => (await Bun.file(home.at('config', STARTS)).text()).trim().split('\n').length
  expect(await starts()).toBe(1)
  await Bun.write(home.at('config', KICKED), '')
  expect(await client.event('notice.bot_offline')).toMatchObject({ message: 'kicked' })
  await rm(home.at('config', KICKED))
  while ((await starts()) < 2) await Bun.sleep(20)
  // Its login is kept: nobody scans again.
  await client.next(({ status: now }) => (now as { online?: boolean } | undefined)?.online === true)
  expect(await client.call('send_private_msg', { user_id: 20002, message: 'hi' })).toMatchObject({ status: 'ok' })
  // In order: a gateway that is killed leaves its program behind.
  running.signal('SIGTERM')
  await running.ended
})
