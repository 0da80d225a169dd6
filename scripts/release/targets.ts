// What perpetua is built for, under the names that archives, install scripts and upgrades use.

import { thisMachine } from '../../src/embedded/machine.ts'

/** As Bun names them after `bun-`. `baseline`: processors without AVX2. `musl`: Alpine and the like. */
export const TARGETS = [
  'linux-x64',
  'linux-x64-baseline',
  'linux-arm64',
  'linux-x64-musl',
  'linux-x64-baseline-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'windows-x64',
] as const
export type Target = (typeof TARGETS)[number]

export const isTarget = (name: string): name is Target => (TARGETS as readonly string[]).includes(name)
export const isWindows = (target: Target) => target.startsWith('windows-')
export const programName = (target: Target) => (isWindows(target) ? 'perpetua.exe' : 'perpetua')
export const archiveName = (target: Target) => `perpetua-${target}.${isWindows(target) ? 'zip' : 'tar.gz'}`

/** What this machine runs; undefined when nothing is built for it. */
export function thisTarget(): Target | undefined {
  const { os, cpu, musl } = thisMachine()
  const name = `${os === 'win32' ? 'windows' : os}-${cpu}${musl ? '-musl' : ''}`
  return isTarget(name) ? name : undefined
}

const MEBI = 2 ** 20
/**
 * The most that anything may weigh, in bytes, some 12 % above today's greatest. The runtime is nearly all of a program:
 * what we add shows in the bundle.
 */
export const LIMITS = { bundle: 1.5 * MEBI, program: 135 * MEBI, archive: 64 * MEBI }
