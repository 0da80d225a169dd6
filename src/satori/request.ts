// One request for a method of Satori's: whose bot it is, what is asked, and how OneBot is asked in turn.

import type { Bot } from '../broker/bot.ts'
import { type Fields, own } from '../onebot/object.ts'
import { type Asker, type Calls, isUnknown, SatoriError } from './call.ts'
import { idText } from './exact.ts'
import { type Place, placeOf } from './qq.ts'
import type { User } from './wire.ts'

export interface MethodContext {
  readonly calls: Calls
  readonly asker: Asker
  /** The account itself; undefined: not known yet. */
  readonly self: () => User | undefined
  /** What an implementation can read of a `src`. @throws SatoriError for a link of ours that leads nowhere. */
  readonly source: (src: string) => string
  /** Something that was asked for could not be done in full. */
  readonly note: (note: string) => void
}

export class MethodRequest {
  readonly bot: Bot
  readonly params: Fields
  readonly context: MethodContext

  constructor(bot: Bot, params: Fields, context: MethodContext) {
    this.bot = bot
    this.params = params
    this.context = context
  }

  /** The data of the reply. @throws SatoriError */
  ask(action: string, params: Fields = {}): Promise<unknown> {
    return this.context.calls.data(this.bot, this.context.asker, action, params)
  }

  /** The first of these actions that the implementation knows. @throws SatoriError of the first where it knows none. */
  async askAny(...ways: readonly (readonly [action: string, params: Fields])[]): Promise<unknown> {
    let unknown: unknown
    for (const [action, params] of ways)
      try {
        return await this.ask(action, params)
      } catch (error) {
        if (!isUnknown(error)) throw error
        unknown ??= error
      }
    throw unknown
  }

  self(): User {
    const self = this.context.self()
    if (self === undefined) throw new SatoriError(503, 'the account is not known yet; try again later')
    return self
  }

  /** An id or a word; '' counts as nothing. */
  text(key: string): string | undefined {
    return idText(own(this.params, key)) || undefined
  }

  need(key: string): string {
    return this.text(key) ?? bad(key, own(this.params, key), 'text')
  }

  flag(key: string): boolean | undefined {
    const value = own(this.params, key)
    return typeof value === 'boolean' ? value : undefined
  }

  number(key: string): number | undefined {
    const value = own(this.params, key)
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    return typeof number === 'number' && Number.isFinite(number) ? number : undefined
  }

  /** The conversation that is meant. */
  place(): Place {
    const id = this.need('channel_id')
    return placeOf(id) ?? bad('channel_id', id, 'the number of a group, or private: and the number of a person')
  }

  /** The group that is meant: by itself, or by its only channel. */
  guild(): string {
    return this.text('guild_id') ?? this.text('channel_id') ?? bad('guild_id', undefined, 'the number of a group')
  }
}

export function bad(key: string, value: unknown, wanted: string): never {
  const shown = value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing').slice(0, 100)
  throw new SatoriError(400, `${key}: found ${shown}, want ${wanted}`)
}
