// A gateway with the simulated QQ behind it: somebody speaks in the group, and what the bot answers is seen there.

import type { ConfigInput } from '../../src/config/schema.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { gateway, type TestGateway } from '../support/gateway.ts'
import { BRISK } from '../support/testbed.ts'
import { textOf } from './talk.ts'

export interface SmallQQ extends AsyncDisposable {
  readonly qq: Simulator
  readonly gateway: TestGateway
  /** Of this program's account. */
  readonly nickname: string
  /** Somebody says it in the group; returns where, and who. */
  hears(text: string): { group: number; user: number }
  /** The texts of the next messages the account sends, and their ids. */
  answers(count: number): Promise<Answer[]>
}

export interface Answer {
  group: number
  text: string
}

export async function smallQQ(config: ConfigInput = {}): Promise<SmallQQ> {
  const stack = new AsyncDisposableStack()
  const qq = stack.use(await startSimulator({ token: 'of-the-simulator' }))
  const upstream = { 'external-web-socket': qq.url, 'external-access-token': 'of-the-simulator' }
  const running = stack.use(await gateway({ ...config, 'ntqq-impl': upstream }, BRISK))
  await running.until(({ bots }) => bots[0]?.online === true)
  let read = 0
  const ask = async (action: string, query = '') => {
    const headers = { Authorization: 'Bearer of-the-simulator' }
    const response = await fetch(`${qq.address}/${action}${query}`, { headers })
    return ((await response.json()) as { data: Record<string, unknown> }).data // its own envelope
  }
  return {
    qq,
    gateway: running,
    nickname: String((await ask('get_login_info'))['nickname']),
    hears(text) {
      const { group_id, user_id } = qq.say({ text })
      return { group: Number(group_id), user: Number(user_id) }
    },
    async answers(count) {
      const found: Answer[] = []
      while (found.length < count) {
        const calls = await qq.sentAfter(read, 1_000)
        for (const { n, action, params } of calls) {
          read = n
          if (!action.startsWith('send_')) continue
          found.push({ group: Number(params['group_id']), text: textOf(params['message']) })
          if (found.length === count) break
        }
      }
      return found
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** What the simulator knows of a message the account sent. */
export async function remembered({ qq }: SmallQQ, messageId: unknown): Promise<string> {
  const response = await fetch(`${qq.address}/get_msg?message_id=${messageId}&access_token=of-the-simulator`)
  const { data } = (await response.json()) as { data: { message: unknown } } // its own envelope
  return textOf(data.message)
}
