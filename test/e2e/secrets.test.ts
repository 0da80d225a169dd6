// A run with tokens everywhere, at the most talkative level: none of them reaches the console or the log file.

import { expect, test } from 'bun:test'
import { Client } from '../support/client.ts'
import { folder } from '../support/folder.ts'
import { groupMessage, ok } from '../support/implementation.ts'
import { knock } from '../support/knock.ts'
import { program } from '../support/program.ts'
import { milky, upstream } from '../support/upstream.ts'

const SECRETS = {
  ...{ upstream: 'Hush-Upstream-1', second: 'Hush-Second-2', address: 'Hush-Address-3', user: 'Hush-User-4' },
  ...{ http: 'Hush-Http-5', admin: 'Hush-Admin-6', reverse: 'Hush-Reverse-7', hook: 'Hush-Hook-8' },
  ...{ wrong: 'Hush-Wrong-9', frame: 'Hush-Frame-10' },
}
const { upstream: own, second, address, user, http, admin, reverse, hook, wrong, frame } = SECRETS

test('[LOG8] tokens of every kind, right and wrong, shown in every way, appear in no line of a run at trace', async () => {
  await using home = await folder()
  await using bot = upstream({ token: own, answer: (action) => ok(action) })
  // Refuses whoever comes, and says aloud what it was shown.
  await using refusing = Bun.serve({
    ...{ hostname: '127.0.0.1', port: 0 },
    fetch: ({ url, headers }) => new Response(`no, ${url} ${headers.get('authorization')}`, { status: 403 }),
  })
  const at = `127.0.0.1:${refusing.port}`
  const config = {
    log: { level: 'trace', dir: 'logs' },
    http: { port: 0, 'access-token': http },
    admin: { token: admin },
    // Over Milky addresses with a query are refused.
    'ntqq-impl': milky
      ? bot.own
      : { 'external-web-socket': `${bot.url}?access_token=${address}`, 'external-access-token': own },
    upstreams: [
      milky
        ? { name: 'second', kind: 'milky', url: `http://u:${user}@${at}`, 'access-token': second }
        : { name: 'second', url: `ws://u:${user}@${at}/?token=${address}`, 'access-token': second },
    ],
    'reverse-web-socket': [{ url: `ws://u:${user}@${at}/?access_token=${address}`, 'access-token': reverse }],
    'http-post': [{ url: `http://u:${user}@${at}/?key=${address}`, secret: hook, 'max-retries': 1 }],
  }
  const file = home.at('config.yml')
  await Bun.write(file, JSON.stringify(config))
  await using running = program(['start', '--config', file], { cwd: home.path, as: 'perpetua' })
  const [, base = ''] = await running.says(/started address=(\S+)/)
  await running.says(/bot online/)

  const shown = [http, wrong, admin].flatMap((token): [Record<string, string>, string][] => [
    [{ authorization: `Bearer ${token}` }, ''],
    [{ authorization: `Token ${token}` }, ''],
    [{ authorization: token }, ''],
    [{}, `?access_token=${token}`],
  ])
  for (const [headers, query] of shown) {
    for (const path of ['/', '/api', '/event', '/onebot/v11/ws', '/onebot/v11/implementation'])
      await knock(base, path + query, headers, { upgrade: true })
    for (const path of ['/onebot/v11/get_status', '/api/get_ws_port', '/api/status', '/nowhere'])
      await knock(base, path + query, headers)
  }
  await using client = await Client.connect(`${base.replace('http', 'ws')}/?access_token=${http}`)
  await client.call('login', { access_token: frame, token: frame, password: frame })
  bot.send(groupMessage('heard'))
  await client.event('message')
  await running.says(/link refused/)
  await running.says(/implementation refused us/)
  await running.says(/client not reachable/)
  await running.says(/web hook answered oddly/)

  // A mistake beside the secrets is told without them, and so is their change.
  await Bun.write(file, JSON.stringify({ ...config, http: { ...config.http, prot: 1 } }))
  running.signal('SIGHUP')
  await running.says(/config not applied/)
  await Bun.write(file, JSON.stringify({ ...config, admin: { token: `${admin}-new` } }))
  running.signal('SIGHUP')
  await running.says(/config applied/)
  bot.drop()
  await running.says(/implementation lost/)
  running.signal('SIGTERM')
  const { code, stdout, stderr } = await running.ended
  expect(code).toBe(0)

  const files = await Promise.all((await home.list('logs')).map((name) => home.read('logs', name)))
  expect(files.join('')).toContain('frame={"action":"login"')
  for (const [where, secret] of Object.entries(SECRETS))
    for (const text of [stdout, stderr, ...files]) expect([where, text.split(secret).length - 1]).toEqual([where, 0])
})
