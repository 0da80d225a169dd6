// The token for whoever looks and steers.

import { expect, test } from 'bun:test'
import { chmodSync, statSync } from 'node:fs'
import { adminToken } from '../../src/observe/admin-token.ts'
import { folder } from '../support/folder.ts'

test('[OBS1] a configured token counts, and nothing is written', async () => {
  await using home = await folder()
  expect(adminToken('mine', home.path)).toEqual({ token: 'mine' })
  expect(await home.list()).toEqual([])
})

test('[OBS2] without one, a token is made, kept for its owner only, and found again', async () => {
  await using home = await folder()
  const first = adminToken('', home.at('data'))
  expect(first).toEqual({ token: expect.stringMatching(/^[\w-]{32}$/), file: home.at('data', 'admin-token') })
  expect(statSync(home.at('data', 'admin-token')).mode & 0o777).toBe(0o600)
  expect(adminToken('', home.at('data'))).toEqual(first)
})

test('[OBS2] what else stands in its file is no token', async () => {
  await using home = await folder()
  for (const text of ['', 'short', '   \n', 'x'.repeat(33)]) {
    await Bun.write(home.at('admin-token'), text)
    chmodSync(home.at('admin-token'), 0o644)
    expect(adminToken('', home.path).token).toMatch(/^[\w-]{32}$/)
    expect(statSync(home.at('admin-token')).mode & 0o777).toBe(0o600)
  }
})

test('[OBS3] where nothing can be kept, the token lasts as long as the program', async () => {
  await using home = await folder()
  await Bun.write(home.at('data'), 'a file is in the way')
  const { token, file } = adminToken('', home.at('data'))
  expect(token).toMatch(/^[\w-]{32}$/)
  expect(file).toBeUndefined()
  expect(adminToken('', undefined)).toEqual({ token: expect.stringMatching(/^[\w-]{32}$/) })
})
