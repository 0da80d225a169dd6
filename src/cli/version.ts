// Which perpetua this is.

import manifest from '../../package.json' with { type: 'json' }

// Put in by the build; a checkout has none of them.
declare const PERPETUA_COMMIT: string | undefined
declare const PERPETUA_TIME: string | undefined
declare const PERPETUA_TARGET: string | undefined
declare const PERPETUA_REPOSITORY: string | undefined

export const version: string = manifest.version
export const description: string = manifest.description
export const commit: string | undefined = typeof PERPETUA_COMMIT === 'undefined' ? undefined : PERPETUA_COMMIT
/** For what this program was built, such as `linux-x64`; undefined where the source runs. */
export const target: string | undefined = typeof PERPETUA_TARGET === 'undefined' ? undefined : PERPETUA_TARGET
/** When its commit was made. */
export const time: Date | undefined = typeof PERPETUA_TIME === 'undefined' ? undefined : new Date(PERPETUA_TIME)
/** `owner/name`: where its releases are published. */
export const repository: string =
  typeof PERPETUA_REPOSITORY === 'undefined' ? new URL(manifest.repository.url).pathname.slice(1) : PERPETUA_REPOSITORY

/** `0.1.0 (1a2b3c4)` */
export const versionText = commit === undefined ? version : `${version} (${commit})`
