// Reads the regular expressions that can be matched in linear time: all of them, but for what looks back or around.

/** What a pattern consists of; groups have become what is in them. */
export type Part =
  /** One character of those that `source` means, which a native expression decides. */
  | { readonly kind: 'one'; readonly source: string }
  | { readonly kind: 'all'; readonly parts: readonly Part[] }
  | { readonly kind: 'any'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeat'; readonly part: Part; readonly min: number; readonly max: number }
  | { readonly kind: 'assert'; readonly what: Assertion }
/** `edge`: of a word; `inside`: anywhere else. */
export type Assertion = 'start' | 'end' | 'edge' | 'inside'

export interface Pattern {
  readonly part: Part
  /** Some of i, m and s. */
  readonly flags: string
}

/** Nobody writes longer ones by hand. */
const LONGEST = 2_000
const MOST_TIMES = 1_000
/** Two of \u are one character only as the halves of one. */
const ESCAPE = /\\(?:u\{[^}]*\}|ud[89ab][\da-f]{2}\\ud[c-f][\da-f]{2}|u[\da-f]{4}|x..|c.|[pP]\{[^}]*\}|k<|.)/isuy

/** @throws SyntaxError that says what is wrong and where */
export function parseRegex(pattern: string): Pattern {
  if (pattern.length > LONGEST) throw new SyntaxError(`longer than ${LONGEST} characters`)
  const [prefix = '', flags = ''] = /^\(\?([ims]+)\)/.exec(pattern) ?? []
  return { part: new Parser(pattern, prefix.length, flags).whole(), flags }
}

class Parser {
  readonly #pattern: string
  readonly #flags: string
  #at: number

  constructor(pattern: string, start: number, flags: string) {
    this.#pattern = pattern
    this.#at = start
    this.#flags = flags
  }

  whole(): Part {
    const part = this.#choice()
    if (this.#at < this.#pattern.length) throw this.#wrong('a ) that closes nothing')
    return part
  }

  #choice(): Part {
    const parts = [this.#sequence()]
    while (this.#skip('|')) parts.push(this.#sequence())
    return only(parts) ?? { kind: 'any', parts }
  }

  #sequence(): Part {
    const parts: Part[] = []
    while (this.#at < this.#pattern.length && !this.#sees('|') && !this.#sees(')')) parts.push(this.#repeated())
    return only(parts) ?? { kind: 'all', parts }
  }

  #repeated(): Part {
    const from = this.#at
    const part = this.#single()
    const times = this.#times()
    if (times === undefined) return part
    if (part.kind === 'assert' && this.#pattern[from] !== '(') throw this.#wrong('nothing to repeat', from)
    // Lazily or not: whether it matches is the same.
    this.#skip('?')
    if (this.#times() !== undefined) throw this.#wrong('a repetition of a repetition', from)
    return { kind: 'repeat', part, ...times }
  }

  #times(): { min: number; max: number } | undefined {
    if (this.#skip('*')) return { min: 0, max: Infinity }
    if (this.#skip('+')) return { min: 1, max: Infinity }
    if (this.#skip('?')) return { min: 0, max: 1 }
    const [written, least = '', comma, most = ''] = this.#take(/\{(\d+)(,?)(\d*)\}/y) ?? []
    if (written === undefined) return undefined
    const min = Number(least)
    const max = comma === '' ? min : most === '' ? Infinity : Number(most)
    if (min > MOST_TIMES || (max !== Infinity && max > MOST_TIMES)) throw this.#wrong(`more than ${MOST_TIMES} times`)
    if (max < min) throw this.#wrong('at most less than at least')
    return { min, max }
  }

  #single(): Part {
    const from = this.#at
    if (this.#skip('(')) return this.#group(from)
    if (this.#skip('^')) return { kind: 'assert', what: 'start' }
    if (this.#skip('$')) return { kind: 'assert', what: 'end' }
    if (this.#skip('.')) return { kind: 'one', source: '.' }
    if (this.#sees('[')) return this.#set()
    if (this.#sees('\\')) return this.#escape()
    if (this.#sees('*') || this.#sees('+') || this.#sees('?')) throw this.#wrong('nothing to repeat')
    return literal(this.#take(/./suy)?.[0] ?? '')
  }

  #group(from: number): Part {
    const [kind = ''] = this.#take(/\?(?:P?<[A-Za-z_]\w*>|<?[=!]|[a-z-]*[:)]|.)/y) ?? []
    if (/^\?<?[=!]/.test(kind))
      throw this.#wrong('a look around, which is not supported: use .not or two conditions', from)
    if (/^\?[a-z-]+[:)]/.test(kind)) throw this.#wrong('flags, which may stand at the very start only: (?i)', from)
    if (kind !== '' && kind !== '?:' && !kind.endsWith('>')) throw this.#wrong('a group of an unknown kind', from)
    const part = this.#choice()
    if (!this.#skip(')')) throw this.#wrong('a ( that nothing closes', from)
    return part
  }

  #set(): Part {
    const from = this.#at
    const [source] = this.#take(/\[(?:\\.|[^\\\]])*\]/suy) ?? []
    if (source === undefined) throw this.#wrong('a [ that nothing closes')
    if (/\[:\w+:/.test(source)) throw this.#wrong('a class such as [:alpha:]: write [a-z] or \\p{L}', from)
    return this.#checked(source, from)
  }

  #escape(): Part {
    const from = this.#at
    const [source] = this.#take(ESCAPE) ?? []
    if (source === undefined) throw this.#wrong('a \\ at the end')
    if (source === '\\b') return { kind: 'assert', what: 'edge' }
    if (source === '\\B') return { kind: 'assert', what: 'inside' }
    if (/^\\(?:[1-9]|k<)/.test(source)) throw this.#wrong('a reference back to a group, which is not supported', from)
    // Some escape every mark to be safe.
    if (/^\\[!-/:-@[-`{-~ ]$/.test(source)) return literal(source.slice(1))
    return this.#checked(source, from)
  }

  /** A single character at a time cannot take long, so what it may be is left to the engine. */
  #checked(source: string, from: number): Part {
    try {
      new RegExp(`^(?:${source})$`, `u${this.#flags}`)
      return { kind: 'one', source }
    } catch {
      throw this.#wrong(`${source.length > 20 ? `${source.slice(0, 20)}…` : source}, which means nothing`, from)
    }
  }

  #sees = (text: string) => this.#pattern.startsWith(text, this.#at)

  #skip(text: string): boolean {
    const found = this.#sees(text)
    if (found) this.#at += text.length
    return found
  }

  /** @param what is sticky */
  #take(what: RegExp): RegExpExecArray | undefined {
    what.lastIndex = this.#at
    const found = what.exec(this.#pattern) ?? undefined
    this.#at += found?.[0].length ?? 0
    return found
  }

  #wrong = (what: string, at = this.#at) => new SyntaxError(`${what} (character ${at + 1})`)
}

const only = (parts: readonly Part[]) => (parts.length === 1 ? parts[0] : undefined)

const literal = (character: string): Part => ({
  kind: 'one',
  source: character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&'),
})
