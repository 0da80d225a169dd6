// What every host must do: the same cases for Bun, Node and Deno, so without any test framework.

import type { Host } from '../../src/runtime/host.ts'
import { type Case, owning } from './case.ts'
import { dialling } from './dialling.ts'
import { listening } from './listening.ts'
import { patience, startSilence } from './patience.ts'
import { processes } from './processes.ts'
import { sockets } from './sockets.ts'

export const hostContract: readonly Case[] = [...sockets, ...listening, ...dialling, ...processes, ...patience]

/** Begins what takes long, so that it runs beside the other cases. */
export const warmUp = startSilence

export function perform({ run }: Case, host: Host): Promise<void> {
  return owning((own) => run(host, own))
}
