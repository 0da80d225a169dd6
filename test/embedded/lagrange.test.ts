// Which Lagrange.OneBot runs on which machine, and where its QR code's picture is.

import { expect, test } from 'bun:test'
import { mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { lagrange } from '../../src/embedded/lagrange.ts'
import { isMusl, thisMachine } from '../../src/embedded/machine.ts'
import { folder } from '../support/folder.ts'

test('[LGR1] every machine that it is built for gets its file, others are told the way out', () => {
  const file = (os: string, cpu: string, musl = false) => lagrange.asset({ os, cpu, musl })
  const built = (name: string) => ({ file: `Lagrange.OneBot_${name}` })
  expect(file('linux', 'x64')).toEqual(built('linux-x64_net9.0_SelfContained.tar.gz'))
  expect(file('linux', 'arm')).toEqual(built('linux-arm_net9.0_SelfContained.tar.gz'))
  expect(file('linux', 'arm64')).toEqual(built('linux-arm64_net9.0_SelfContained.tar.gz'))
  expect(file('darwin', 'x64')).toEqual(built('osx-x64_net9.0_SelfContained.tar.gz'))
  expect(file('darwin', 'arm64')).toEqual(built('osx-arm64_net9.0_SelfContained.tar.gz'))
  expect(file('win32', 'x64')).toEqual(built('win-x64_net9.0_SelfContained.zip'))
  expect(file('win32', 'ia32')).toEqual(built('win-x86_net9.0_SelfContained.zip'))
  expect(file('win32', 'arm64')).toEqual(built('win-x64_net9.0_SelfContained.zip'))
  for (const none of [
    file('freebsd', 'x64'),
    file('linux', 'riscv64'),
    file('linux', 'x64', true),
    file('', '__proto__'),
  ])
    expect(none).toEqual({ unsupported: expect.stringMatching(/NapCat or LLBot.*ntqq-impl\.external-web-socket/) })
  expect(file('linux', 'x64', true)).toEqual({ unsupported: expect.stringContaining('musl') })
  expect(lagrange.executable('win32')).toBe('Lagrange.OneBot.exe')
  expect(lagrange.executable('linux')).toBe('Lagrange.OneBot')
})

test('[LGR2] musl is told by its loader, unless glibc is there as well', async () => {
  await using root = await folder()
  await mkdir(root.at('lib'))
  await mkdir(root.at('lib64'))
  expect(isMusl(root.path)).toBe(false)
  await writeFile(root.at('lib', 'ld-musl-x86_64.so.1'), '')
  expect(isMusl(root.path)).toBe(true)
  await writeFile(root.at('lib64', 'ld-linux-x86-64.so.2'), '')
  expect(isMusl(root.path)).toBe(false)
  await writeFile(root.at('lib', 'libgcompat.so.0'), '')
  expect(isMusl(root.path)).toBe(true)
  expect(isMusl(root.at('nowhere'))).toBe(false)
  expect(thisMachine()).toMatchObject({ os: process.platform, cpu: process.arch })
})

test('[LGR3] the picture to scan is the newest that was written since the start', async () => {
  await using cwd = await folder()
  const picture = async (name: string, at: number) => {
    await writeFile(cwd.at(name), 'png')
    await utimes(cwd.at(name), at / 1000, at / 1000)
  }
  const start = Date.now()
  expect(await lagrange.qrcode(cwd.path, start)).toBeUndefined()
  await picture('qr-1.png', start - 60_000)
  expect(await lagrange.qrcode(cwd.path, start)).toBeUndefined()
  await picture('qr-0.png', start + 1000)
  await picture('qr-10001.png', start + 2000)
  await picture('other.png', start + 3000)
  await mkdir(cwd.at('qr-7.png'))
  expect(await lagrange.qrcode(cwd.path, start)).toBe(cwd.at('qr-10001.png'))
  await rm(cwd.at('qr-10001.png'))
  await symlink(cwd.at('gone'), cwd.at('qr-8.png'))
  await writeFile(cwd.at('qr-9.png'), '')
  await utimes(cwd.at('qr-9.png'), start, start)
  expect(await lagrange.qrcode(cwd.path, start)).toBe(cwd.at('qr-0.png'))
  expect(await lagrange.qrcode(cwd.at('nowhere'), start)).toBeUndefined()
})
