// The implementation of a story: one that speaks OneBot, or Milky when PERPETUA_UPSTREAM says so.

import { expect, test } from 'bun:test'
import type { ConfigInput } from '../../src/config/schema.ts'
import type { Inbox } from '../contract/witness.ts'
import { type Action, Implementation, type ImplementationOptions, ok } from './implementation.ts'
import { canTell as canTellByMilky, MilkyImplementation } from './milky-implementation.ts'

/** Stories tell and hear everything in OneBot's form, whatever goes over the wire. */
export interface Upstream extends AsyncDisposable {
  readonly selfId: number
  readonly url: string
  /** What `ntqq-impl` says of it. */
  readonly own: NonNullable<ConfigInput['ntqq-impl']>
  /** What an entry of `upstreams` says of it. */
  readonly entry: NonNullable<ConfigInput['upstreams']>[number] & { readonly url: string }
  /** Actions as they came, unless `answer` took them. */
  readonly actions: Inbox<string>
  /** The headers of each handshake. */
  readonly handshakes: Inbox<Headers>
  /** How each link ended. */
  readonly ended: Inbox<number>
  readonly links: { readonly size: number }
  answer: ImplementationOptions['answer']
  /** An event, or the reply to an action. Throws where it has no words for it. */
  send(raw: string): void
  /** This very frame, whatever is in it. */
  raw(frame: string | Uint8Array<ArrayBuffer>): void
  /** The next action, parsed, with its raw text. */
  next(): Promise<Action & { raw: string }>
  /** From now on it is logged in to this account, and says so. */
  becomes(selfId: number): void
  /** Drops all links without a close frame. */
  drop(): void
  close(code: number, reason?: string): void
  /** Drops everything; the port answers nobody until `start`. */
  stop(): Promise<void>
  start(): void
}

/** Whether the implementations of the stories speak Milky. */
export const milky = kind() === 'milky'

function kind(): 'onebot' | 'milky' {
  const { PERPETUA_UPSTREAM: asked = 'onebot' } = process.env
  if (asked === 'onebot' || asked === 'milky') return asked
  throw new Error(`PERPETUA_UPSTREAM: found ${asked}, wanted onebot or milky`)
}

export const upstream = (options: ImplementationOptions = {}): Upstream =>
  milky ? new MilkyImplementation(options) : new Implementation(options)

/** For stories that mean nothing over Milky: there they are skipped, and their names say why. */
export function overOneBot(reason: string): Story & { concurrent: Story } {
  if (!/\w+ \w+/.test(reason)) throw new Error('overOneBot: say in words why the story means nothing over Milky')
  if (!milky) return test
  const skip: Story = (name, run, options) => test.skip(`${name} (over OneBot only: ${reason})`, run, options)
  return Object.assign(skip, { concurrent: skip })
}

type Story = (name: string, run: () => void | Promise<void>, options?: number) => void

/** @throws where somebody who speaks OneBot is dialled, who would be found to be so over Milky, too, and prove nothing. */
export function onlyMilky({ 'ntqq-impl': own, upstreams = [] }: ConfigInput): void {
  const dialled = [own?.['external-web-socket'], ...upstreams.map(({ kind, url }) => (kind === 'milky' ? '' : url))]
  const found = dialled.find((url) => url !== undefined && url !== '' && !NOBODY.test(url))
  if (found !== undefined) throw new Error(`${found} speaks OneBot: take upstream(), or mark the story by overOneBot()`)
}

/** Where nobody listens. */
const NOBODY = /:1\/?$/

/** Whether it has words for this event. */
export const canTell = (raw: string): boolean => !milky || canTellByMilky(JSON.parse(raw))

/** Fails unless a client that heard this was told of this event: the very bytes over OneBot, the same fact over Milky. */
export function expectTold(heard: string, event: string): void {
  if (!milky) return expect(heard).toBe(event)
  const whole: Record<string, unknown> = JSON.parse(event)
  const facts = Object.fromEntries(FACTS.filter((key) => key in whole).map((key) => [key, whole[key]]))
  expect(JSON.parse(heard)).toMatchObject(facts)
}

const FACTS = [
  ...['time', 'self_id', 'post_type', 'message_type', 'notice_type', 'request_type', 'sub_type'],
  ...['group_id', 'user_id', 'comment'],
]

/** Resolves once it was asked to restart, which Milky has no words for, and was dialled anew. */
export async function restarted(bot: Upstream): Promise<void> {
  if (!milky) {
    const asked = await bot.next()
    expect(asked).toMatchObject({ action: 'set_restart' })
    bot.send(ok(asked))
  }
  await bot.handshakes.take()
}
