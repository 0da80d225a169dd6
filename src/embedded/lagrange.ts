// Describes Lagrange.OneBot (V1): where it is published, what runs where, how it is set up and what it says.

import type { Asset, Kind, Machine } from './kind.ts'
import { lagrangeReader } from './output.ts'
import { newestPicture } from './qrcode.ts'
import { lagrangeSettings } from './settings.ts'

/** Node's names for the machines that its makers build for, and theirs. */
const BUILDS: Record<string, string> = {
  'linux x64': 'linux-x64',
  'linux arm': 'linux-arm',
  'linux arm64': 'linux-arm64',
  'darwin x64': 'osx-x64',
  'darwin arm64': 'osx-arm64',
  'win32 x64': 'win-x64',
  'win32 ia32': 'win-x86',
  // Windows on ARM runs programs built for x64.
  'win32 arm64': 'win-x64',
}

const WAY_OUT =
  'Run an external implementation instead, such as NapCat or LLBot, and set ntqq-impl.external-web-socket to its address'

export const lagrange = {
  name: 'Lagrange.OneBot',
  folder: 'Lagrange.OneBot',
  protocol: 'onebot-11',
  // A prerelease that is made anew under the same tag.
  repository: { owner: 'LagrangeDev', name: 'Lagrange.Core', tag: 'nightly' },
  executable: (os) => (os === 'win32' ? 'Lagrange.OneBot.exe' : 'Lagrange.OneBot'),
  asset,
  settings: lagrangeSettings,
  reader: lagrangeReader,
  qrcode: newestPicture,
} as const satisfies Kind

function asset({ os, cpu, musl }: Machine): Asset {
  if (os === 'linux' && musl)
    return { unsupported: `Lagrange.OneBot is built for glibc, and this system has musl (Alpine). ${WAY_OUT}` }
  const build = Object.hasOwn(BUILDS, `${os} ${cpu}`) ? BUILDS[`${os} ${cpu}`] : undefined
  if (build === undefined) return { unsupported: `Lagrange.OneBot is not built for ${os} on ${cpu}. ${WAY_OUT}` }
  return { file: `Lagrange.OneBot_${build}_net9.0_SelfContained.${os === 'win32' ? 'zip' : 'tar.gz'}` }
}
