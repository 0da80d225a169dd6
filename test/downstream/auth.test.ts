// Who may come in, judged from headers alone; the doors themselves are tried in the stories.

import { expect, test } from 'bun:test'
import { type Access, judge } from '../../src/downstream/auth.ts'

const OPEN: Access = { token: '', openDiscovery: false, hosts: [], origins: [] }

const judged = (headers: Record<string, string>, access: Partial<Access> = {}, discovery = false) =>
  judge(
    { peer: '127.0.0.1', secure: false, header: (name) => headers[name], accessToken: undefined },
    { ...OPEN, ...access },
    { discovery },
  )?.status

test('[SEC11] what a page of another site makes a browser fetch is refused, with an Origin or without', () => {
  for (const discovery of [false, true])
    for (const access of [{}, { token: 'secret' }]) {
      const headers = { host: '127.0.0.1:8080', authorization: 'Bearer secret' }
      for (const site of ['cross-site', 'same-site'])
        expect(judged({ ...headers, 'sec-fetch-site': site }, access, discovery)).toBe(403)
      for (const site of ['same-origin', 'none'])
        expect(judged({ ...headers, 'sec-fetch-site': site }, access, discovery)).toBeUndefined()
    }
})

test('[SEC11] an allowed page of another site may come, since it says who it is', () => {
  const headers = { host: '127.0.0.1:8080', origin: 'https://example.com', 'sec-fetch-site': 'cross-site' }
  expect(judged(headers)).toBe(403)
  expect(judged(headers, { origins: ['https://example.com'] })).toBeUndefined()
})
