// Where hostile stories play: a gateway, a bot that answers everything, and somebody who behaves.

import { type Bystander, bystander } from './bystander.ts'
import { ok } from './implementation.ts'
import { type Bed, type BedOptions, testbed } from './testbed.ts'

export interface Scene extends AsyncDisposable {
  readonly bed: Bed
  readonly port: number
  readonly watcher: Bystander
}

/** Stories that count facts ask for it to be in this process: by their `patience`. */
export async function scene({
  headers,
  ...options
}: BedOptions & { headers?: Record<string, string> } = {}): Promise<Scene> {
  const bed = await testbed(options)
  bed.bot.answer = (frame) => ok(frame)
  const watcher = await bystander({
    bot: bed.bot,
    client: () => bed.client('/onebot/v11/ws', { headers: headers ?? {} }),
  })
  return {
    bed,
    port: Number(new URL(bed.gateway.address).port),
    watcher,
    [Symbol.asyncDispose]: () => bed[Symbol.asyncDispose](),
  }
}
