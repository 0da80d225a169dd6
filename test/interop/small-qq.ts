// A gateway with the simulated QQ behind it: somebody speaks in the group, and what the bot answers is seen there.

import type { ConfigInput } from '../../src/config/schema.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { gateway, type TestGateway } from '../support/gateway.ts'
import { implementationOf, type Way } from '../support/small-world.ts'
import { BRISK } from '../support/testbed.ts'
import { textOf } from './talk.ts'

export interface SmallQQ extends AsyncDisposable {
  readonly qq: Simulator
  readonly gateway: TestGateway
  /** What its clients show. */
  readonly token: string
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

export async function smallQQ(config: ConfigInput = {}, way: Way = 'OneBot'): Promise<SmallQQ> {
  const stack = new AsyncDisposableStack()
  const qq = stack.use(await startSimulator({ token: 'of-the-simulator' }))
  const running = stack.use(await gateway({ ...config, 'ntqq-impl': implementationOf(way, qq) }, BRISK))
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
    token: config.http?.['access-token'] ?? 'of-the-simulator',
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

/** What is known of a message the account sent, under the number that its sender was told. */
export async function remembered({ gateway, token }: SmallQQ, messageId: unknown): Promise<string> {
  const headers = { Authorization: `Bearer ${token}` }
  const response = await fetch(`${gateway.address}/onebot/v11/get_msg?message_id=${messageId}`, { headers })
  const { data } = (await response.json()) as { data: { message: unknown } } // its own envelope
  return textOf(data.message)
}
