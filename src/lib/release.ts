// Finds out where a release's file is and what it must be, from the release host or a server that answers like it.

import * as v from 'valibot'

/** '' for GitHub itself, and for no mirror. */
export interface Origin {
  readonly base: string
  readonly mirror: string
}

export interface Repository {
  readonly owner: string
  readonly name: string
  /** `latest`: the newest that is no prerelease. */
  readonly tag: string
}

/** A file that can be downloaded. What the release host did not tell is undefined, and `unchecked` says why. */
export interface ReleaseFile {
  readonly url: string
  /** The release's tag, also where `latest` was asked for. */
  readonly tag: string | undefined
  /** The release's number. */
  readonly id: number | undefined
  /** When the file was last replaced: such releases keep their name. */
  readonly updatedAt: string | undefined
  readonly size: number | undefined
  readonly sha256: string | undefined
  readonly unchecked: string | undefined
}

/** The release is there, and has no such file. */
export class NoSuchFileError extends Error {
  override readonly name = 'NoSuchFileError'
}

const API = 'https://api.github.com'
const DOWNLOADS = 'https://github.com'
const LATEST = 'latest'
// Somebody waits for it, and the download can begin without.
const PATIENCE = 15_000
const LONGEST = 4 * 2 ** 20

const release = v.object({
  id: v.number(),
  tag_name: v.nullish(v.string()),
  published_at: v.nullish(v.string()),
  assets: v.array(
    v.object({
      name: v.string(),
      size: v.number(),
      digest: v.nullish(v.string()),
      browser_download_url: v.string(),
      updated_at: v.nullish(v.string()),
    }),
  ),
})
type Release = v.InferOutput<typeof release>

/** Rejects with NoSuchFileError, or the signal's reason. Metadata that cannot be had is no error. */
export async function releaseFile(
  { owner, name, tag }: Repository,
  file: string,
  { base, mirror }: Origin,
  signal?: AbortSignal,
): Promise<ReleaseFile> {
  const server = base.replace(/\/+$/, '')
  const which = tag === LATEST ? LATEST : `tags/${tag}`
  // A mirror relays files, hardly ever the API.
  const told = await metadata(`${server || API}/repos/${owner}/${name}/releases/${which}`, signal)
  if (typeof told === 'string')
    return {
      url: fileAddress({ owner, name, tag }, file, { base, mirror }),
      tag: tag === LATEST ? undefined : tag,
      ...{ id: undefined, updatedAt: undefined, size: undefined, sha256: undefined, unchecked: told },
    }
  const found = told.tag_name ?? (tag === LATEST ? undefined : tag)
  const asset = told.assets.find((asset) => asset.name === file)
  if (!asset) throw new NoSuchFileError(`release ${found ?? tag} of ${owner}/${name} has no file ${file}`)
  const sha256 = /^sha256:([0-9a-f]{64})$/i.exec(asset.digest ?? '')?.[1]
  return {
    url:
      server === ''
        ? mirrored(asset.browser_download_url, mirror)
        : fileAddress({ owner, name, tag: found ?? tag }, file, { base, mirror }),
    tag: found,
    id: told.id,
    updatedAt: asset.updated_at ?? told.published_at ?? undefined,
    size: asset.size,
    sha256: sha256?.toLowerCase(),
    unchecked: undefined,
  }
}

/** Where a file of the release lies, as the release host names it. */
export function fileAddress({ owner, name, tag }: Repository, file: string, { base, mirror }: Origin): string {
  const release = tag === LATEST ? `${LATEST}/download` : `download/${tag}`
  return mirrored(`${base.replace(/\/+$/, '') || DOWNLOADS}/${owner}/${name}/releases/${release}/${file}`, mirror)
}

/** A small file of a release as text; undefined where it cannot be had. Rejects with the signal's reason. */
export async function releaseText(url: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const response = await fetch(url, { headers: { 'User-Agent': 'perpetua' }, signal: within(PATIENCE, signal) })
    if (response.ok) return await bounded(response)
    await response.body?.cancel()
  } catch {
    signal?.throwIfAborted()
  }
  return undefined
}

const within = (patience: number, signal: AbortSignal | undefined) =>
  AbortSignal.any([AbortSignal.timeout(patience), ...(signal ? [signal] : [])])

const mirrored = (url: string, mirror: string) => (mirror === '' ? url : `${mirror.replace(/\/+$/, '')}/${url}`)

/** Why there is none, as text. */
async function metadata(url: string, signal: AbortSignal | undefined): Promise<Release | string> {
  const patience = AbortSignal.timeout(PATIENCE)
  try {
    const response = await fetch(url, {
      headers: { Accept: 'application/vnd.github+json', 'User-Agent': 'perpetua' },
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    })
    if (response.ok) return v.parse(release, JSON.parse(await bounded(response)))
    await response.body?.cancel()
    const spent = response.headers.get('x-ratelimit-remaining') === '0'
    return spent ? `its rate limit for this address is spent (${response.status})` : `it answered ${response.status}`
  } catch (error) {
    signal?.throwIfAborted()
    if (patience.aborted) return `it did not answer in ${PATIENCE / 1000} s`
    if (error instanceof SyntaxError || v.isValiError(error)) return 'its answer is not that of a release host'
    return error instanceof Error ? error.message : String(error)
  }
}

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > LONGEST) throw new SyntaxError('too long')
  }
  return text + decoder.decode()
}
