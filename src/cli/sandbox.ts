// perpetua sandbox: the gateway with a simulated bot behind it, to try everything without a QQ account.

import { defineCommand } from 'citty'
import { configOf } from '../config/schema.ts'
import { type Log, openLog } from '../observe/log.ts'
import { Recent } from '../observe/recent.ts'
import type { Simulator } from '../simulator/simulator.ts'
import { EXIT } from './exit.ts'
import { addressProblem, crashes, stopOrderly, stopSignal } from './running.ts'
import { say } from './say.ts'
import { type Gateway, realGateway, type StartGateway } from './serve.ts'
import { CALLED, called, heard, teller } from './simulate.ts'
import { port, usable } from './values.ts'
import { versionText } from './version.ts'

export const sandbox = defineCommand({
  meta: { name: 'sandbox', description: 'Try the gateway with a simulated bot; writes nothing but logs' },
  args: {
    port: {
      type: 'string',
      valueHint: 'port',
      description: 'Where clients connect, on 127.0.0.1; 0: any free port',
      default: '8080',
    },
  },
  run: ({ args, data }) =>
    usable(async () => run(port('port', args.port) ?? 0, data?.startGateway ?? (await realGateway()))),
})

async function run(port: number, startGateway: StartGateway): Promise<number> {
  const recent = new Recent()
  const log = openLog(configOf().log, { heard: (line) => recent.add(line) })
  crashes(log, () => log.close())
  const stopped = stopSignal(log)
  const running: AsyncDisposable[] = []
  try {
    const { startSimulator } = await import('../simulator/simulator.ts')
    const simulator = await startSimulator({
      report: teller((fact, fields) => fact === CALLED && log.info(fact, fields)),
    })
    running.push(simulator)
    const config = configOf({ http: { port }, 'ntqq-impl': { 'external-web-socket': simulator.url } })
    const gateway = await startGateway({ config, log, recent, version: versionText })
    running.push(gateway)
    // What is said from now on shall be heard.
    await Promise.race([simulator.linked(), stopped])
    say(welcome(gateway, simulator))
    await stopped
    return await stopOrderly(end(running), log)
  } catch (error) {
    return failed(error, port, log)
  } finally {
    await end(running)
    await log.close()
  }
}

/** The latest first. */
async function end(running: AsyncDisposable[]): Promise<void> {
  for (let one = running.pop(); one !== undefined; one = running.pop()) await one[Symbol.asyncDispose]()
}

function failed(error: unknown, port: number, log: Log): number {
  const names = { host: 'http.host', port: '--port' }
  const problem = addressProblem(error, { host: '127.0.0.1', port, names })
  if (problem === undefined) log.error('sandbox failed', { error })
  else log.error(problem.fact)
  return (problem?.exit ?? EXIT.failed).code
}

function welcome({ address }: Gateway, simulator: Simulator): string {
  const url = address.replace(/^http/, 'ws')
  const group = 123_456_789
  return `
perpetua ${versionText}: ${address}, with the simulated bot ${simulator.selfId} / 已连接模拟机器人 ${simulator.selfId}

1. Connect a client: ${url}/ in NoneBot, Koishi, ..., or / 连接客户端:
   npx --yes wscat -c ${url}/

2. Let the bot hear a message / 让机器人收到一条消息:
   ${heard(simulator.address)}

3. Answer, and see that it arrived / 回复，并查看机器人发出的内容:
   curl -d group_id=${group} -d message=hi ${address}/onebot/v11/send_group_msg
   ${called(simulator.address)}

Ctrl-C ends it / 按 Ctrl-C 结束
`
}
