// Who is told what, once, when something is wrong, and once more when it is over.

import { expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { Alerts, testAlerts } from '../../src/alerts/alerts.ts'
import type { Watched } from '../../src/alerts/watch.ts'
import type { CallPolicy } from '../../src/broker/policy.ts'
import type { Status } from '../../src/broker/status.ts'
import { kick } from '../../src/broker/steering.ts'
import { type ConfigInput, configOf } from '../../src/config/schema.ts'
import { BotBed, eventOf, FakeUpstream, lifecycleOf, MIB, SELF } from '../support/broker.ts'
import { folder } from '../support/folder.ts'
import { program } from '../support/program.ts'
import { testbed } from '../support/testbed.ts'
import { mailServer, type Posted, receiver } from './receiver.ts'

const PATIENCE = { first: 10, most: 20, stable: 60_000 }
const MINUTE = 60_000

type Targets = NonNullable<NonNullable<ConfigInput['alerts']>['to']>

/** Alerts about a bot of a test, looked for when the test says so. */
function watching(
  bed: BotBed,
  to: Targets,
  more: Partial<Watched> & { alerts?: ConfigInput['alerts']; folder?: string } = {},
) {
  const facts: Status[] = []
  const { alerts: settings, folder: home, ...watched } = more
  const alerts = new Alerts({
    settings: () => configOf({ alerts: { ...settings, to } }).alerts,
    watched: () => ({ bots: [bed.bot], embedded: () => undefined, policy: () => undefined, ...watched }),
    folder: home,
    report: (fact) => facts.push(fact),
    every: 2 ** 30,
    patience: PATIENCE,
    now: () => bed.now,
  })
  const kinds = () => alerts.incidents.map(({ kind }) => kind)
  return { alerts, facts, kinds, look: () => alerts.look(), [Symbol.asyncDispose]: () => alerts.stop() }
}

const brief = ({ body: { state, incident, bot, client } }: Posted) =>
  [state, incident, bot, client].filter(Boolean).join(' ')

test('[ALR1] a bot that is offline for too long is told once, and once more when it is back', async () => {
  using bed = new BotBed()
  await using hook = receiver()
  await using watch = watching(bed, [{ kind: 'webhook', url: hook.url }])
  const upstream = bed.online()
  await watch.look()
  bed.bot.lost(upstream, 1006, '')
  for (let seconds = 0; seconds < 300; seconds += 5) {
    bed.now += 5_000
    await watch.look()
    expect(watch.kinds()).toEqual(seconds < 120 ? [] : ['offline'])
  }
  expect(brief(await hook.posted.take())).toBe('open offline 10001')
  bed.online()
  await watch.look()
  const over = await hook.posted.take()
  expect(brief(over)).toBe('resolved offline 10001')
  expect(over.body).toMatchObject({
    source: 'perpetua',
    title: '[perpetua] resolved · 已恢复: bot offline · 机器人离线: 10001',
    text: expect.stringContaining('It is over, after 3 min.'),
  })
  expect(watch.facts.map((fact) => 'state' in fact && fact.state)).toEqual(['open', 'resolved'])
})

test('[ALR2] so are a login that is needed, an open breaker, a full disk, each of its own', async () => {
  using bed = new BotBed()
  bed.online()
  await using home = await folder()
  const now = { state: 'waiting-for-login', breaker: 'open' }
  await using hook = receiver()
  const to: Targets = [{ kind: 'webhook', url: hook.url }]
  await using watch = watching(bed, to, {
    embedded: () => now,
    policy: () => ({ breakers: { send: { state: now.breaker }, read: { state: 'closed' } } }),
    folder: home.path,
    alerts: { 'disk-below': 2 ** 52 },
  })
  await watch.look()
  expect(watch.kinds().sort()).toEqual(['breaker', 'disk', 'login'])
  // Between two codes, and half open: it is not over yet.
  Object.assign(now, { state: 'starting', breaker: 'half-open' })
  await watch.look()
  expect(watch.kinds().sort()).toEqual(['breaker', 'disk', 'login'])
  Object.assign(now, { state: 'running', breaker: 'closed' })
  await watch.look()
  expect(watch.kinds()).toEqual(['disk'])
  const told = [await hook.posted.take(), await hook.posted.take(), await hook.posted.take()]
  expect(told.map(brief).sort()).toEqual(['open breaker 10001', 'open disk', 'open login 10001'])
  const breaker = told.find(({ body }) => body['incident'] === 'breaker')?.body
  expect(breaker).toMatchObject({
    title: '[perpetua] actions keep failing · 动作持续失败: 10001',
    detail: expect.stringContaining('"send" actions'),
    text: expect.stringContaining('They are refused until they work again.'),
  })
})

test('[ALR2] so is an implementation whose calls fail, though another one does its work', async () => {
  let fails = false
  const policy: CallPolicy = {
    admit: () => ({ kind: 'go' }),
    ended: () => undefined,
    failing: (side) => (fails && side === 0 ? { why: 'it hangs' } : undefined),
  }
  const slots = ['a', 'b'].map((key) => ({ key, spread: false }))
  using bed = new BotBed({ policy, slots })
  for (const { key } of slots) {
    bed.bot.seat(key).connected(new FakeUpstream(), `ws://${key}`)
    bed.bot.seat(key).received(lifecycleOf(SELF))
  }
  await using hook = receiver()
  await using watch = watching(bed, [{ kind: 'webhook', url: hook.url }])
  await watch.look()
  expect(watch.kinds()).toEqual([])
  fails = true
  bed.bot.reconsider()
  await watch.look()
  expect(watch.alerts.incidents).toMatchObject([
    { kind: 'breaker', bot: SELF, detail: 'ws://a: another one works · 已由另一个接替' },
  ])
  const { body } = await hook.posted.take()
  expect(body['title']).toBe(`[perpetua] calls of an implementation keep failing · 一个实现的调用持续失败: ${SELF}`)
  expect(body['text']).toContain('Look at its log')
  expect(body['text']).not.toContain('refused')
  fails = false
  bed.bot.reconsider()
  await watch.look()
  expect(watch.kinds()).toEqual([])
})

test('[ALR3] a client that has a name is missed when it is gone for too long; who was kicked, or has no name, is not', async () => {
  using bed = new BotBed()
  bed.online()
  await using watch = watching(bed, [{ kind: 'webhook', url: 'http://127.0.0.1:1/' }], {})
  const [alice, bob, nobody] = [bed.join({ name: 'alice' }), bed.join({ name: 'bob' }), bed.join()]
  const carol = bed.join({ name: 'carol', resume: 'ping' })
  await watch.look()
  for (const { session } of [alice, nobody, carol]) bed.bot.leave(session, 1006, '')
  bed.facts.length = 0
  kick(bed.bot, bob.session)
  for (const fact of bed.facts) watch.alerts.report(fact)
  await watch.look()
  bed.now += 6 * MINUTE
  await watch.look()
  expect(watch.alerts.incidents.map(({ client }) => client).sort()).toEqual(['alice', 'carol'])
  bed.join({ name: 'alice' })
  await watch.look()
  expect(watch.alerts.incidents.map(({ client }) => client)).toEqual(['carol'])
})

test('[ALR4] so is a client that is behind for too long, or has lost events; one that is paused is not', async () => {
  using bed = new BotBed({ maxBytes: 10 * MIB })
  bed.online()
  await using watch = watching(bed, [{ kind: 'webhook', url: 'http://127.0.0.1:1/' }])
  const slow = bed.join({ name: 'slow', stuck: true })
  const held = bed.join({ name: 'held' })
  bed.bot.members.fanout.pause(held.session)
  for (let n = 0; n < 20; n++) bed.bot.received(eventOf(n, 200_000))
  // The journal's clock is the test's.
  bed.now += 3 * MINUTE
  await watch.look()
  expect(watch.alerts.incidents).toMatchObject([{ kind: 'behind', client: 'slow' }])
  slow.link.stuck = false
  slow.link.buffered = 0
  bed.bot.drained(slow.session)
  await watch.look()
  expect(watch.kinds()).toEqual([])
  watch.alerts.report({ kind: 'session-behind', bot: 'first', session: slow.session, missed: 7 })
  await watch.look()
  expect(watch.alerts.incidents).toMatchObject([{ kind: 'behind', detail: '7 events lost · 丢失 7 个事件' }])
  bed.now += 2 * MINUTE
  await watch.look()
  expect(watch.kinds()).toEqual([])
})

test('[ALR5] what nobody wants to hear is not told, and where nobody is to be told nothing is looked for', async () => {
  using bed = new BotBed()
  await using some = watching(bed, [{ kind: 'webhook', url: 'http://127.0.0.1:1/' }], { alerts: { on: ['disk'] } })
  await using none = watching(bed, [], { embedded: () => expect.unreachable() })
  for (const watch of [some, none]) {
    await watch.look()
    bed.now += 10 * MINUTE
    await watch.look()
    expect(watch.kinds()).toEqual([])
  }
})

test('[ALR6] a web hook gets it signed, and again until it takes it, in order', async () => {
  using bed = new BotBed()
  await using hook = receiver()
  let left = 2
  hook.answer = () => new Response('busy', { status: left-- > 0 ? 503 : 200 })
  await using watch = watching(bed, [
    { kind: 'webhook', name: 'ops', url: `${hook.url}/in?token=Hush`, secret: 's3cret' },
  ])
  await watch.look()
  bed.now += 3 * MINUTE
  await watch.look()
  bed.online()
  await watch.look()
  const told = await Promise.all([1, 2, 3, 4].map(() => hook.posted.take()))
  expect(told.map(brief)).toEqual([
    'open offline first',
    'open offline first',
    'open offline first',
    'resolved offline first',
  ])
  const [{ signature, body } = { signature: '', body: { text_: '' } }] = told
  expect(signature).toBe(`sha1=${createHmac('sha1', 's3cret').update(String(body['text_'])).digest('hex')}`)
  expect(watch.facts.filter(({ kind }) => kind === 'alert-failed')).toMatchObject([
    { target: 'ops', reason: 'HTTP 503: busy' },
    { target: 'ops', reason: 'HTTP 503: busy' },
  ])
})

test('[ALR7] Bark, ServerChan, Telegram and mail get it in their own form', async () => {
  await using hook = receiver()
  await using mail = await mailServer()
  const { to } = configOf({
    alerts: {
      to: [
        { kind: 'bark', key: 'device', url: hook.url },
        { kind: 'serverchan', key: 'SCT1', url: hook.url },
        { kind: 'telegram', key: '1:abc', chat: '-100', url: `${hook.url}/` },
        { kind: 'email', url: mail.url, from: 'perpetua@example.com', to: 'a@example.com, b@example.com' },
      ],
    },
  }).alerts
  const sent = await testAlerts(to)
  expect(sent.map(({ kind, problem }) => [kind, problem])).toEqual(to.map(({ kind }) => [kind, null]))
  const told = await Promise.all([1, 2, 3].map(() => hook.posted.take()))
  const at = (path: string) => told.find((one) => one.path === path)?.body
  expect(at('/push')).toMatchObject({ device_key: 'device', title: '[perpetua] test · 测试', group: 'perpetua' })
  expect(at('/SCT1.send')).toMatchObject({ title: '[perpetua] test · 测试', desp: expect.stringContaining('perpetua') })
  expect(at('/bot1:abc/sendMessage')).toMatchObject({ chat_id: '-100', text: expect.stringContaining('测试') })
  const letter = await mail.letters.take()
  expect(letter).toContain('From: perpetua@example.com')
  expect(letter).toContain('To: a@example.com, b@example.com')
})

test('[ALR8] what a target refuses is told without its key, also when it says so with HTTP 200', async () => {
  await using hook = receiver()
  const { to } = configOf({
    alerts: {
      to: [
        { kind: 'serverchan', key: 'Hush1', url: hook.url },
        { kind: 'telegram', key: 'Hush2', chat: '1', url: 'http://127.0.0.1:1' },
        { kind: 'email', url: 'smtp://user:Hush3@127.0.0.1:1', from: 'a@example.com', to: 'b@example.com' },
      ],
    },
  }).alerts
  hook.answer = () => Response.json({ code: 40001, message: 'bad Hush1' })
  const sent = await testAlerts(to)
  expect(sent.every(({ problem }) => problem !== null)).toBe(true)
  expect(JSON.stringify(sent)).not.toContain('Hush')
  expect(sent[0]?.problem).toContain('40001')
})

test('[ALR9] the config says what each way to people needs', () => {
  const wrong = (entry: object) => {
    try {
      configOf({ alerts: { to: [entry as Targets[number]] } })
      return 'fine'
    } catch (error) {
      return String(error)
    }
  }
  expect(wrong({ kind: 'webhook' })).toContain('something: webhook needs it')
  expect(wrong({ kind: 'webhook', url: 'smtp://x' })).toContain('http://')
  expect(wrong({ kind: 'email', url: 'http://x', from: 'a', to: 'b' })).toContain('smtp://')
  expect(wrong({ kind: 'telegram', key: 'x' })).toContain('telegram needs it')
  expect(wrong({ kind: 'bark', key: 'x' })).toBe('fine')
  expect(wrong({ kind: 'pigeon' })).toContain('one of webhook, bark')
})

test('[ALR10] a running gateway tells when its bot is lost, and when it is back', async () => {
  await using hook = receiver()
  await using bed = await testbed({
    config: { alerts: { to: [{ kind: 'webhook', url: hook.url }], 'offline-after': '300ms' } },
    patience: PATIENCE,
  })
  await bed.bot.stop()
  expect(brief(await hook.posted.take())).toBe('open offline 10001')
  const incidents = async () => {
    const answer = await fetch(`${bed.gateway.address}/api/alerts?access_token=admin-token-of-tests`)
    return ((await answer.json()) as { incidents: { kind: string }[] }).incidents.map(({ kind }) => kind)
  }
  expect(await incidents()).toEqual(['offline'])
  bed.bot.start()
  expect(brief(await hook.posted.take())).toBe('resolved offline 10001')
  expect(await incidents()).toEqual([])
})

test('[ALR11] perpetua alerts test says of each whether it arrived', async () => {
  await using home = await folder()
  await using hook = receiver()
  await Bun.write(
    home.at('config.yml'),
    JSON.stringify({
      alerts: {
        to: [
          { kind: 'webhook', name: 'ops', url: hook.url },
          { kind: 'webhook', name: 'gone', url: 'http://127.0.0.1:1/' },
        ],
      },
    }),
  )
  const run = await program(['alerts', 'test', '--config', 'config.yml'], { cwd: home.path }).ended
  expect(run.code).toBe(1)
  expect(run.stdout).toMatch(/^TARGET +KIND +RESULT\nops +webhook +sent\ngone +webhook +\S/)
  expect(brief(await hook.posted.take())).toBe('test test')
  await Bun.write(home.at('config.yml'), '{}')
  const none = await program(['alerts', 'test', '--config', 'config.yml'], { cwd: home.path }).ended
  expect(none).toMatchObject({ code: 1, stderr: 'perpetua: alerts.to is empty: nobody is told\n' })
})
