// What a build is made of: targets, stamps, archives, the list of parts. Whole archives are tried by packed.test.ts.

import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { list } from 'tar'
import { compile, within } from '../../scripts/release/compile.ts'
import { components, thirdParty } from '../../scripts/release/components.ts'
import { pack } from '../../scripts/release/pack.ts'
import { sbom } from '../../scripts/release/sbom.ts'
import { type Stamp, stamp } from '../../scripts/release/stamp.ts'
import { archiveName, TARGETS, thisTarget } from '../../scripts/release/targets.ts'
import { zip } from '../../scripts/release/zip.ts'
import { template } from '../../src/config/template.ts'
import { unpack } from '../../src/lib/unpack.ts'
import { folder } from '../support/folder.ts'
import { sha256 } from '../support/release-host.ts'

const ROOT = join(import.meta.dir, '../..')
const STAMP: Stamp = {
  version: '9.8.7',
  commit: 'abcdef0',
  time: new Date('2026-11-24T08:30:10Z'),
  repository: 'somebody/perpetua',
}
const hash = async (file: string) => sha256(await readFile(file))

test('[SHP1] there is a build for Linux with glibc and musl, for macOS and for Windows', () => {
  expect(TARGETS.map(archiveName)).toEqual([
    'perpetua-linux-x64.tar.gz',
    'perpetua-linux-x64-baseline.tar.gz',
    'perpetua-linux-arm64.tar.gz',
    'perpetua-linux-x64-musl.tar.gz',
    'perpetua-linux-x64-baseline-musl.tar.gz',
    'perpetua-linux-arm64-musl.tar.gz',
    'perpetua-darwin-x64.tar.gz',
    'perpetua-darwin-arm64.tar.gz',
    'perpetua-windows-x64.zip',
  ])
})

test('[SHP2] two builds of a commit are equal, bit by bit; each says its version, commit and target', async () => {
  await using home = await folder()
  const target = thisTarget()
  const made = []
  for (const name of ['one', 'two'])
    made.push(await compile({ runtime: 'host', target, folder: home.at(name), stamp: STAMP }))
  const [one, two] = made
  if (one === undefined || two === undefined) throw new Error('two builds were made')
  expect(await hash(one.file)).toBe(await hash(two.file))
  expect(await hash(one.map)).toBe(await hash(two.map))
  const { stdout } = Bun.spawnSync([one.file, '--version'])
  expect(stdout.toString()).toMatch(/^\d+\.\d+\.\d+\S* \(abcdef0\)\n$/)
  expect(Bun.spawnSync([one.file, 'doctor'], { cwd: home.path }).stdout.toString()).toContain(`for ${target}`)
})

test('[SHP2] [SHP6] two archives of the same program are equal; what the READMEs link to goes along; names, modes and times are those of the commit', async () => {
  await using home = await folder()
  await Bun.write(home.at('perpetua'), '#!/bin/sh\n')
  for (const target of ['linux-x64', 'windows-x64'] as const) {
    const { file } = await pack(target, home.at('perpetua'), home.at('one'), STAMP.time)
    const { file: again } = await pack(target, home.at('perpetua'), home.at('two'), STAMP.time)
    expect(await hash(file)).toBe(await hash(again))
    await unpack(file, home.at(target))
  }
  const along = [
    'ARCHITECTURE.md',
    'LICENSE',
    'README.md',
    'README.zh-CN.md',
    'THIRD-PARTY.txt',
    'config.default.yml',
    'config.schema.json',
    'docs',
  ]
  expect(await home.list('linux-x64', 'perpetua-linux-x64')).toEqual([...along, 'perpetua'])
  expect(await home.list('windows-x64', 'perpetua-windows-x64')).toEqual([...along, 'perpetua.exe'])
  const unpacked = (name: string) => home.at('linux-x64', 'perpetua-linux-x64', name)
  expect((await stat(unpacked('perpetua'))).mode & 0o777).toBe(0o755)
  expect((await stat(unpacked('LICENSE'))).mode & 0o777).toBe(0o644)
  expect(await readFile(unpacked('config.default.yml'), 'utf8')).toBe(template())
  for (const page of ['README.md', 'README.zh-CN.md']) {
    const links = [...(await readFile(unpacked(page), 'utf8')).matchAll(/(?:\]\(|src=")((?!http|#)[^)#"]+)/g)]
    expect(links.length).toBeGreaterThan(20)
    for (const [, to = ''] of links) expect([to, await Bun.file(unpacked(to)).exists()]).toEqual([to, true])
  }
  const times: (Date | undefined)[] = []
  await list({ file: home.at('one', 'perpetua-linux-x64.tar.gz'), onReadEntry: ({ mtime }) => void times.push(mtime) })
  expect(times.length).toBeGreaterThan(70)
  expect(times).toEqual(times.map(() => STAMP.time))
})

