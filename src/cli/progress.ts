// Shows how a download goes on: a bar on a terminal, a line every tenth elsewhere.

import { say } from './say.ts'

export interface Progress {
  update(received: number, total: number | undefined): void
  /** Nothing more will come: leaves the last state standing. */
  end(): void
}

export interface Screen {
  readonly columns: number
  write(text: string): void
}

/** Milliseconds between two drawings: as often as an eye follows. */
const OFTEN = 100
const BAR = 24
/** Bytes, where nobody says how many there will be. */
const STRIDE = 10 * 2 ** 20

const onTerminal = (): Screen | undefined =>
  process.stdout.isTTY
    ? { columns: process.stdout.columns || 80, write: (text) => process.stdout.write(text) }
    : undefined

export function progress(
  screen: Screen | undefined = onTerminal(),
  tell: (text: string) => void = say,
  now: () => number = () => performance.now(),
): Progress {
  return screen ? bar(screen, now) : lines(tell)
}

function bar(screen: Screen, now: () => number): Progress {
  const speed = new Speed(now)
  let drawn = Number.NEGATIVE_INFINITY
  let last = ''
  return {
    update(received, total) {
      speed.saw(received)
      if (now() - drawn < OFTEN && received !== total) return
      drawn = now()
      last = barText(received, total, speed.bytesPerSecond).slice(0, screen.columns - 1)
      screen.write(`\r\u001b[2K${last}`)
    },
    end() {
      if (last !== '') screen.write('\n')
      last = ''
    },
  }
}

function barText(received: number, total: number | undefined, speed: number): string {
  const rate = `${mebibytes(speed)}/s`
  if (total === undefined || total === 0) return `${mebibytes(received)}  ${rate}`
  const share = Math.min(1, received / total)
  const full = Math.round(share * BAR)
  const left = speed > 0 && received < total ? `  ${clock((total - received) / speed)} left` : ''
  const percent = `${Math.floor(share * 100)} %`.padStart(5)
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${percent}  ${mebibytes(received)} of ${mebibytes(total)}  ${rate}${left}`
}

function lines(tell: (text: string) => void): Progress {
  let told = 0
  return {
    update(received, total) {
      const step = total ? Math.floor((received / total) * 10) : Math.floor(received / STRIDE)
      if (step <= told) return
      told = step
      tell(total ? `${step * 10} %  ${mebibytes(received)} of ${mebibytes(total)}` : mebibytes(received))
    },
    end() {},
  }
}

/** Of the last few seconds: a download that was gone on with did not bring its first half just now. */
class Speed {
  readonly #now: () => number
  readonly #seen: { at: number; received: number }[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  saw(received: number): void {
    const at = this.#now()
    const before = this.#seen.at(-1)
    if (before && at - before.at < OFTEN) return
    this.#seen.push({ at, received })
    while (this.#seen.length > 2 && at - (this.#seen[0]?.at ?? at) > 5_000) this.#seen.shift()
  }

  get bytesPerSecond(): number {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)]
    if (!first || !last || last.at === first.at) return 0
    return Math.max(0, ((last.received - first.received) / (last.at - first.at)) * 1_000)
  }
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`

function clock(seconds: number): string {
  const whole = Math.ceil(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
