// A release to install from: its program is a script that says its version, so that tests are quick.

import { tarGz } from '../support/archive.ts'
import { type ReleaseHost, releaseHost, sha256 } from '../support/release-host.ts'

export const TARGET = 'linux-x64'
export const ARCHIVE = `perpetua-${TARGET}.tar.gz`

/** What stands in the place of the program. */
export const script = (version: string) => `#!/bin/sh\necho "${version} (abcdef0)"\n`

/** Its archive, padded so that a line can be cut in its midst. */
export const archiveOf = (version: string, body = script(version)) =>
  tarGz([
    {
      name: `perpetua-${TARGET}/LICENSE`,
      body: Buffer.from(Array.from({ length: 20_000 }, () => Math.random() * 256)),
    },
    { name: `perpetua-${TARGET}/perpetua`, body, mode: 0o755 },
  ])

export async function release(version: string, bytes: Buffer = archiveOf(version)): Promise<ReleaseHost> {
  const host = await releaseHost({ file: ARCHIVE, bytes, tag: `v${version}` })
  host.others['SHA256SUMS'] = `${'0'.repeat(64)}  other.zip\n${sha256(bytes)}  ${ARCHIVE}\n`
  return host
}
