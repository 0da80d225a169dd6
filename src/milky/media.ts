// Files on their way up: whatever a client calls one, as a URI that Milky takes, or as the address of one it has.

import { own } from '../onebot/object.ts'
import { BAD_REQUEST, MilkyError } from './api.ts'
import type { Stage } from './stage.ts'

type Fields = Readonly<Record<string, unknown>>

const URI = /^(?:https?|file|base64):\/\//i
const DATA_URI = /^data:[^,]{0,200};base64,/i
const WINDOWS_PATH = /^[a-z]:[\\/]/i

/**
 * A path is one on the implementation's machine. Anything else is the `file` of something received, whose address is
 * asked for now: the one that came with it is good for an hour or so.
 * @throws MilkyError where nothing can be made of it.
 */
export async function uriOf(data: Fields, it: Stage, key = 'file'): Promise<string> {
  const [file, url] = [textOf(data, key), textOf(data, 'url')]
  const given = file || url
  if (given === '') throw new MilkyError(BAD_REQUEST, `${key}: found nothing, wanted ${WANTED}`)
  const uri = asUri(given)
  if (uri !== undefined) return uri
  try {
    const { url: fresh } = await it.call('get_resource_temp_url', { resource_id: given })
    if (typeof fresh === 'string' && fresh !== '') return fresh
  } catch (error) {
    if (!(error instanceof MilkyError)) throw error
    // The old address may do.
    if (!URI.test(url)) throw new MilkyError(error.retcode, `${key} ${given.slice(0, 60)}: ${error.message}`)
  }
  if (URI.test(url)) return url
  throw new MilkyError(BAD_REQUEST, `${key}: found ${given.slice(0, 60)}, wanted ${WANTED}`)
}

const WANTED = 'http://, file://, base64://, a path, or the file of something received'

/** Undefined: it is the name of something received. */
export function asUri(given: string): string | undefined {
  if (URI.test(given)) return given
  const data = DATA_URI.exec(given)
  if (data !== null) return `base64://${given.slice(data[0].length)}`
  if (WINDOWS_PATH.test(given)) return `file:///${escaped(given.replaceAll('\\', '/'))}`
  return given.startsWith('/') ? `file://${escaped(given)}` : undefined
}

/** Everything that ends a path in an address, or begins an escape. */
const escaped = (path: string) => encodeURI(path).replace(/[?#]/g, encodeURIComponent)

/** The last part of an address, or a word for what has none. */
export function nameIn(uri: string): string {
  if (uri.startsWith('base64://')) return 'file'
  const last =
    uri
      .replace(/[?#].*$/s, '')
      .split('/')
      .at(-1) ?? ''
  try {
    return decodeURIComponent(last) || 'file'
  } catch {
    return last
  }
}

export function textOf(data: Fields, key: string): string {
  const value = own(data, key)
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}
