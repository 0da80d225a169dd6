// Regular expressions of users: the same matches as the engine's own, and never more time than the text is worth.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { compileRegex, regexFlaw } from '../../src/lib/regex.ts'
import { worked } from '../support/work.ts'

const atom = fc.constantFrom(
  ...['a', 'b', 'A', '1', ' ', '_', '签', '😀', '\n', '.', '\\w', '\\W', '\\d', '\\s', '\\S', '\\.', '\\n', '\\u4e00'],
  ...['\\u7b7e', '\\u0061', '\\ud83d', '\\ude00', '\\ud83d\\ude00', '\\u{1f600}', '\\x61'],
  ...['[ab]', '[^a]', '[a-c1]', '[^\\w]', '[\\s签]', '\\p{L}', '\\P{L}', '[😀a]', '^', '$', '\\b', '\\B', ''],
)
const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  part: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    atom,
    fc
      .tuple(tie('pattern'), fc.constantFrom('', '*', '+', '?', '*?', '{2}', '{0,2}', '{1,}', '{0}'))
      .map(([inner, times]) => `(?:${inner})${times}`),
  ),
  pattern: fc
    .array(fc.array(tie('part'), { maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .map((options) => options.map((parts) => parts.join('')).join('|')),
}))
const text = fc
  .array(fc.constantFrom('a', 'b', 'A', '1', ' ', '_', '签', '😀', '\n', '.', 'ſ', '\ud83d', '\ude00', 'é'), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''))

/**
 * Whether JavaScript finds `source` in a text; undefined: its engine gave up. Bun's does after so many ways, and says then
 * that nothing matches. So the end of the text is an option, too: what finds not even that has not looked everywhere.
 */
function native(source: string, flags: string): (text: string) => boolean | undefined {
  const either = new RegExp(`(?:${source})|(?<end>(?![^]))`, `u${flags}`)
  return (text) => {
    const found = either.exec(text)
    return found === null ? undefined : found.groups?.['end'] === undefined
  }
}

test('[RGX1] a pattern matches what it matches in JavaScript with the flag u, whatever the flags', () => {
  fc.assert(
    fc.property(
      pattern,
      fc.constantFrom('', 'i', 'm', 's', 'ims'),
      fc.array(text, { minLength: 1 }),
      (source, flags, texts) => {
        const ours = compileRegex(flags === '' ? source : `(?${flags})${source}`)
        const theirs = native(source, flags)
        for (const one of texts) {
          const matches = theirs(one)
          // It takes seconds to give up: once is enough.
          if (matches === undefined) return
          expect([one, ours.test(one)]).toEqual([one, matches])
        }
      },
    ),
    { numRuns: 3_000 },
  )
})

test('[RGX1] what has more ways than an engine that tries them one by one has patience', () => {
  const source = '(?:(?:(?:\\S|\\W)|(?:|){2})+|){1,}(?:(?:a))|'
  for (const text of ['\ud83db\nAſA\n', 'bbbbbbbb']) {
    expect(compileRegex(source).test(text)).toBe(true)
    expect(compileRegex(`^(?:${source})$`).test(text)).toBe(false)
    expect(compileRegex(`^(?:${source})$`).test(`${text}a`)).toBe(true)
  }
})

test('[RGX1] what is usual in filters', () => {
  const matches = (pattern: string, text: string) => compileRegex(pattern).test(text)
  expect(matches('^/(help|h)\\b', '/help me')).toBe(true)
  expect(matches('^/(help|h)\\b', '/helpme')).toBe(false)
  expect(matches('签到|抽奖', '我要抽奖')).toBe(true)
  expect(matches('(?i)^HELLO$', 'hello')).toBe(true)
  expect(matches('\\[CQ:at,qq=\\d+\\]', 'x[CQ:at,qq=123]')).toBe(true)
  expect(matches('(?P<who>\\w+)-(?<what>\\w+)', 'a-b')).toBe(true)
  expect(matches('^\\u7b7e\\u5230$', '签到')).toBe(true)
  expect(matches('^\\ud83d\\ude00{2}$', '😀😀')).toBe(true)
  expect(matches('a{,2}|\\-\\!\\"', '-!"')).toBe(true)
  expect(matches('a{,2}', 'a{,2}')).toBe(true)
  expect(matches('', '')).toBe(true)
  expect(matches('^\\d{5,11}$', '123456789012')).toBe(false)
})

