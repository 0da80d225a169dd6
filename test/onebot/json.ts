// Arbitrary JSON texts, with all the spellings that serialisers and people come up with.

import fc from 'fast-check'

/** Pieces of string text: escapes, traps for whoever searches instead of parsing, and characters of all widths. */
const PIECES = ['a', '\\"', '\\\\', '\\/', '\\n', '\\u0065', '\\ud83d\\ude00', '\\ud800', '\\udc00', 'é', '你', '😀']
const TRAPS = ['{', '}', '[', ']', ',', ':', ' ', 'echo', '\\"echo\\":\\"token\\"', ',\\"echo\\":1}', '\\\\\\"}']
const NUMBERS = ['0', '-0', '1.0', '1e21', '-1837465291', '9007199254740993', '7672696335120716277', '0.10E-5']
const KEYS = [
  '"a"',
  '"b"',
  '"\\u0061"',
  '""',
  '"__proto__"',
  '"constructor"',
  '"data"',
  '"Echo"',
  '"echo "',
  '"\\"echo"',
]

/** Every way to write the key that are likely, and one that is not. */
export const ECHO = ['"echo"', '"\\u0065cho"', '"ech\\u006f"', '"\\u0065\\u0063\\u0068\\u006F"']

export const space = (): fc.Arbitrary<string> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom(' ', '\n  ', '\r\n\t') })

const string = () =>
  fc.array(fc.constantFrom(...PIECES, ...TRAPS), { maxLength: 6 }).map((pieces) => `"${pieces.join('')}"`)

/** The text of any JSON value. */
export const json = (): fc.Arbitrary<string> =>
  fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      string(),
      fc.constantFrom(...NUMBERS, 'true', 'false', 'null'),
      fc.array(fc.tuple(space(), tie('value'), space()), { maxLength: 3 }).map((parts) => `[${joined(parts)}]`),
      fc
        .array(fc.tuple(fc.constantFrom(...KEYS, ...ECHO), space(), tie('value')), { maxLength: 3 })
        .map((parts) => `{${parts.map(([key, gap, value]) => `${key}${gap}:${value}`).join(',')}}`),
    ),
  })).value

const joined = (parts: string[][]) => parts.map((part) => part.join('')).join(',')

export interface Piece {
  readonly keyText: string
  readonly text: string
  /** White space before the key, after it, before the value and after it. */
  readonly gaps: readonly [string, string, string, string]
}

export const piece = (keys: readonly string[] = KEYS, value: fc.Arbitrary<string> = json()): fc.Arbitrary<Piece> =>
  fc.record({
    keyText: fc.constantFrom(...keys),
    text: value,
    gaps: fc.tuple(space(), space(), space(), space()),
  })

export const write = (members: readonly Piece[]): string =>
  `{${members.map(({ keyText, text, gaps: [a, b, c, d] }) => `${a}${keyText}${b}:${c}${text}${d}`).join(',')}}`

/** An object, with the members of which its text is made. */
export const object = (): fc.Arbitrary<{ raw: string; members: Piece[] }> =>
  fc
    .tuple(space(), fc.array(piece([...KEYS, ...ECHO]), { maxLength: 6 }), space())
    .map(([before, members, after]) => ({ raw: `${before}${write(members)}${after}`, members }))
