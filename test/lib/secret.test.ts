// Comparing secrets.

import { expect, test } from 'bun:test'
import { sameSecret } from '../../src/lib/secret.ts'

test('[OBS4] equal secrets are equal, whatever they hold; others are not, whatever their length', () => {
  for (const secret of ['', 'a', 'token', '密码 😀', 'x'.repeat(10_000)]) expect(sameSecret(secret, secret)).toBe(true)
  for (const [one, other] of [
    ['', 'a'],
    ['token', 'Token'],
    ['token', 'token '],
    ['x'.repeat(10_000), 'x'.repeat(9_999)],
  ] as const)
    expect(sameSecret(one, other)).toBe(false)
})
