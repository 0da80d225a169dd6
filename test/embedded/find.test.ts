// Where the program is looked for, and what is said when there is none.

import { expect, test } from 'bun:test'
import { access, chmod, constants, mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FindError, find, type Where } from '../../src/embedded/find.ts'
import { lagrange } from '../../src/embedded/lagrange.ts'
import { describe, use } from '../../src/embedded/versions.ts'
import { type Folder, folder } from '../support/folder.ts'

const linux = { os: 'linux', cpu: 'x64', musl: false }
const DEEP = 'Lagrange.OneBot/bin/Release/net9.0/linux-x64/publish/Lagrange.OneBot'

const where = (at: Folder, more: Partial<Where> = {}): Where => ({
  kind: lagrange,
  machine: linux,
  path: '',
  archive: '',
  folder: at.at('config', 'Lagrange.OneBot'),
  ...more,
})

async function program(file: string, mode = 0o755): Promise<string> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, '#!/bin/sh\n')
  await chmod(file, mode)
  return file
}

const refusal = (where: Where) =>
  find(where).catch((error) => {
    expect(error).toBeInstanceOf(FindError)
    return error.message
  })

test('[LGR4] first the path, then its own folder, then the archive, then a download', async () => {
  await using at = await folder()
  expect(await find(where(at))).toEqual({
    from: 'download',
    file: 'Lagrange.OneBot_linux-x64_net9.0_SelfContained.tar.gz',
  })
  const archive = at.at('lagrange.tar.gz')
  await writeFile(archive, 'x')
  expect(await find(where(at, { archive }))).toEqual({ from: 'archive', archive })
  const own = await program(at.at('config', 'Lagrange.OneBot', DEEP))
  expect(await find(where(at, { archive }))).toEqual({ from: 'folder', executable: own })
  const path = await program(at.at('mine'))
  expect(await find(where(at, { archive, path }))).toEqual({ from: 'path', executable: path })
})

test('[LGR4] nothing for this machine, or nothing where the config says: told with what to do', async () => {
  await using at = await folder()
  expect(await refusal(where(at, { machine: { ...linux, musl: true } }))).toMatch(/musl.*NapCat/)
  expect(await refusal(where(at, { archive: at.at('no.zip') }))).toBe(
    `ntqq-impl.archive: there is no file ${at.at('no.zip')}`,
  )
  expect(await refusal(where(at, { path: at.at('no') }))).toBe(`ntqq-impl.path: there is no ${at.at('no')}`)
  await mkdir(at.at('empty'))
  expect(await refusal(where(at, { path: at.at('empty') }))).toContain('there is no Lagrange.OneBot in')
  await writeFile(at.at('l.tar.gz'), 'x')
  expect(await refusal(where(at, { path: at.at('l.tar.gz') }))).toContain('ntqq-impl.archive')
})

test('[LGR5] it is found at any depth, the nearest to the top and then the newest', async () => {
  await using at = await folder()
  const own = (...names: string[]) => at.at('config', 'Lagrange.OneBot', ...names)
  // The Go version unpacked an artifact whose folders name their own .NET.
  const old = await program(own('Lagrange.OneBot/bin/Release/net8.0/linux-x64/publish/Lagrange.OneBot'))
  const found = async () => find(where(at))
  expect(await found()).toEqual({ from: 'folder', executable: old })
  const newer = await program(own(DEEP))
  await utimes(old, 1, 1)
  expect(await found()).toEqual({ from: 'folder', executable: newer })
  await program(own('.new-1', 'Lagrange.OneBot'))
  expect(await found()).toEqual({ from: 'folder', executable: newer })
  // Links that lead round in a circle are not followed.
  await symlink(own(), own('again'))
  const top = await program(own('publish', 'Lagrange.OneBot'))
  expect(await found()).toEqual({ from: 'folder', executable: top })
  expect(await find(where(at, { path: own() }))).toEqual({ from: 'path', executable: top })
})

test('[LGR5] of the versions that were installed, the one in use counts', async () => {
  await using at = await folder()
  const own = (...names: string[]) => at.at('config', 'Lagrange.OneBot', ...names)
  const install = async (name: string) => {
    const file = await program(own(name, DEEP))
    const about = {
      id: 1,
      platform: 'linux-x64',
      updatedAt: '',
      sha256: name,
      executable: DEEP,
      installedAt: name,
      from: '',
    }
    describe(own(name), about)
    use(own(), name)
    return file
  }
  const newer = await install('b')
  expect(await find(where(at))).toEqual({ from: 'folder', executable: newer })
  const older = await install('a')
  await utimes(older, 1, 1)
  expect(await find(where(at))).toEqual({ from: 'folder', executable: older })
})

test('[LGR5] on Windows it is the .exe', async () => {
  await using at = await folder()
  const machine = { os: 'win32', cpu: 'x64', musl: false }
  await program(at.at('config', 'Lagrange.OneBot', DEEP))
  expect(await find(where(at, { machine }))).toMatchObject({
    from: 'download',
    file: expect.stringMatching(/win-x64.*zip$/),
  })
  const exe = await program(at.at('config', 'Lagrange.OneBot', 'win', 'Lagrange.OneBot.exe'))
  expect(await find(where(at, { machine }))).toEqual({ from: 'folder', executable: exe })
})

test('[LGR6] what lost its execute bit gets it back in its own folder, and is told of elsewhere', async () => {
  await using at = await folder()
  const own = await program(at.at('config', 'Lagrange.OneBot', DEEP), 0o644)
  expect(await find(where(at))).toEqual({ from: 'folder', executable: own })
  await access(own, constants.X_OK)
  const path = await program(join(at.path, 'theirs'), 0o644)
  expect(await refusal(where(at, { path }))).toContain(`chmod +x ${path}`)
})
