// A well-behaved client that is connected all along: whatever others do, it hears every event and gets its calls answered.

import { expect } from 'bun:test'
import type { Client } from './client.ts'
import { numbered, numberIn } from './crowd.ts'
import type { Bed } from './testbed.ts'
import type { Upstream } from './upstream.ts'

export interface Bystander {
  readonly client: Client
  /** The bot speaks; nobody waits for it to be heard. */
  speak(): void
  /** Fails unless everything spoken so far was heard in order, nothing twice, and a call is answered. */
  undisturbed(): Promise<void>
}

/** The bot must answer `get_version_info`. */
export async function bystander({ bot, client: connect }: Pick<Bed, 'client'> & { bot: Upstream }): Promise<Bystander> {
  const client = await connect()
  let spoken = 0
  let checked = 0
  const speak = () => bot.send(numbered(++spoken))
  return {
    client,
    speak,
    async undisturbed() {
      speak()
      const last = spoken
      await client.next((_, raw) => numberIn(raw) === last)
      const numbers = client.heard.map(numberIn).filter((n) => n > 0)
      expect(numbers.slice(checked)).toEqual(Array.from({ length: last - checked }, (_, i) => checked + i + 1))
      checked = last
      expect(await client.call('get_version_info')).toMatchObject({ status: 'ok', retcode: 0 })
      expect(client.socket.readyState).toBe(WebSocket.OPEN)
    },
  }
}
