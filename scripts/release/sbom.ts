// Says what is in the program, as CycloneDX 1.6.

import { createHash } from 'node:crypto'
import manifest from '../../package.json' with { type: 'json' }
import { type Component, components } from './components.ts'
import type { Stamp } from './stamp.ts'

/** The same commit gives the same text. */
export function sbom(stamp: Stamp): string {
  const { version, repository, time } = stamp
  const parts = components()
  const self = `pkg:github/${repository}@${version}`
  const runtime = {
    type: 'platform',
    'bom-ref': purl('bun', manifest.devDependencies.bun),
    name: 'bun',
    version: manifest.devDependencies.bun,
    licenses: licence('MIT'),
    purl: purl('bun', manifest.devDependencies.bun),
  }
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(`${self} ${stamp.commit}`)}`,
    version: 1,
    metadata: {
      timestamp: time.toISOString(),
      component: {
        type: 'application',
        'bom-ref': self,
        name: manifest.name,
        version,
        description: manifest.description,
        licenses: licence(manifest.license),
        purl: self,
        properties: [{ name: 'commit', value: stamp.commit }],
      },
    },
    components: [...parts.map(entry), runtime],
    dependencies: [
      { ref: self, dependsOn: [...refs(parts, Object.keys(manifest.dependencies)), runtime['bom-ref']].toSorted() },
      ...parts.map((part) => ({ ref: purl(part.name, part.version), dependsOn: refs(parts, part.needs) })),
      { ref: runtime['bom-ref'], dependsOn: [] },
    ],
  }
  return `${JSON.stringify(bom, null, 2)}\n`
}

const entry = ({ name, version, licence: id, sha512 }: Component) => ({
  type: 'library',
  'bom-ref': purl(name, version),
  name,
  version,
  hashes: [{ alg: 'SHA-512', content: sha512 }],
  licenses: licence(id),
  purl: purl(name, version),
})

/** Package URLs write the @ of a scope as %40. */
const purl = (name: string, version: string) => `pkg:npm/${name.replace('@', '%40')}@${version}`
const licence = (id: string) => (/^[\w.-]+$/.test(id) ? [{ license: { id } }] : [{ expression: id }])

const refs = (parts: Component[], names: readonly string[]) =>
  parts.filter(({ name }) => names.includes(name)).map(({ name, version }) => purl(name, version))

/** A UUID that belongs to the text: version 8, which leaves its bits to whoever makes it. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
