// One restart of an implementation: asked for, carried out after its delay, and waited for.

import { refuse } from '../onebot/retcode.ts'

export interface RestartOptions {
  /** Restarts an implementation that is ours to run; absent: it is asked to restart itself, and dialled anew. */
  readonly own: (() => Promise<void>) | undefined
  /** Asks it to; `ended` runs once it has answered, or has not within so many ms. False: it is away. */
  readonly ask: (within: number, ended: () => void) => boolean
  readonly redial: () => void
}

/** How long a restarting implementation may take to answer, and to come back (ms). */
const ANSWER = 3_000
const BACK = 60_000

export class Restart {
  readonly #options: RestartOptions
  #underWay: { readonly phase: 'delay' | 'back'; readonly timer: ReturnType<typeof setTimeout> } | undefined

  constructor(options: RestartOptions) {
    this.#options = options
  }

  /** In so many milliseconds. @throws ActionError while another is under way. */
  after(delay: number): void {
    if (this.#underWay !== undefined) refuse('conflict', 'bot instance is restarting')
    this.#underWay = { phase: 'delay', timer: setTimeout(() => this.#now(), delay) }
  }

  /** The implementation has told its account. */
  back(): void {
    if (this.#underWay?.phase === 'back') this.over()
  }

  over(): void {
    clearTimeout(this.#underWay?.timer)
    this.#underWay = undefined
  }

  #now(): void {
    this.#underWay = { phase: 'back', timer: setTimeout(() => this.over(), BACK) }
    const { own, ask, redial } = this.#options
    // Asked itself it might stop before it answers, and not come back.
    if (own !== undefined) return void own().catch(() => this.over())
    // Away: it is being dialled already.
    if (!ask(ANSWER, redial)) this.over()
  }
}
