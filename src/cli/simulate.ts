// perpetua simulate: runs the simulated implementation alone, for whoever writes a client or a gateway.

import { defineCommand } from 'citty'
import { type Fields, line } from '../observe/line.ts'
import type { Simulator, SimulatorFact, SimulatorOptions } from '../simulator/simulator.ts'
import { addressProblem, crashes, stopOrderly, stopSignal, type Voice } from './running.ts'
import { complain, say } from './say.ts'
import { account, count, duration, http, port, size, usable, webSocket } from './values.ts'

const DEFAULTS = { host: '127.0.0.1', port: '5700', 'self-id': '10001', heartbeat: '5s' } as const

export const simulate = defineCommand({
  meta: { name: 'simulate', description: 'Run a simulated bot: a small QQ behind a OneBot 11 implementation' },
  args: {
    host: option('address', 'Where to listen', DEFAULTS.host),
    port: option('port', 'Where to listen; 0: any free port', DEFAULTS.port),
    token: option('token', 'What clients must show'),
    'self-id': option('number', 'The QQ number of the bot', DEFAULTS['self-id']),
    heartbeat: option('duration', 'Time between heartbeats; 0: none', DEFAULTS.heartbeat),
    reverse: option('url', 'Also connect to this reverse WebSocket'),
    'reverse-token': option('token', 'What it must be shown'),
    post: option('url', 'Also post events to this address'),
    'post-secret': option('secret', 'What they are signed with'),
    rate: option('number', 'Messages per second that the bot hears by itself'),
    burst: option('number', 'Messages that it hears at once, as soon as somebody is connected'),
    'message-size': option('size', 'Bytes of each of these messages'),
  },
  run: ({ args }) => usable(() => run(args)),
})

function option(valueHint: string, description: string, fallback?: string) {
  return { type: 'string', valueHint, description, ...(fallback === undefined ? {} : { default: fallback }) } as const
}

type Given = Partial<Record<string, string | undefined | string[] | boolean>>

async function run(given: Given): Promise<number> {
  const text = (name: string) => (typeof given[name] === 'string' ? given[name] : undefined)
  const options = {
    host: text('host') ?? DEFAULTS.host,
    port: port('port', text('port')) ?? 0,
    token: text('token'),
    selfId: account('self-id', text('self-id')),
    heartbeat: duration('heartbeat', text('heartbeat')),
    reverse: [webSocket('reverse', text('reverse'))]
      .flatMap((url) => url ?? [])
      .map((url) => ({ url, token: text('reverse-token') })),
    post: [http('post', text('post'))].flatMap((url) => url ?? []).map((url) => ({ url, secret: text('post-secret') })),
    report: teller(voice.info),
  } satisfies SimulatorOptions
  const load = {
    rate: count('rate', text('rate')),
    burst: count('burst', text('burst')),
    size: size('message-size', text('message-size')),
  }
  return untilStopped(options, load)
}

interface Load {
  readonly rate: number | undefined
  readonly burst: number | undefined
  readonly size: number | undefined
}

async function untilStopped(options: SimulatorOptions & { host: string; port: number }, load: Load): Promise<number> {
  crashes(voice)
  const stopped = stopSignal(voice)
  const { startSimulator } = await import('../simulator/simulator.ts')
  try {
    const simulator = await startSimulator(options)
    say(welcome(simulator, options.token !== undefined))
    void chatter(simulator, load, options.post !== undefined && options.post.length > 0)
    await stopped
    return await stopOrderly(simulator[Symbol.asyncDispose](), voice)
  } catch (error) {
    const problem = addressProblem(error, { ...options, names: { host: '--host', port: '--port' } })
    if (problem === undefined) throw error
    complain(`perpetua: ${problem.fact}`)
    return problem.exit.code
  }
}

const voice: Voice = {
  info: (fact, fields) => say(line(fact, fields)),
  error: (fact, fields) => complain(line(fact, fields)),
}

/** What the bot hears by itself. Posts need no link. */
async function chatter(simulator: Simulator, { rate, burst, size }: Load, posts: boolean): Promise<void> {
  if (rate === undefined && burst === undefined) return
  if (!posts) await simulator.linked()
  if (burst !== undefined) await simulator.burst({ count: burst, size })
  if (rate !== undefined) await simulator.burst({ count: Number.POSITIVE_INFINITY, rate, size })
}

function welcome({ address, url, selfId }: Simulator, token: boolean): string {
  const header = token ? ' -H "Authorization: Bearer TOKEN"' : ''
  return `Simulated bot ${selfId} / 模拟机器人 ${selfId}
  WebSocket  ${url}
  HTTP       ${address}/{action}

Let it hear a message / 让它收到一条消息:
  ${heard(address)}
Call an action / 调用一个动作:
  curl${header} -d group_id=123456789 -d message=hi ${address}/send_group_msg
See what clients called / 查看客户端的调用:
  ${called(address)}

Ctrl-C ends it / 按 Ctrl-C 结束
`
}

// Without quotes: every shell understands these.
export const heard = (address: string) => `curl -d text=hello ${address}/simulator/say`
export const called = (address: string) => `curl ${address}/simulator/sent`

/** Lines in one second that somebody can still read. */
const MOST_LINES = 20
const LONGEST = 160

/** The fact that a client called an action. */
export const CALLED = 'called'

/** Says in a short line what happened, unless too much does. */
export function teller(tell: (fact: string, fields?: Fields) => unknown): (fact: SimulatorFact) => void {
  let second = 0
  let lines = 0
  return (fact) => {
    const now = Math.floor(Date.now() / 1_000)
    if (now !== second) {
      if (lines > MOST_LINES) tell('more of the kind left out', { lines: lines - MOST_LINES })
      second = now
      lines = 0
    }
    if (++lines > MOST_LINES) return
    const { kind, ...fields } = fact
    if (fact.kind !== 'called') tell(kind, fields)
    else tell(CALLED, { action: shortened(fact.action), params: shortened(JSON.stringify(fact.params, short)) })
  }
}

/** Images are megabytes: they are not written out only to be cut. */
const short = (_key: string, value: unknown) => (typeof value === 'string' ? shortened(value) : value)
const shortened = (text: string) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text)
