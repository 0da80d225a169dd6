// Which program is run at a start, and whether a newer one is looked for.

import { expect, test } from 'bun:test'
import { lagrange } from '../../src/embedded/lagrange.ts'
import { locate } from '../../src/embedded/locate.ts'
import { tarGz } from '../support/archive.ts'
import { folder } from '../support/folder.ts'
import { releaseHost } from '../support/release-host.ts'

test('[INS22] a start looks for a newer version if it is told to, and runs what is there if that fails', async () => {
  await using home = await folder()
  const bytes = (text: string) => tarGz([{ name: 'Lagrange.OneBot', body: text }])
  const file = 'Lagrange.OneBot_linux-x64_net9.0_SelfContained.tar.gz'
  await using host = await releaseHost({ file, bytes: bytes('one') })
  const said: string[] = []
  const installed: number[] = []
  const start = async (renew: boolean) => {
    const program = await locate({
      kind: lagrange,
      machine: { os: 'linux', cpu: 'x64', musl: false },
      path: '',
      archive: '',
      folder: home.at('L'),
      download: { base: host.url, mirror: '' },
      renew,
      signal: new AbortController().signal,
      progress: (what) => said.push(what),
      installed: ({ id }) => installed.push(id),
    })
    return Bun.file(program).text()
  }
  expect(await start(true)).toBe('one')
  host.release = { ...host.release, bytes: bytes('two'), etag: '"two"', id: 43 }
  expect(await start(false)).toBe('one')
  host.metadata = { status: 403 }
  expect(await start(true)).toBe('one')
  expect(said.at(-1)).toContain('no newer version can be looked for')
  host.metadata = { status: 0 }
  host.faults = [{ status: 404 }]
  expect(await start(true)).toBe('one')
  expect(said.at(-1)).toContain('404')
  expect(await start(true)).toBe('two')
  expect(await start(true)).toBe('two')
  expect(installed).toEqual([42, 43])
})
