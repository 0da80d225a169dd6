// The packages that end up in the program: what the lock file says of them, and their licences.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }

export interface Component {
  readonly name: string
  readonly version: string
  readonly licence: string
  /** SHA-512 of its archive in the registry, in hexadecimal digits. */
  readonly sha512: string
  /** Names of those that it needs, among the others here. */
  readonly needs: readonly string[]
}

/** As bun.lock has them: `name@version`, registry, what it says of itself, integrity. */
type Locked = [id: string, registry: string, about: { dependencies?: Record<string, string> }, integrity: string]

const ROOT = join(import.meta.dir, '../..')
const folderOf = (name: string) => join(ROOT, 'node_modules', name)

/** All that `dependencies` of package.json bring along, in the order of their names. */
export function components(): Component[] {
  const lock = Bun.JSONC.parse(readFileSync(join(ROOT, 'bun.lock'), 'utf8'))
  const { packages } = lock as { packages: Record<string, Locked> } // as Bun writes it
  const found = new Map<string, Component>()
  const waiting = Object.keys(manifest.dependencies)
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue
    const [id, , { dependencies = {} }, integrity] = packages[name] ?? missing(name)
    const needs = Object.keys(dependencies).toSorted()
    for (const need of needs) if (packages[`${name}/${need}`]) throw new Error(`${name} has a ${need} of its own`)
    waiting.push(...needs)
    found.set(name, {
      name,
      version: id.slice(id.lastIndexOf('@') + 1),
      licence: licenceOf(name),
      sha512: Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex'),
      needs,
    })
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function missing(name: string): never {
  throw new Error(`bun.lock: ${name} is not there; run bun install`)
}

function licenceOf(name: string): string {
  const { license } = JSON.parse(readFileSync(join(folderOf(name), 'package.json'), 'utf8'))
  if (typeof license !== 'string') throw new Error(`${name}: its package.json names no licence`)
  return license
}

/** Their licences in full, as these ask for. */
export function thirdParty(): string {
  const parts = components().map(({ name, version, licence }) => {
    const file = readdirSync(folderOf(name)).find((file) => /^licen[cs]e/i.test(file))
    const text = file === undefined ? '' : `\n\n${readFileSync(join(folderOf(name), file), 'utf8').trim()}`
    return `${name} ${version}, ${licence}${text}`
  })
  const runtime = `Bun ${manifest.devDependencies.bun}, the runtime: MIT, and what https://bun.com/docs/project/license lists`
  const line = `\n\n${'-'.repeat(80)}\n\n`
  return `perpetua contains these, under their own licences.${line}${[...parts, runtime].join(line)}\n`
}