test('[RGX2] nothing makes it stand still: time grows with the text, not with its ways through the pattern', () => {
  const hard = [
    '(a+)+$',
    '(a|a)*$',
    '(a|aa)+$',
    '(.*a){12}$',
    '(a*)*b',
    '(?:a?){50}a{50}$',
    '.*.*.*.*=x',
    '(\\w+\\s?)+$',
  ]
  for (const pattern of hard) {
    const regex = compileRegex(pattern)
    const long = `${'a'.repeat(200_000)}!`
    const start = worked()
    regex.test(long)
    // A hundred times what it takes; a backtracking engine would need longer than there is time.
    expect(worked() - start).toBeLessThan(5_000)
  }
})

test('[RGX2] what is remembered between texts stays bounded', () => {
  const words = Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0x4e00 + i * 2, 0x4e01 + i * 2))
  const regex = compileRegex(`${words.join('|')}|\\b(?:[ab]*a[ab]{12}c)`)
  let seed = 1
  const random = () => (seed = (seed * 48_271) % 2_147_483_647)
  for (let i = 0; i < 200; i++) {
    const any = Array.from({ length: 200 }, () =>
      String.fromCodePoint(0x61 + (random() % 2), 0x3000 + (random() % 20_000)),
    )
    regex.test(any.join(''))
  }
  expect(regex.test(`……${words[299]}`)).toBe(true)
  expect(regex.test(`x ${'b'.repeat(30)}a${'ab'.repeat(6)}c`)).toBe(true)
  expect(regex.test(`x ${'b'.repeat(30)}a${'ab'.repeat(6)}bc`)).toBe(true)
  expect(regex.test(`x ${'b'.repeat(43)}c`)).toBe(false)
})

test('[RGX3] what cannot be matched so, and what is no pattern, is refused with its place and what to do', () => {
  const hint = (pattern: string) => regexFlaw(pattern)?.hint
  expect(hint('(a)\\1')).toBe('there is a reference back to a group, which is not supported (character 4)')
  expect(hint('^(?!x)')).toBe(
    'there is a look around, which is not supported: use .not or two conditions (character 2)',
  )
  expect(hint('(?<=a)b')).toContain('a look around')
  expect(hint('a(?i)b')).toContain('at the very start only')
  expect(hint('(a')).toBe('there is a ( that nothing closes (character 1)')
  expect(hint('a)')).toBe('there is a ) that closes nothing (character 2)')
  expect(hint('[a')).toContain('a [ that nothing closes')
  expect(hint('a\\')).toContain('a \\ at the end')
  expect(hint('*a')).toBe('there is nothing to repeat (character 1)')
  expect(hint('a**')).toContain('a repetition of a repetition')
  expect(hint('^*')).toContain('nothing to repeat')
  expect(hint('[b-a]')).toContain('[b-a], which means nothing')
  expect(hint('\\p{Nonsense}')).toContain('which means nothing')
  expect(hint('[[:alpha:]]')).toContain('\\p{L}')
  expect(hint('a{3,2}')).toContain('at most less than at least')
  expect(hint('a{9999}')).toContain('more than 1000 times')
  expect(hint('(a{1000}){1000}')).toContain('too much in it')
  expect(hint('((((){1000}){1000}){1000}){1000}')).toBeUndefined()
  expect(hint('a'.repeat(2_001))).toContain('longer than 2000')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (source) => {
      const flaw = regexFlaw(source)
      if (flaw === undefined) expect(typeof compileRegex(source).test(source)).toBe('boolean')
      else expect(flaw.hint).toStartWith('there is ')
    }),
    { numRuns: 3_000 },
  )
})
