// Does for all that came within a while what costs the same for one of them.

export class Together {
  readonly #work: () => void
  readonly #soon: number
  readonly #seldom: number
  #timer: ReturnType<typeof setTimeout> | undefined
  #done = Number.NEGATIVE_INFINITY

  /**
   * @param soon the work follows after so long (ms) where nothing has been for a while.
   * @param seldom milliseconds from one work to the next where there is always something.
   */
  constructor(work: () => void, { soon, seldom }: { soon: number; seldom: number }) {
    this.#work = work
    this.#soon = soon
    this.#seldom = seldom
  }

  /** Something has come. */
  due(): void {
    this.#timer ??= setTimeout(() => this.now(), Math.max(this.#soon, this.#done + this.#seldom - performance.now()))
  }

  /** The work is done before this returns. */
  now(): void {
    this.stop()
    this.#done = performance.now()
    this.#work()
  }

  /** What is due is not done. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
