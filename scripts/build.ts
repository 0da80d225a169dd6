// Makes dist/perpetua for this machine; with --pack its archive as well, with --all or --target NAME those of others.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import manifest from '../package.json' with { type: 'json' }
import { type Compiled, compile } from './release/compile.ts'
import { pack } from './release/pack.ts'
import { sbom } from './release/sbom.ts'
import { stamp } from './release/stamp.ts'
import { isTarget, TARGETS, type Target, thisTarget } from './release/targets.ts'

const DIST = 'dist'
const RELEASE = 'release'
const OURS = new URL(manifest.repository.url).pathname.slice(1)
const { values: asked } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    pack: { type: 'boolean', default: false },
    target: { type: 'string', multiple: true, default: [] },
    out: { type: 'string', default: DIST },
  },
})
const about = stamp()

process.chdir(join(import.meta.dir, '..'))
const release = join(asked.out, RELEASE)
const targets = wanted()
if (targets.length > 0) await publish(targets)
else {
  const own = thisTarget()
  const made = await compile({ runtime: 'host', target: own, folder: asked.out, stamp: about })
  tell(made)
  if (asked.pack) {
    if (own === undefined) throw new Error(`no archive is made for ${process.platform} on ${process.arch}`)
    emptied(release)
    await packed(own, made)
    finish()
  }
}

function wanted(): Target[] {
  if (asked.all) return [...TARGETS]
  const unknown = asked.target.find((name) => !isTarget(name))
  if (unknown !== undefined) throw new Error(`--target: found ${unknown}, wanted one of ${TARGETS.join(', ')}`)
  return asked.target.filter(isTarget)
}

/** Every target in turn: each takes a hundred mebibytes while it is made. */
async function publish(targets: Target[]): Promise<void> {
  emptied(release)
  for (const target of targets) {
    const folder = join(asked.out, target)
    const made = await compile({ runtime: 'fetched', target, folder, stamp: about })
    tell(made)
    await packed(target, made)
  }
  finish()
}

async function packed(target: Target, { file, map }: Compiled): Promise<void> {
  const archive = await pack(target, file, release, about.time)
  writeFileSync(join(release, `perpetua-${target}.map.gz`), gzipSync(readFileSync(map), { level: 9 }))
  console.log(`${archive.file} ${mebi(archive.size)}`)
}

/** What stands beside the archives, and the sums of all. */
function finish(): void {
  writeFileSync(join(release, 'sbom.cdx.json'), sbom(about))
  // A fork's scripts install from the fork.
  for (const file of ['docs/config.schema.json', 'scripts/install.sh', 'scripts/install.ps1'])
    writeFileSync(join(release, basename(file)), readFileSync(file, 'utf8').replaceAll(OURS, about.repository))
  const sums = readdirSync(release)
    .toSorted()
    .map(
      (file) =>
        `${createHash('sha256')
          .update(readFileSync(join(release, file)))
          .digest('hex')}  ${file}\n`,
    )
  writeFileSync(join(release, 'SHA256SUMS'), sums.join(''))
}

function emptied(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
}

function tell({ file, size, bundle }: Compiled): void {
  console.log(`${file} ${mebi(size)}, of which our source ${mebi(bundle)}`)
}

function mebi(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
