// What the page of the docs needs of others, out of the packages that bun.lock pins: docs/ is served as it is.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGES = join(import.meta.dir, '../node_modules')

/** By its place in docs/vendor, where it comes from. */
const FILES = {
  'docsify.min.js': 'docsify/dist/docsify.min.js',
  'search.min.js': 'docsify/dist/plugins/search.min.js',
  'core.min.css': 'docsify/dist/themes/core.min.css',
  'core-dark.min.css': 'docsify/dist/themes/addons/core-dark.min.css',
  'LICENSE-docsify.txt': 'docsify/LICENSE',
  'prism-bash.min.js': 'prismjs/components/prism-bash.min.js',
  'prism-java.min.js': 'prismjs/components/prism-java.min.js',
  'prism-json.min.js': 'prismjs/components/prism-json.min.js',
  'prism-yaml.min.js': 'prismjs/components/prism-yaml.min.js',
  'LICENSE-prism.txt': 'prismjs/LICENSE',
}

/** The files of docs/vendor, each with what makes its text. */
export const vendored: Record<string, () => string> = Object.fromEntries(
  Object.entries(FILES).map(([name, from]) => [
    `docs/vendor/${name}`,
    () => withoutMap(readFileSync(join(PACKAGES, from), 'utf8')),
  ]),
)

// A browser would ask for the map, which is not there.
const withoutMap = (text: string) => `${text.replace(/\s*(?:\/\/|\/\*)# sourceMappingURL=.*\s*$/, '').trimEnd()}\n`
