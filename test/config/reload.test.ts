// Files that change while the program runs.

import { expect, test } from 'bun:test'
import { rename, rm, writeFile } from 'node:fs/promises'
import { loadConfig } from '../../src/config/load.ts'
import { problemText } from '../../src/config/problem.ts'
import { watchConfig } from '../../src/config/reload.ts'
import { folder } from '../support/folder.ts'

/** A watched file, and what the watcher says about it, in order. */
async function watched(text?: string) {
  const home = await folder()
  const file = home.at('config.yml')
  const write = (next: string) => writeFile(file, next)
  if (text !== undefined) await write(text)
  const said: string[] = []
  let heard = () => {}
  const say = (what: string) => {
    said.push(what)
    heard()
  }
  // Nothing tells of a file that was read and is no change; but whoever reads it asks the environment.
  let reads = 0
  const environment = new Proxy<Record<string, string>>(
    {},
    {
      ownKeys() {
        reads += 1
        heard()
        return []
      },
    },
  )
  const reload = watchConfig({
    file,
    environment,
    current: await loadConfig({ file, environment: {}, missing: 'defaults' }),
    interval: 5,
    changed: (next, old) => say(`${old.http.port} -> ${next.config.http.port}`),
    refused: (problems) => say(problems.map(problemText).join().replace(file, 'F')),
  })
  const until = async (isSo: () => boolean) => {
    while (!isSo())
      await new Promise<void>((resolve) => {
        heard = resolve
      })
  }
  /** What has been said, once there are `count` things. */
  const hear = async (count: number) => {
    await until(() => said.length >= count)
    return said
  }
  /** Resolves once the file has been read so often since the start. */
  const read = (count: number) => until(() => reads >= count)
  return {
    ...{ home, file, write, reload, said, hear, read },
    async [Symbol.asyncDispose]() {
      reload[Symbol.dispose]()
      await home[Symbol.asyncDispose]()
    },
  }
}

test('[CFG31] a changed file takes effect; one that is wrong changes nothing and is told once', async () => {
  await using it = await watched('http: {port: 1}')
  await it.write('http: {port: 2}')
  await it.hear(1)
  await it.write('http: {port: x}')
  await it.hear(2)
  await it.write('http: {port: x}')
  await it.reload.reload()
  await it.write('http: {port: 3}')
  expect(await it.hear(4)).toEqual([
    '1 -> 2',
    expect.stringContaining('F:1:14  http.port: found "x"'),
    expect.stringContaining('F:1:14  http.port: found "x"'),
    '2 -> 3',
  ])
})

test('[CFG32] editors that write elsewhere and rename, and a file that is away for a while, are no trouble', async () => {
  await using it = await watched('http: {port: 1}')
  await writeFile(it.home.at('config.yml~'), 'http: {port: 2}')
  await rename(it.home.at('config.yml~'), it.file)
  await it.hear(1)
  await rm(it.file)
  await it.write('http: {port: 3}')
  expect(await it.hear(2)).toEqual(['1 -> 2', '2 -> 3'])
})

test('[CFG32] a file that comes into being later takes effect', async () => {
  await using it = await watched()
  await it.write('http: {port: 2}')
  expect(await it.hear(1)).toEqual(['8080 -> 2'])
})

test('[CFG33] what the program writes itself, and what means the same, is no change', async () => {
  await using it = await watched('http: {port: 1}')
  await it.read(1)
  it.reload.wrote('http: {port: 7}')
  await it.write('http: {port: 7}')
  await it.read(2)
  await it.write('# the same\nhttp:\n  port: 1\n')
  await it.read(3)
  await it.write('http: {port: 2}')
  expect(await it.hear(1)).toEqual(['1 -> 2'])
})

test('[CFG34] a reload that is asked for says what is wrong, a missing file too', async () => {
  await using it = await watched('http: {port: 1}')
  await it.reload.reload()
  await rm(it.file)
  await it.reload.reload()
  expect(await it.hear(2)).toEqual(['1 -> 1', expect.stringContaining('no such file')])
})

test('[CFG54] a file that has become empty, as a full disk leaves it, changes nothing', async () => {
  await using it = await watched('http: {port: 1}')
  await it.write(' \n')
  await it.reload.reload()
  expect(it.said).toEqual([expect.stringMatching(/^F {2}found an empty file, wanted the config \(.*\)$/)])
  await it.write('{}')
  await it.reload.reload()
  expect(it.said.at(-1)).toBe('1 -> 8080')
  await using blank = await watched('')
  await blank.write('\n')
  await blank.reload.reload()
  expect(blank.said).toEqual(['8080 -> 8080'])
})

test('[CFG35] a reload that is asked for takes effect again, a file that only seems changed does not', async () => {
  await using it = await watched('http: {port: 1}')
  await it.write('# the same\nhttp: {port: 1}')
  await it.reload.reload()
  await it.reload.reload()
  await it.write('http: {port: 2}')
  expect(await it.hear(3)).toEqual(['1 -> 1', '1 -> 1', '1 -> 2'])
})
