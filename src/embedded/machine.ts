// Finds out what machine this is, as far as the choice of a program depends on it.

import { existsSync, readdirSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import type { Machine } from './kind.ts'

export function thisMachine(): Machine {
  const os = platform()
  return { os, cpu: arch(), musl: os === 'linux' && isMusl('/') }
}

/** Where glibc's loader stands, whatever the distribution. */
const GLIBC = ['lib64/ld-linux-x86-64.so.2', 'lib/ld-linux-aarch64.so.1', 'lib/ld-linux-armhf.so.3']

/**
 * Whether the system below `root` has musl for its C library. The loaders tell, not the runtime that we happen to be.
 * Debian with the musl package has both and is none; Alpine's gcompat only looks like glibc, and .NET does not start on it.
 */
export function isMusl(root: string): boolean {
  const names = namesIn(join(root, 'lib'))
  if (!names.some((name) => name.startsWith('ld-musl-'))) return false
  return names.some((name) => name.startsWith('libgcompat.')) || !GLIBC.some((loader) => existsSync(join(root, loader)))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
