// The last lines of the log, for who looks at it from elsewhere than the machine.

import { LEVELS, type Level } from './log.ts'

export interface Line {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly level: Level
  readonly text: string
}

/** Lines are cut at about 2 KiB each. */
const KEPT = 1_000

export class Recent {
  readonly #lines: Line[] = []
  readonly #listeners = new Set<(line: Line) => void>()

  add(line: Line): void {
    this.#lines.push(line)
    // Seldom, so that it costs nothing for each line.
    if (this.#lines.length >= 2 * KEPT) this.#lines.splice(0, KEPT)
    for (const listener of [...this.#listeners]) listener(line)
  }

  /** The last so many lines that are at least as important as `level`, oldest first. */
  lines(level: Level, most: number): Line[] {
    const found: Line[] = []
    const from = Math.max(0, this.#lines.length - KEPT)
    for (let at = this.#lines.length - 1; at >= from && found.length < most; at--) {
      const line = this.#lines[at]
      if (line !== undefined && matters(line, level)) found.push(line)
    }
    return found.reverse()
  }

  /** Is told each line that is at least as important as `level`; returns what ends that. */
  listen(level: Level, listener: (line: Line) => void): () => void {
    const one = (line: Line) => matters(line, level) && listener(line)
    this.#listeners.add(one)
    return () => this.#listeners.delete(one)
  }
}

const matters = (line: Line, level: Level) => LEVELS.indexOf(line.level) >= LEVELS.indexOf(level)
