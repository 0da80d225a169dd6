// Matches the regular expressions of users in time proportional to the text: nothing in them or in the text can make it
// stand still.

import { type Assertion, type Part, parseRegex } from './regex-syntax.ts'

export interface Regex {
  /** Whether some part of `text` matches. */
  test(text: string): boolean
}

/** What is wrong with a regular expression; undefined: nothing. */
export function regexFlaw(pattern: string): { wanted: string; hint?: string } | undefined {
  try {
    compileRegex(pattern)
    return undefined
  } catch (error) {
    return { wanted: 'a regular expression', hint: `there is ${error instanceof Error ? error.message : error}` }
  }
}

/**
 * Knows what JavaScript knows with its flag u, and (?i), (?m) and (?s) at the start; but no references back and no looking
 * around, which need an engine that tries again and again.
 * @throws SyntaxError with what is wrong
 */
export function compileRegex(pattern: string): Regex {
  const { part, flags } = parseRegex(pattern)
  return new Automaton(part, flags)
}

/** One step of the program that a pattern becomes. */
type Step =
  /** Takes a character that is in the set of this number. */
  | { readonly op: 'take'; readonly set: number; readonly next: number }
  | { readonly op: 'fork'; next: readonly number[] }
  | { readonly op: 'assert'; readonly what: Assertion; readonly next: number }
  | { readonly op: 'found' }

/** What stands beside a place in the text, as far as assertions ask. */
type Beside = 'other' | 'word' | 'line' | 'border'

/** Characters that are the same to every set and assertion of a pattern. */
interface Kind {
  readonly index: number
  readonly sets: ReadonlySet<number>
  readonly beside: Beside
}

/** Where the program may be between two characters, and where each kind of character leads from there. */
interface State {
  readonly steps: readonly number[]
  readonly before: Beside
  readonly moves: (State | 'found' | undefined)[]
}

const MOST_STEPS = 2_000
/** Remembered; beyond, they are made anew (a state has about a kilobyte). */
const MOST_STATES = 500
const MOST_CHARACTERS = 10_000
const MOST_KINDS = 2_000

const LINES = new Set(['\n', '\r', '\u2028', '\u2029'])

/** Follows all ways through the pattern at the same time. Which states there are is found out as texts need them. */
class Automaton implements Regex {
  readonly #steps: Step[] = [{ op: 'found' }]
  readonly #sets: RegExp[] = []
  readonly #numbers = new Map<string, number>()
  readonly #flags: string
  /** Whose edges are meant: with the flag i there are two more letters. */
  readonly #word: RegExp
  readonly #start: number
  /** A match can begin at the start of the text only. */
  readonly #anchored: boolean
  /** No assertion asks what stands beside a place: then it makes no difference. */
  readonly #alike: boolean
  readonly #end: Kind = { index: 0, sets: new Set(), beside: 'border' }
  /** Never given twice: a state in use may remember kinds of before. */
  #last = 0
  #kinds = new Map<string, Kind>()
  #characters = new Map<number, Kind>()
  #states = new Map<string, State>()

  constructor(part: Part, flags: string) {
    this.#flags = flags
    this.#word = new RegExp('\\w', flags.includes('i') ? 'iu' : 'u')
    this.#start = this.#emit(part, 0)
    const first = this.#steps[this.#start]
    this.#anchored = first?.op === 'assert' && first.what === 'start' && !flags.includes('m')
    this.#alike = this.#steps.every(({ op }) => op !== 'assert')
  }

  test(text: string): boolean {
    let state = this.#state([], 'border')
    for (let at = 0; at < text.length; ) {
      const code = text.codePointAt(at) ?? 0
      at += code > 0xffff ? 2 : 1
      const next = this.#move(state, this.#characters.get(code) ?? this.#kindOf(code))
      if (next === 'found') return true
      if (this.#anchored && next.steps.length === 0) return false
      state = next
    }
    return this.#move(state, this.#end) === 'found'
  }

  #move(state: State, kind: Kind): State | 'found' {
    const known = state.moves[kind.index]
    if (known !== undefined) return known
    const next = this.#follow(state, kind)
    state.moves[kind.index] = next
    return next
  }

