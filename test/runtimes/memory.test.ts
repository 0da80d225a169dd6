// What a gateway gives back once it has started.

import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { unchangedPages } from '../../src/runtime/program-pages.ts'
import { folder } from '../support/folder.ts'
import { program } from '../support/program.ts'

const linux = process.platform === 'linux'
const { PERPETUA_RUNTIME: runtime = 'bun' } = process.env
const why = linux ? (runtime === 'bun' ? '' : ` (only Bun gives back; this is ${runtime})`) : ' (needs /proc)'

const mapping = (line: string, { dirty = 0, anonymous = 0, swap = 0 } = {}) =>
  [
    line,
    'Size:                 80 kB',
    'Rss:                  80 kB',
    `Private_Dirty:  ${String(dirty).padStart(10)} kB`,
    'Referenced:           80 kB',
    `Anonymous:      ${String(anonymous).padStart(10)} kB`,
    'AnonHugePages:         0 kB',
    `Swap:           ${String(swap).padStart(10)} kB`,
    'SwapPss:               0 kB',
    'VmFlags: rd mr mw me ',
    '',
  ].join('\n')

test('[RUN37] only code and constants of the file itself that nobody has changed are given back', () => {
  const smaps = [
    mapping('00200000-01a40000 r--p 00000000 fe:00 5522916                            /opt/per petua'),
    mapping('01a40000-0684a000 r-xp 01838000 fe:00 5522916                            /opt/per petua', { dirty: 4 }),
    mapping('0684a000-0684b000 r-xp 01838000 fe:00 5522916                            /opt/per petua', {
      anonymous: 8,
    }),
    mapping('0684b000-0684c000 r--p 01838000 fe:00 5522916                            /opt/per petua', {
      anonymous: 4,
    }),
    mapping('0684c000-0684d000 r--p 01838000 fe:00 5522916                            /opt/per petua', { swap: 4 }),
    mapping('0684d000-06f00000 rw-p 06642000 fe:00 5522916                            /opt/per petua'),
    mapping('06f00000-06f01000 r--s 06642000 fe:00 5522916                            /opt/per petua'),
    mapping('7f00b0000000-7f00b0021000 r-xp 00000000 00:00 0 '),
    mapping('7f00c0000000-7f00c0021000 r-xp 00000000 fe:00 77                         /usr/lib/libc.so.6'),
    mapping('7f00d0000000-7f00d0021000 r-xp 00000000 fe:00 78                         /opt/per petua.old'),
    mapping('7ffe3a3b9000-7ffe3a3bb000 r-xp 00000000 00:00 0                          [vdso]'),
  ].join('')
  expect(unchangedPages(smaps, '/opt/per petua')).toEqual([
    { from: 0x20_00_00, to: 0x1_a4_00_00 },
    { from: 0x1_a4_00_00, to: 0x6_84_a0_00 },
  ])
  expect(unchangedPages('', '/opt/per petua')).toEqual([])
})

test.skipIf(why !== '')(
  `[RUN37] a gateway holds less of its file soon after its start than before, and serves${why}`,
  async () => {
    await using home = await folder()
    await using gateway = program([], { cwd: home.path, env: { PERPETUA_HTTP_PORT: '0' }, as: 'perpetua' })
    const [, address = ''] = await gateway.says(/started address=(\S+)/)
    const before = held(gateway.pid)
    expect(before).toBeGreaterThan(10_000)
    // A quarter of it, some 12 MiB: what is touched meanwhile comes back with its neighbours.
    while (held(gateway.pid) > before * 0.75) await Bun.sleep(5)
    expect((await fetch(`${address}/healthz`)).status).toBe(200)
  },
)

/** Pages of files (KiB) that the system holds for a process. */
function held(pid: number): number {
  return Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}
