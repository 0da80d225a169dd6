// Archives that nobody vouches for: what comes out, and what does not.

import { expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { type Limits, unpack } from '../../src/lib/unpack.ts'
import { UnpackError } from '../../src/lib/unpack-error.ts'
import { type Item, tar, tarGz, zip } from '../support/archive.ts'
import { type Folder, folder } from '../support/folder.ts'

const FORMATS = { tarGz, zip }

async function unpacked(home: Folder, archive: Uint8Array, limits: Partial<Limits> = {}): Promise<unknown> {
  await Bun.write(home.at('in'), archive)
  return unpack(home.at('in'), home.at('out'), { limits }).then(
    () => 'unpacked',
    (error: unknown) => error,
  )
}

for (const [name, make] of Object.entries(FORMATS)) {
  test(`[INS3] ${name}: files come out whole, in their folders, executable where they were`, async () => {
    await using home = await folder()
    const big = crypto.getRandomValues(new Uint8Array(60_000))
    const archive = make([
      { name: 'a/', type: '5', mode: 0o755 },
      { name: 'a/b/程序', body: big, mode: 0o755 },
      { name: './a/empty', mode: 0o4644 },
      { name: 'text', body: 'hi' },
    ])
    expect(await unpacked(home, archive)).toBe('unpacked')
    expect(await Bun.file(home.at('out', 'a', 'b', '程序')).bytes()).toEqual(big)
    expect(statSync(home.at('out', 'a', 'b', '程序')).mode & 0o111).not.toBe(0)
    expect(await home.read('out', 'a', 'empty')).toBe('')
    expect(statSync(home.at('out', 'a', 'empty')).mode & 0o7111).toBe(0)
    expect(await home.read('out', 'text')).toBe('hi')
    expect(await home.list('out')).toEqual(['a', 'text'])
  })

  test(`[INS4] ${name}: nothing gets out of the folder, and nothing of a refused archive stays`, async () => {
    const evil: Record<string, Item[]> = {
      traversal: [{ name: '../escaped', body: 'x' }],
      'traversal inside': [{ name: 'a/../../escaped', body: 'x' }],
      'a folder outside': [{ name: '../escaped/', type: '5' }],
      absolute: [{ name: '/tmp/perpetua-escaped', body: 'x' }],
      drive: [{ name: 'C:/escaped', body: 'x' }],
      'a link out': [
        { name: 'link', type: '2', link: '..' },
        { name: 'link/escaped', body: 'x' },
      ],
      'a link within': [{ name: 'link', type: '2', link: 'x' }],
      device: [{ name: 'null', type: '3' }],
      twice: [
        { name: 'a', body: '1' },
        { name: './a', body: '2' },
      ],
      ...(make === tarGz && {
        'a hard link': [{ name: 'link', type: '1', link: '/etc/passwd' }],
        backslash: [{ name: '..\\escaped', body: 'x' }],
      }),
    }
    for (const [what, items] of Object.entries(evil)) {
      await using home = await folder()
      const result = await unpacked(home, make([{ name: 'first', body: '1' }, ...items]))
      expect([what, result]).toEqual([what, expect.any(UnpackError)])
      expect([what, await home.list()]).toEqual([what, ['in']])
      expect(await Bun.file('/tmp/perpetua-escaped').exists()).toBe(false)
    }
  })

  test(`[INS5] ${name}: bombs are given up: bytes, entries, bytes for each byte of the archive`, async () => {
    const zeros = (megabytes: number) => new Uint8Array(megabytes * 2 ** 20)
    const items = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `f${i}`, body: '' }))
    const told = async (archive: Uint8Array, limits: Partial<Limits> = {}) => {
      await using home = await folder()
      const result = await unpacked(home, archive, limits)
      expect(await home.list()).toEqual(result === 'unpacked' ? ['in', 'out'] : ['in'])
      return result instanceof Error ? result.message : result
    }
    expect(await told(make([{ name: 'a', body: zeros(65) }]))).toContain('100 times its own size')
    expect(await told(make([{ name: 'a', body: zeros(1) }]), { bytes: 2 ** 19 })).toContain('more than 524288 bytes')
    expect(await told(make(items(21)), { entries: 20 })).toContain('more than 20 entries')
    expect(await told(make(items(20)), { entries: 20 })).toBe('unpacked')
    expect(await told(make([{ name: 'a', body: zeros(1) }]))).toBe('unpacked')
  })

  test(`[INS6] ${name}: what is damaged or cut off is refused`, async () => {
    const whole = make([{ name: 'a', body: crypto.getRandomValues(new Uint8Array(50_000)) }])
    const flipped = Buffer.from(whole)
    flipped.writeUInt8((flipped.at(25_000) ?? 0) ^ 0xff, 25_000)
    for (const bytes of [whole.subarray(0, -400), whole.subarray(0, 20_000), flipped, whole.subarray(0, 3)]) {
      await using home = await folder()
      expect(await unpacked(home, bytes)).toBeInstanceOf(UnpackError)
      expect(await home.list()).toEqual(['in'])
    }
  })
}

test('[INS5] padding that is no file counts, too', async () => {
  await using home = await folder()
  const padded = Bun.gzipSync(Buffer.concat([tar([{ name: 'a', body: 'x' }]), Buffer.alloc(65 * 2 ** 20)]))
  expect(await unpacked(home, padded)).toBeInstanceOf(UnpackError)
})

test('[INS6] a page in the place of an archive is told as such', async () => {
  await using home = await folder()
  const result = await unpacked(home, Buffer.from('<!doctype html><title>Not found</title>'))
  expect(result).toMatchObject({ message: expect.stringContaining('perhaps a page') })
})

test('[INS6] an abort leaves nothing behind', async () => {
  await using home = await folder()
  await Bun.write(home.at('in'), tarGz([{ name: 'a', body: new Uint8Array(2 ** 20) }]))
  const stop = new AbortController()
  const work = unpack(home.at('in'), home.at('out'), { signal: stop.signal }).catch((error: unknown) => error)
  stop.abort(new Error('enough'))
  expect(await work).toEqual(new Error('enough'))
  expect(await home.list()).toEqual(['in'])
})