  /** A match may begin anywhere, so each place is a start, too. */
  #follow({ steps, before }: State, kind: Kind): State | 'found' {
    const seen = new Set<number>()
    const next = new Set<number>()
    const open = [this.#start, ...steps]
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      const step = this.#steps[index]
      if (step === undefined || seen.has(index)) continue
      seen.add(index)
      switch (step.op) {
        case 'found':
          return 'found'
        case 'fork':
          open.push(...step.next)
          break
        case 'assert':
          if (this.#holds(step.what, before, kind.beside)) open.push(step.next)
          break
        case 'take':
          if (kind.sets.has(step.set)) next.add(step.next)
          break
        default:
          return step satisfies never
      }
    }
    return this.#state(
      [...next].sort((a, b) => a - b),
      kind.beside,
    )
  }

  #holds(what: Assertion, before: Beside, after: Beside): boolean {
    const lines = this.#flags.includes('m')
    switch (what) {
      case 'start':
        return before === 'border' || (lines && before === 'line')
      case 'end':
        return after === 'border' || (lines && after === 'line')
      case 'edge':
        return (before === 'word') !== (after === 'word')
      case 'inside':
        return (before === 'word') === (after === 'word')
      default:
        return what satisfies never
    }
  }

  #state(steps: readonly number[], before: Beside): State {
    const beside = this.#alike ? 'other' : before
    const id = `${beside} ${steps.join()}`
    const known = this.#states.get(id)
    if (known !== undefined) return known
    if (this.#states.size >= MOST_STATES) this.#states = new Map()
    const state: State = { steps, before: beside, moves: [] }
    this.#states.set(id, state)
    return state
  }

  #kindOf(code: number): Kind {
    const character = String.fromCodePoint(code)
    const sets = this.#sets.flatMap((set, number) => (set.test(character) ? [number] : []))
    const beside = this.#alike ? 'other' : LINES.has(character) ? 'line' : this.#word.test(character) ? 'word' : 'other'
    const id = `${beside} ${sets.join()}`
    const kind = this.#kinds.get(id) ?? { index: ++this.#last, sets: new Set(sets), beside }
    if (this.#kinds.size >= MOST_KINDS) this.#forget()
    this.#kinds.set(id, kind)
    if (this.#characters.size >= MOST_CHARACTERS) this.#characters = new Map()
    this.#characters.set(code, kind)
    return kind
  }

  #forget(): void {
    this.#kinds = new Map()
    this.#characters = new Map()
    this.#states = new Map()
  }

  /** Writes the program from its end: returns the first step of `part`, after which `next` follows. */
  #emit(part: Part, next: number): number {
    switch (part.kind) {
      case 'one':
        return this.#add({ op: 'take', set: this.#setOf(part.source), next })
      case 'assert':
        return this.#add({ op: 'assert', what: part.what, next })
      case 'all':
        return part.parts.reduceRight((after, inner) => this.#emit(inner, after), next)
      case 'any':
        return this.#add({ op: 'fork', next: part.parts.map((inner) => this.#emit(inner, next)) })
      case 'repeat':
        return this.#repeat(part, next)
      default:
        return part satisfies never
    }
  }

  #repeat({ part, min, max }: Extract<Part, { kind: 'repeat' }>, next: number): number {
    let first = next
    if (max === Infinity) {
      const again: Step = { op: 'fork', next: [] }
      first = this.#add(again)
      again.next = [this.#emit(part, first), next]
    } else
      for (let times = min; times < max; times++)
        first = this.#add({ op: 'fork', next: [this.#emit(part, first), next] })
    for (let times = 0; times < min; times++) {
      const last = first
      first = this.#emit(part, last)
      // Nothing, as often as one likes.
      if (first === last) break
    }
    return first
  }

  #add(step: Step): number {
    if (this.#steps.length >= MOST_STEPS)
      throw new SyntaxError('too much in it: fewer or smaller repetitions are wanted')
    return this.#steps.push(step) - 1
  }

  #setOf(source: string): number {
    const known = this.#numbers.get(source)
    if (known !== undefined) return known
    const number = this.#sets.push(new RegExp(`^(?:${source})$`, `u${this.#flags.replace('m', '')}`)) - 1
    this.#numbers.set(source, number)
    return number
  }
}
