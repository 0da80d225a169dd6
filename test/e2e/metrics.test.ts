// The numbers for Prometheus, and the health checks.

import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { METRICS } from '../../src/observe/metric.ts'
import { operator } from '../support/admin.ts'
import { groupMessage, ok } from '../support/implementation.ts'
import { testbed } from '../support/testbed.ts'
import { milky } from '../support/upstream.ts'

const HOUSE = join(import.meta.dir, '../..')
const promtool = Bun.which('promtool') ?? undefined

/** Values by name and labels: `perpetua_events_total{bot="10001",post_type="message"}`. */
const read = (text: string) =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line): [string, number] => [
        line.slice(0, line.lastIndexOf(' ')),
        Number(line.slice(line.lastIndexOf(' '))),
      ]),
  )

async function busy() {
  const bed = await testbed({
    bot: {
      answer: (frame) =>
        frame.action === 'set_x' ? `{"status":"failed","retcode":100,"echo":${JSON.stringify(frame.echo)}}` : ok(frame),
    },
  })
  const alice = await bed.client('/?client_name=alice')
  bed.bot.send(groupMessage('x'))
  await alice.event('message')
  await alice.call('get_status')
  await alice.call('set_x')
  return bed
}

test('[MET1] a scrape tells events, deliveries, clients, actions and their time, by bot', async () => {
  await using bed = await busy()
  const answer = await operator(bed.gateway.address).get('/metrics')
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const values = read(await answer.text())
  const bot = 'bot="10001"'
  expect(values.get(`perpetua_bot_online{${bot}}`)).toBe(1)
  expect(values.get(`perpetua_events_total{${bot},post_type="message"}`)).toBe(1)
  expect(values.get(`perpetua_deliveries_total{${bot}}`)).toBe(2)
  expect(values.get(`perpetua_delivered_bytes_total{${bot}}`)).toBeGreaterThan(200)
  expect(values.get(`perpetua_sessions{${bot},transport="forward",state="live"}`)).toBe(1)
  expect(values.get(`perpetua_lanes{${bot}}`)).toBe(1)
  expect(values.get('perpetua_links')).toBe(1)
  expect(values.get(`perpetua_journal_entries{${bot}}`)).toBe(3)
  expect(values.get(`perpetua_actions_total{${bot},action="get_status",retcode="0"}`)).toBe(1)
  expect(values.get(`perpetua_actions_total{${bot},action="set_x",retcode="${milky ? 1404 : 100}"}`)).toBe(1)
  expect(values.get(`perpetua_action_seconds_count{${bot},action="get_status"}`)).toBe(1)
  expect(values.get(`perpetua_action_seconds_bucket{${bot},action="get_status",le="+Inf"}`)).toBe(1)
  expect(values.get(`perpetua_breaker_state{${bot},class="send"}`)).toBe(0)
  expect(values.get(`perpetua_upstream_connects_total{${bot}}`)).toBe(1)
  expect(values.get('perpetua_resident_memory_bytes')).toBeGreaterThan(2 ** 20)
})

test('[MET2] metrics want the admin token unless metrics.open says otherwise, from one moment to the next', async () => {
  await using bed = await testbed()
  const anybody = async () => (await fetch(`${bed.gateway.address}/metrics`)).status
  expect(await anybody()).toBe(401)
  await bed.gateway.apply({ 'ntqq-impl': bed.bot.own, metrics: { open: true } })
  expect(await anybody()).toBe(200)
  expect((await fetch(`${bed.gateway.address}/api/clients`)).status).toBe(401)
})

test('[MET3] the process says that it runs, and whether a bot is online, to anybody', async () => {
  await using bed = await testbed()
  const ask = async (path: string) => {
    const answer = await fetch(`${bed.gateway.address}${path}`)
    return [answer.status, await answer.json()]
  }
  expect(await ask('/healthz')).toEqual([200, { status: 'ok', service: 'perpetua' }])
  expect(await ask('/readyz')).toEqual([200, { status: 'ok', bots: 1, online: 1 }])
  await bed.bot.stop()
  await bed.gateway.until(({ bots }) => bots[0]?.online === false)
  expect(await ask('/readyz')).toEqual([503, { status: 'waiting', bots: 1, online: 0 }])
  expect(await ask('/healthz')).toEqual([200, { status: 'ok', service: 'perpetua' }])
})

test('[MET4] every metric has a type, a meaning and its labels, and no value is missing where there is one to tell', async () => {
  await using bed = await busy()
  const text = await (await operator(bed.gateway.address).get('/metrics')).text()
  for (const { name, type, en, labels } of METRICS) {
    expect(text).toContain(`# TYPE ${name} ${type}\n`)
    expect(text).toContain(`# HELP ${name} ${en}\n`)
    for (const line of text.split('\n').filter((one) => one.startsWith(`${name}{`)))
      expect([...line.matchAll(/(\w+)="/g)].map(([, label]) => label)).toEqual([...labels])
  }
  expect([...read(text).values()].every(Number.isFinite)).toBe(true)
})

test.skipIf(promtool === undefined)(
  '[MET5] promtool finds nothing wrong with a scrape and with the alert rules',
  async () => {
    await using bed = await busy()
    const text = await (await operator(bed.gateway.address).get('/metrics')).text()
    const run = (words: string[], input = '') => {
      const { exitCode, stdout, stderr } = Bun.spawnSync([promtool ?? '', ...words], { stdin: Buffer.from(input) })
      return { exitCode, said: `${stdout}${stderr}`.replace(/SUCCESS.*|Checking.*/g, '').trim() }
    }
    expect(run(['check', 'metrics'], text)).toEqual({ exitCode: 0, said: '' })
    expect(run(['check', 'rules', join(HOUSE, 'docs/alerts.yml')])).toEqual({ exitCode: 0, said: '' })
  },
)
if (promtool === undefined)
  console.log('[MET5] skipped: there is no promtool here; Debian has it in the package prometheus')

test('[MET6] the dashboard and the alert rules ask for metrics that exist', async () => {
  const known = new Set(
    METRICS.flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  )
  for (const file of ['docs/grafana.json', 'docs/alerts.yml']) {
    expect(existsSync(join(HOUSE, file))).toBe(true)
    const asked = (await Bun.file(join(HOUSE, file)).text()).match(/perpetua_\w+/g) ?? []
    expect(asked.length).toBeGreaterThan(5)
    expect(asked.filter((name) => !known.has(name))).toEqual([])
  }
  const { panels } = JSON.parse(await Bun.file(join(HOUSE, 'docs/grafana.json')).text())
  const ids = panels.map(({ id }: { id: number }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})
