// Carries out the calls that go up: in order where that matters, each with exactly one reply.

import { type ActionFrame, ownReply } from '../onebot/frame.ts'
import { actionOf } from './actions.ts'
import { FAILED, MilkyError } from './api.ts'
import type { Stage } from './stage.ts'

export interface CallsOptions {
  readonly stage: Stage
  /** Takes the reply's text. */
  readonly reply: (text: string) => void
  /** Something was wrong with us or with what the implementation answered. */
  readonly odd: (action: string, error: unknown) => void
}

/** Characters of frames that may be under way: all clients together must not fill our memory through one that hangs. */
const MOST_UNDER_WAY = 64 * 1024 * 1024

export class Calls {
  readonly #options: CallsOptions
  /** The last call of each line. */
  readonly #lines = new Map<string, Promise<void>>()
  #underWay = 0

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /** False: too much is under way. */
  take(frame: ActionFrame): boolean {
    const size = frame.raw.length
    if (this.#underWay > 0 && this.#underWay + size > MOST_UNDER_WAY) return false
    this.#underWay += size
    void this.#settled(frame).then((text) => {
      this.#underWay -= size
      this.#options.reply(text)
    })
    return true
  }

  async #settled({ action, params, echo }: ActionFrame): Promise<string> {
    const { stage, odd } = this.#options
    try {
      const { line, run } = actionOf(action)
      const work = async () => run(params, stage)
      const data = await (line === undefined ? work() : this.#inLine(line(params), work))
      return ownReply({ status: 'ok', retcode: 0, data, echo })
    } catch (error) {
      if (error instanceof MilkyError)
        return ownReply({ status: 'failed', retcode: error.retcode, message: error.message, echo })
      // An answer that is not what its API promises is nothing that anybody can work with.
      odd(action, error)
      const message = `${action}: the implementation's answer was not understood`
      return ownReply({ status: 'failed', retcode: FAILED, message, echo })
    }
  }

  async #inLine<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#lines.get(name)
    const turn = Promise.withResolvers<void>()
    this.#lines.set(name, turn.promise)
    try {
      await before
      return await work()
    } finally {
      turn.resolve()
      if (this.#lines.get(name) === turn.promise) this.#lines.delete(name)
    }
  }
}