test('[SHP2] a .zip has names, modes, sums and times that others can read, and is the same whenever it is made', async () => {
  await using home = await folder()
  const time = new Date('2026-11-24T08:30:10Z')
  const entries = [
    { name: 'top/a.txt', bytes: Buffer.from('text '.repeat(1_000)), executable: false },
    { name: 'top/program', bytes: Buffer.from('#!/bin/sh\n'), executable: true },
  ]
  const bytes = zip(entries, time)
  expect(zip(entries, time).equals(bytes)).toBe(true)
  await Bun.write(home.at('it.zip'), bytes)
  await unpack(home.at('it.zip'), home.at('out'))
  expect(await home.read('out', 'top', 'a.txt')).toBe('text '.repeat(1_000))
  expect((await stat(home.at('out', 'top', 'program'))).mode & 0o111).not.toBe(0)
  expect((await stat(home.at('out', 'top', 'a.txt'))).mode & 0o111).toBe(0)
})

test('[SHP2] a checkout has the same bytes on every system, and its commit the same name in every clone', () => {
  const git = (...words: string[]) =>
    Bun.spawnSync(['git', ...words], { cwd: ROOT })
      .stdout.toString()
      .trim()
  for (const file of ['scripts/install.sh', 'page/index.html', 'test/fixtures/events.jsonl', 'README.md'])
    expect(git('check-attr', 'eol', '--', file)).toBe(`${file}: eol: lf`)
  expect(stamp().commit.replace('-dirty', '')).toBe(git('rev-parse', 'HEAD').slice(0, 7))
})

test('[SHP3] growth beyond what is thought right stops a build', () => {
  expect(() => within(10, 11, 'it')).toThrow('it: 11 bytes, more than 10: find out why, or raise LIMITS')
  within(10, 10, 'it')
})

test('[SHP4] the list of parts is CycloneDX 1.6: every package that goes along, with licence, sum and what it needs', () => {
  const text = sbom(STAMP)
  expect(sbom(STAMP)).toBe(text)
  const bom = JSON.parse(text)
  expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 })
  expect(bom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(bom.metadata.component).toMatchObject({
    version: '9.8.7',
    licenses: [{ license: { id: 'AGPL-3.0-or-later' } }],
  })
  const refs = new Set<string>([bom.metadata.component['bom-ref']])
  for (const part of bom.components) {
    expect(part).toMatchObject({ name: expect.any(String), version: expect.stringMatching(/^\d+\.\d+\.\d+/) })
    expect(part.licenses[0]).toHaveProperty('license.id')
    expect(part.purl).toBe(part['bom-ref'])
    if (part.type === 'library') expect(part.hashes[0].content).toMatch(/^[0-9a-f]{128}$/)
    expect(refs.has(part['bom-ref'])).toBe(false)
    refs.add(part['bom-ref'])
  }
  // What is named is there, and what is there is reached.
  const reached = bom.dependencies.flatMap(({ dependsOn }: { dependsOn: string[] }) => dependsOn)
  for (const ref of reached) expect(refs).toContain(ref)
  for (const ref of [...refs].slice(1)) expect(reached).toContain(ref)
  expect(bom.dependencies.map(({ ref }: { ref: string }) => ref).toSorted()).toEqual([...refs].toSorted())
})

test('[SHP4] every package in the bundle is in the list, and its licence goes along in full', async () => {
  const bundle = await Bun.build({
    entrypoints: [join(ROOT, 'src/main.ts')],
    target: 'bun',
    metafile: true,
  })
  const bundled = new Set(
    Object.keys(bundle.metafile?.inputs ?? {}).flatMap(
      (file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(file)?.[1] ?? [],
    ),
  )
  const listed = components().map(({ name }) => name)
  expect(bundled.size).toBeGreaterThan(5)
  for (const name of bundled) expect(listed).toContain(name)
  const texts = thirdParty()
  for (const { name, version } of components()) expect(texts).toContain(`${name} ${version}, `)
  expect(texts.match(/permission/gi)?.length).toBeGreaterThan(10)
})

test('[SHP5] AGPL-3.0-or-later stands in package.json, in the licence file and in the README', () => {
  const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
  expect(JSON.parse(read('package.json')).license).toBe('AGPL-3.0-or-later')
  expect(read('LICENSE')).toContain('GNU AFFERO GENERAL PUBLIC LICENSE')
  for (const file of ['README.md', 'README.zh-CN.md']) expect(read(file)).toContain('AGPL-3.0-or-later')
})
