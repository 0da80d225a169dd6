// Gives ten million messages their numbers in a real file, and fails when two have the same: minutes, not for every day.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageIds } from '../src/milky/ids.ts'
import { messageNumbers } from '../src/storage/message-numbers.ts'

const COUNT = 10_000_000
const STEP = 1_000_000

const folder = mkdtempSync(join(tmpdir(), 'perpetua-ids-'))
const numbers = messageNumbers({
  folder,
  name: 'ids',
  bot: 'ids',
  report: (fact) => console.error(fact),
  most: 2 * COUNT,
})
const ids = new MessageIds(numbers, 10001)
const taken = new Uint32Array(2 ** 26)
const began = performance.now()
let twice = 0
for (let n = 0; n < COUNT; n++) {
  const id = ids.idOf({ scene: n % 5 === 0 ? 'friend' : 'group', peer: 100_000_000 + (n % 97), seq: n })
  const [at, bit] = [id >>> 5, 1 << (id & 31)]
  if (((taken[at] ?? 0) & bit) !== 0) twice += 1
  taken[at] = (taken[at] ?? 0) | bit
  if ((n + 1) % STEP === 0) console.error(`${n + 1} messages, ${Math.round((performance.now() - began) / 1000)} s`)
}
numbers.close()
rmSync(folder, { recursive: true, force: true })
console.log(`${COUNT} messages, ${twice} numbers given twice`)
process.exit(twice === 0 ? 0 : 1)
