// Requests that lead nowhere: they get the envelope that OneBot software reads, like every other refusal.

import { expect, test } from 'bun:test'
import { startGateway } from '../../src/app.ts'
import type { Status } from '../../src/broker/status.ts'
import { configOf } from '../../src/config/schema.ts'
import { openLog } from '../../src/observe/log.ts'
import { folder } from '../support/folder.ts'
import { gateway } from '../support/gateway.ts'
import { knock } from '../support/knock.ts'

const envelope = (retcode: number, said: string) => ({
  ...{ status: 'failed', retcode, data: null },
  ...{ msg: said, message: said, wording: said },
})

test('[LNK17] a path that leads nowhere is a 404 with the envelope', async () => {
  await using running = await gateway({ 'ntqq-impl': { mode: 'reverse' } })
  for (const path of ['/nowhere', '/api/nothing', '/onebot/v11', '/onebot/v11/a/b', '/onebot/v12/ws'])
    for (const upgrade of [false, true]) {
      const answer = await knock(running.address, path, {}, { upgrade })
      expect([answer.status, JSON.parse(answer.body)]).toEqual([404, envelope(1404, `there is nothing at ${path}`)])
    }
})

test('[LNK17] a fault of ours is a 500 with the envelope, and its trace is in the log only', async () => {
  await using home = await folder()
  const config = configOf({ http: { port: 0 }, admin: { token: 'a' }, log: { dir: home.at('logs') } })
  const log = openLog(config.log, { stdout: { write() {} }, stderr: { write() {} } })
  const facts: Status[] = []
  await using running = await startGateway({ config, log, report: (fact) => void facts.push(fact) })
  running.bots.choose = () => {
    throw new Error('a bug of ours')
  }
  const answer = await knock(running.address, '/api/get_online_clients')
  const said = 'internal error; the log of perpetua says more'
  expect([answer.status, JSON.parse(answer.body)]).toEqual([500, envelope(1503, said)])
  expect(facts).toContainEqual({
    ...{ kind: 'link-refused', peer: '127.0.0.1', path: '/api/get_online_clients' },
    ...{ status: 500, why: said },
  })
  await log.close()
  const [name = ''] = await home.list('logs')
  expect(await home.read('logs', name)).toMatch(/unexpected error .*error="a bug of ours" stack="Error: a bug of ours/)
})
