// Downloads from a host that fails in all the ways that hosts fail.

import { expect, test } from 'bun:test'
import { existsSync, symlinkSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type Download, DownloadError, download, type Progress } from '../../src/lib/download.ts'
import { type Folder, folder } from '../support/folder.ts'
import { type ReleaseHost, releaseHost, sha256 } from '../support/release-host.ts'

const BYTES = crypto.getRandomValues(new Uint8Array(60_000))
const PATIENCE = { silence: 300, pause: 1, tries: 3 }

const host = (bytes: Uint8Array = BYTES) => releaseHost({ file: 'app.zip', bytes })
/** Resolves once the part has so many bytes. */
async function part(home: Folder, bytes: number): Promise<void> {
  while (((await stat(home.at('app.zip.part')).catch(() => undefined))?.size ?? 0) < bytes) await Bun.sleep(1)
}
const fetching = (from: ReleaseHost, home: Folder, options: Partial<Download> = {}) => {
  from.taken = (bytes) => part(home, bytes)
  return download({ url: `${from.url}/x/app.zip`, file: home.at('app.zip'), patience: PATIENCE, ...options })
}
const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => error,
  )
const bytesOf = (home: Folder) => Bun.file(home.at('app.zip')).bytes()

test('[INS7] a file comes whole, checked, dated, and with its progress told; redirects are followed', async () => {
  await using home = await folder()
  await using from = await host()
  from.redirects = true
  const seen: Progress[] = []
  const got = await fetching(from, home, {
    size: BYTES.length,
    sha256: sha256(BYTES).toUpperCase(),
    progress: (now) => seen.push(now),
  })
  expect(got).toEqual({ size: BYTES.length, sha256: sha256(BYTES), modified: new Date('2025-09-12T08:30:00Z') })
  expect(await bytesOf(home)).toEqual(BYTES)
  expect(await home.list()).toEqual(['app.zip'])
  expect(seen[0]).toEqual({ received: 0, total: BYTES.length })
  expect(seen.at(-1)).toEqual({ received: BYTES.length, total: BYTES.length })
  expect(from.asked.map(({ path }) => path)).toEqual(['/x/app.zip', '/elsewhere/app.zip'])
})

test('[INS8] a line that is cut or goes silent is taken up again where it ended', async () => {
  await using home = await folder()
  await using from = await host()
  from.faults = [{ cutAfter: 10_000 }, { silentAfter: 5_000 }]
  await fetching(from, home, { size: BYTES.length })
  expect(await bytesOf(home)).toEqual(BYTES)
  expect(from.asked.map(({ range, ifRange }) => [range, ifRange])).toEqual([
    [undefined, undefined],
    ['bytes=10000-', '"one"'],
    ['bytes=15000-', '"one"'],
  ])
})

test('[INS8] a later download goes on with what an earlier one left, if the file is still the same', async () => {
  for (const changed of ['nothing', 'the file', 'the address', 'no validator']) {
    await using home = await folder()
    await using from = await host()
    if (changed === 'no validator') from.release = { ...from.release, etag: 'W/"weak"', modified: '' }
    from.faults = [{ silentAfter: 20_000 }]
    const stop = new AbortController()
    const first = failure(fetching(from, home, { signal: stop.signal, patience: { ...PATIENCE, silence: 60_000 } }))
    await from.silent
    await part(home, 20_000)
    stop.abort(new Error('enough'))
    expect(await first).toEqual(new Error('enough'))
    expect(await home.list()).toEqual(['app.zip.part', 'app.zip.part.json'])

    const next = changed === 'the file' ? crypto.getRandomValues(new Uint8Array(70_000)) : BYTES
    if (changed === 'the file') from.release = { ...from.release, bytes: next, etag: '"two"' }
    const url = `${from.url}/${changed === 'the address' ? 'y' : 'x'}/app.zip`
    await fetching(from, home, { url })
    expect(await bytesOf(home)).toEqual(next)
    expect(await home.list()).toEqual(['app.zip'])
    const resumed = changed === 'nothing' || changed === 'the file'
    expect([changed, from.asked.at(-1)?.range]).toEqual([changed, resumed ? 'bytes=20000-' : undefined])
  }
})

