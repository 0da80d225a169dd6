// Describes Lagrange.Milky (Lagrange V2): where its builds are, what runs where, how it is set up and what it says.

import type { Asset, Kind, Machine } from './kind.ts'
import { milkyReader } from './milky-output.ts'
import { milkySettings } from './milky-settings.ts'
import { writtenPicture } from './qrcode.ts'

/** Node's names for the machines that its makers build for, and theirs. */
const BUILDS: Record<string, string> = {
  'linux x64': 'linux-x64',
  'darwin arm64': 'osx-arm64',
  'win32 x64': 'win-x64',
  // Windows on ARM runs programs built for x64.
  'win32 arm64': 'win-x64',
}

const WAY_OUT = 'Run LLBot or NapCat instead: ntqq-impl.mode: milky, or external'

const UNRELEASED =
  'Lagrange.Milky is not released: its builds are artifacts of GitHub Actions, which only who is logged in there may ' +
  'download. Get the one of the workflow milky-build of LagrangeDev/Lagrange.Core for this machine, and set ' +
  'ntqq-impl.archive to it, or ntqq-impl.path to the program in it; or set ntqq-impl.download.base to a server that ' +
  'has it; or ntqq-impl.embedded: lagrange-onebot'

export const lagrangeMilky = {
  name: 'Lagrange.Milky',
  folder: 'Lagrange.Milky',
  protocol: 'milky',
  repository: { owner: 'LagrangeDev', name: 'Lagrange.Core', tag: 'milky' },
  unreleased: UNRELEASED,
  executable: (os) => (os === 'win32' ? 'Lagrange.Milky.exe' : 'Lagrange.Milky'),
  asset,
  settings: milkySettings,
  reader: milkyReader,
  qrcode: writtenPicture,
} as const satisfies Kind

function asset({ os, cpu, musl }: Machine): Asset {
  if (os === 'linux' && musl)
    return { unsupported: `Lagrange.Milky is built for glibc, and this system has musl (Alpine). ${WAY_OUT}` }
  const build = Object.hasOwn(BUILDS, `${os} ${cpu}`) ? BUILDS[`${os} ${cpu}`] : undefined
  if (build === undefined) return { unsupported: `Lagrange.Milky is not built for ${os} on ${cpu}. ${WAY_OUT}` }
  return { file: `Lagrange.Milky-${build}.zip` }
}
