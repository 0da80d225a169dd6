// Makes the executable file for one target.

import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { signed } from './macho.ts'
import type { Stamp } from './stamp.ts'
import { isWindows, LIMITS, programName, type Target } from './targets.ts'

export interface Compiled {
  readonly file: string
  /**
   * The source map, with the sources: apart from the program, which has the runtime's own packed form of it, so that
   * stack traces name files and lines. That is 2 MiB on the disk, and no memory before an error is printed.
   */
  readonly map: string
  /** Bytes. */
  readonly size: number
  /** Bytes of the minified source in it; its bytecode and the map come on top. */
  readonly bundle: number
}

export interface CompileOptions {
  /** `host`: the runtime that builds becomes the program's, and nothing is fetched. */
  readonly runtime: 'host' | 'fetched'
  readonly target: Target | undefined
  readonly folder: string
  readonly stamp: Stamp
}

/** Throws when it does not build, or has grown beyond what is thought right. */
export async function compile({ runtime, target, folder, stamp }: CompileOptions): Promise<Compiled> {
  // Its last part ends up in the program: a name of its own would make each build another.
  const outfile = `${folder}/${target === undefined ? 'perpetua' : programName(target)}`
  const build = await Bun.build({
    entrypoints: [join(import.meta.dir, '../../src/main.ts')],
    compile: { outfile, ...(runtime === 'fetched' && target !== undefined && { target: `bun-${target}` as const }) },
    minify: true,
    // Compiled ahead of time: the program starts in two thirds of the time.
    bytecode: true,
    format: 'esm',
    sourcemap: 'external',
    define: {
      PERPETUA_COMMIT: JSON.stringify(stamp.commit),
      PERPETUA_TIME: JSON.stringify(stamp.time.toISOString()),
      PERPETUA_TARGET: JSON.stringify(target) ?? 'undefined',
      PERPETUA_REPOSITORY: JSON.stringify(stamp.repository),
    },
  })
  if (!build.success) throw new AggregateError(build.logs, `${target ?? 'this machine'}: not built`)
  const bundle = build.outputs.find(({ kind }) => kind === 'entry-point')?.size ?? 0
  const map = build.outputs.find(({ kind }) => kind === 'sourcemap')?.path ?? ''
  if (target?.startsWith('darwin-')) writeFileSync(outfile, signed(readFileSync(outfile), 'perpetua'))
  if (target === undefined || !isWindows(target)) chmodSync(outfile, 0o755)
  const { size } = statSync(outfile)
  within(LIMITS.bundle, bundle, `${outfile}: the bundle`)
  within(LIMITS.program, size, outfile)
  return { file: outfile, map, size, bundle }
}

/** Growth is a decision, not an accident. */
export function within(most: number, bytes: number, what: string): void {
  if (bytes <= most) return
  throw new Error(`${what}: ${bytes} bytes, more than ${most}: find out why, or raise LIMITS in release/targets.ts`)
}