test('[INS8] a date takes the place of an ETag; what was whole already is not asked for again', async () => {
  await using home = await folder()
  await using from = await host()
  from.release = { ...from.release, etag: '' }
  from.faults = [{ cutAfter: 10 }]
  await fetching(from, home)
  expect(from.asked[1]).toMatchObject({ range: 'bytes=10-', ifRange: from.release.modified })

  await Bun.write(home.at('app.zip.part'), BYTES)
  const note = { url: `${from.url}/x/app.zip`, validator: from.release.modified, modified: from.release.modified }
  await Bun.write(home.at('app.zip.part.json'), JSON.stringify(note))
  await fetching(from, home, { size: BYTES.length, sha256: sha256(BYTES) })
  expect(from.asked.at(-1)?.range).toBe(`bytes=${BYTES.length}-`)
  expect(await home.list()).toEqual(['app.zip'])
})

test('[INS8] hosts without ranges, or with wrong ones, cost a new start and no wrong file', async () => {
  await using home = await folder()
  await using from = await host()
  from.ranges = false
  from.faults = [{ cutAfter: 10_000 }]
  await fetching(from, home)
  expect(await bytesOf(home)).toEqual(BYTES)
  from.ranges = true
  from.faults = [{ cutAfter: 10_000 }, { range: `bytes 9000-${BYTES.length - 1}/${BYTES.length}` }]
  await fetching(from, home)
  expect(await bytesOf(home)).toEqual(BYTES)
  expect(from.asked.at(-1)?.range).toBeUndefined()
})

test('[INS9] three tries in a row that bring nothing more are the end; each byte more is worth three others', async () => {
  await using home = await folder()
  await using from = await host()
  from.faults = Array.from({ length: 9 }, () => ({ cutAfter: 1_000 }))
  await fetching(from, home)
  expect(from.asked).toHaveLength(10)

  from.faults = [{ cutAfter: 1_000 }, { silentAfter: 0 }, { cutAfter: 0 }, { cutAfter: 0 }]
  expect(await failure(fetching(from, home))).toMatchObject({ name: 'DownloadError', why: 'lost' })
  from.faults = [{ status: 503 }, { status: 429 }, { status: 503 }]
  expect(await failure(fetching(from, home))).toMatchObject({ why: 'refused', status: 503 })
  from.faults = [{ status: 503 }, { status: 500 }]
  await fetching(from, home)
})

test('[INS9] what was refused for good is not asked for again', async () => {
  await using home = await folder()
  await using from = await host()
  for (const status of [403, 404, 410]) {
    from.asked.length = 0
    from.faults = [{ status }]
    expect(await failure(fetching(from, home))).toMatchObject({ why: 'refused', status })
    expect(from.asked).toHaveLength(1)
  }
  expect(await home.list()).toEqual([])
})

test('[INS9] a host that is not there is told as lost', async () => {
  await using home = await folder()
  const gone = await host()
  await gone[Symbol.asyncDispose]()
  expect(await failure(fetching(gone, home))).toMatchObject({ name: 'DownloadError', why: 'lost' })
})

test('[INS10] a file of another size or hash is refused, and nothing of it stays', async () => {
  await using home = await folder()
  await using from = await host()
  const other = sha256(new Uint8Array(1))
  const cases: Partial<Download>[] = [
    { size: 59_999 },
    { size: 60_001 },
    { sha256: other },
    { patience: { most: 100 } },
  ]
  for (const options of cases) {
    const error = await failure(fetching(from, home, options))
    expect(error).toBeInstanceOf(DownloadError)
    expect(error).toMatchObject({ why: 'wrong' })
    expect(existsSync(home.at('app.zip'))).toBe(false)
  }
  await fetching(from, home)
})

test('[INS10] what cannot be written says so', async () => {
  await using home = await folder()
  await using from = await host()
  expect(await failure(fetching(from, home, { file: home.at('none', 'app.zip') }))).toMatchObject({ why: 'disk' })
})

test.if(existsSync('/dev/full'))('[INS10] a full disk is told as such', async () => {
  await using home = await folder()
  await using from = await host()
  symlinkSync('/dev/full', home.at('app.zip.part'))
  expect(await failure(fetching(from, home))).toMatchObject({ why: 'disk', message: expect.stringContaining('full') })
})
