// What can go wrong with an installation, in words that say what to do.

import { DownloadError } from '../lib/download.ts'
import { fileProblem, isOfFiles } from '../lib/file-error.ts'
import { HeldError } from '../lib/lock-file.ts'
import { NoSuchFileError } from '../lib/release.ts'
import { UnpackError } from '../lib/unpack-error.ts'
import { FindError } from './find.ts'

/** The message says what went wrong and what to do. */
export class InstallError extends Error {
  override readonly name = 'InstallError'
}

const MIRROR = 'set ntqq-impl.download.mirror to a download mirror that you trust'
const ARCHIVE =
  'download the file elsewhere and name it as ntqq-impl.archive or with perpetua lagrange install --archive'
const EXTERNAL = 'run NapCat or LLBot and set ntqq-impl.external-web-socket to its address'
const WAYS = `${MIRROR}, ${ARCHIVE}, or ${EXTERNAL}`

interface About {
  readonly kind: { readonly name: string }
  readonly folder: string
}

/** InstallErrors, and errors that are bugs, stay as they are. */
export function explained(error: unknown, { kind, folder }: About): unknown {
  const wrap = (message: string) => new InstallError(message, { cause: error })
  if (error instanceof DownloadError)
    return wrap(`${kind.name} was not downloaded: ${error.message}; ${advice(error, folder)}`)
  if (error instanceof NoSuchFileError) return wrap(`${error.message}; ${ARCHIVE}, or ${EXTERNAL}`)
  if (error instanceof FindError) return wrap(error.message)
  if (error instanceof UnpackError) return wrap(`${kind.name} was not unpacked: ${error.message}; ${WAYS}`)
  if (error instanceof HeldError)
    return wrap(
      `another installation is going on in ${folder} (process ${error.owner?.pid ?? 'unknown'}): wait for its end`,
    )
  if (isOfFiles(error)) return wrap(`${kind.name} was not installed: ${fileProblem(error)}; ${room(folder)}`)
  return error
}

const room = (folder: string) => `see to room and rights in ${folder}`

function advice({ why, status }: DownloadError, folder: string): string {
  switch (why) {
    case 'refused':
      if (status === 404) return `look at ntqq-impl.download.base and mirror; or ${ARCHIVE}, or ${EXTERNAL}`
      if (status === 403 || status === 429) return `too many downloads, or none from here: wait an hour, ${WAYS}`
      return `try again later, ${WAYS}`
    case 'lost':
      return `try again, which goes on from where it stopped (HTTPS_PROXY is used), ${WAYS}`
    case 'wrong':
      return `nothing was changed; try again later, or ${MIRROR}`
    case 'disk':
      return `${room(folder)}; nothing was changed`
    default:
      return why satisfies never
  }
}
