// Which perpetua this is.

import manifest from '../../package.json' with { type: 'json' }

/** Put in by the build; a checkout has none. */
declare const PERPETUA_COMMIT: string | undefined

export const version: string = manifest.version
export const description: string = manifest.description
export const commit: string | undefined = typeof PERPETUA_COMMIT === 'undefined' ? undefined : PERPETUA_COMMIT

/** `0.1.0 (1a2b3c4)` */
export const versionText = commit === undefined ? version : `${version} (${commit})`
