// Loads the config: file, older shapes, environment, schema; says everything that is wrong, and where.

import { readFile } from 'node:fs/promises'
import { certificateNotices, flawedCertificates } from './certificates.ts'
import { type Environment, type Override, overrides } from './env.ts'
import { unreadableFiles } from './files.ts'
import { looksLikeGo, modernise } from './legacy.ts'
import { poolNotices } from './pool-notices.ts'
import { ConfigError, foundText, type Problem } from './problem.ts'
import type { Config } from './schema.ts'
import { pathText, SHAPE, shapeAt } from './shape.ts'
import { covers, type Issue, validate } from './validate.ts'
import { offsetAt, parseText, readNode, type Text } from './yaml.ts'

export interface Loaded {
  config: Config
  /** What the user should know, though nothing is wrong. */
  notices: string[]
  file: string
  /** The file as it was read; undefined when there is none. */
  text: string | undefined
}

export interface LoadOptions {
  file: string
  environment?: Environment | undefined
  /** What a file that does not exist means. Default: an error. */
  missing?: 'error' | 'defaults' | undefined
}

/** Throws ConfigError. */
export async function loadConfig({ file, environment = process.env, missing = 'error' }: LoadOptions): Promise<Loaded> {
  let bytes: Uint8Array | undefined
  try {
    bytes = await readFile(file)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException // node:fs throws nothing else
    if (code !== 'ENOENT' || missing === 'error') throw new ConfigError([unreadable(file, code, message)])
  }
  const text = bytes && decode(bytes, file)
  const named = (value: Record<string, unknown>) => [...unreadableFiles(value), ...flawedCertificates(value)]
  const { config, notices } = parseConfig(text ?? '', { file, environment, named })
  return { config, notices: [...notices, ...certificateNotices(config)], file, text }
}

interface Source extends Pick<LoadOptions, 'file' | 'environment'> {
  /** What is wrong with the files that the config names. Default: they are not looked at. */
  named?: (value: Record<string, unknown>) => Issue[]
}

/** The config that `text` and the environment make together. Throws ConfigError with every problem. */
export function parseConfig(
  text: string,
  { file, environment = {}, named = () => [] }: Source,
): Pick<Loaded, 'config' | 'notices'> {
  const parsed = parseText(text)
  const { found, problems } = overrides(environment)
  // Behind broken syntax everything looks wrong; a key given twice breaks nothing.
  if (parsed.flaws.some(({ path }) => path.length === 0))
    throw new ConfigError(sorted([...fileProblems(parsed, file), ...problems]))

  const notices = modernise(parsed.doc)
  const value = asObject(readNode(parsed.doc, parsed.doc.contents, SHAPE, parsed.flaws))
  const asWritten = structuredClone(value)
  for (const { path, value: inner } of found) put(value, path, inner)

  const result = validate(value)
  const issues = [...('issues' in result ? result.issues : []), ...named(value)]
  const flawed = parsed.flaws.map(({ path }) => path)
  const fresh = issues.filter(({ path }) => !flawed.some((flaw) => covers(flaw, path)))
  const all = [
    ...fileProblems(parsed, file),
    ...problems,
    ...fresh.map((issue) => issueProblem(issue, parsed, file, found)),
  ]
  if (all.length > 0 || 'issues' in result) throw new ConfigError(sorted(all))
  return { config: result.config, notices: [...notices, ...advice(asWritten, value), ...poolNotices(result.config)] }
}

const fileProblems = ({ flaws, place, slip }: Text, file: string): Problem[] =>
  flaws.map(({ offset, path, found, wanted, hint }) => ({
    file,
    ...place(offset),
    path: pathText(path),
    found,
    wanted,
    // Broken syntax has hints of a general kind only.
    hint: path.length === 0 ? (slip(offset) ?? hint) : (hint ?? slip(offset)),
  }))

function issueProblem(
  { path, found, wanted, hint }: Issue,
  { doc, place, slip }: Text,
  file: string,
  set: Override[],
): Problem {
  const shape = shapeAt(path)
  const override = set.find((one) => covers(one.path, path))
  const offset = offsetAt(doc, path)
  const where = override ? { file: override.name } : { file, ...place(offset) }
  return {
    ...where,
    path: pathText(path),
    found: foundText(found, shape?.secret),
    wanted,
    hint: hint ?? quotes(found, shape) ?? (override ? undefined : slip(offset)),
  }
}

const quotes = (found: unknown, shape: ReturnType<typeof shapeAt>) =>
  shape?.type === 'value' && shape.kind === 'number' && typeof found === 'string' && /^\d+$/.test(found)
    ? 'write it without quotes'
    : undefined

const sorted = (problems: Problem[]) =>
  problems.toSorted((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || (a.column ?? 0) - (b.column ?? 0))

/** What changed since the Go version, or has effects that are easily missed. */
function advice(written: Record<string, unknown>, value: Record<string, unknown>): string[] {
  const notices: string[] = []
  if (looksLikeGo(written) && asObject(value['http'])['host'] === undefined)
    notices.push(
      'http.host is not set: listening on 127.0.0.1 only (the Go version listened on every interface); ' +
        'for other machines set http.host: 0.0.0.0 and http.access-token',
    )
  const { mode = 'auto', 'external-web-socket': url } = asObject(value['ntqq-impl'])
  if (value['upstreams'] && url === undefined && mode === 'auto')
    notices.push(
      'ntqq-impl.external-web-socket is not set: its default is connected to as well, beside upstreams; ' +
        'set ntqq-impl.external-web-socket: "" if it should not be',
    )
  return notices
}

function put(value: Record<string, unknown>, path: string[], inner: unknown): void {
  const [key, ...rest] = path
  if (key === undefined) return
  if (rest.length === 0) value[key] = inner
  else {
    const child = asObject(value[key])
    value[key] = child
    put(child, rest, inner)
  }
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {} // just checked

/** UTF-8, with or without a byte order mark. */
function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
    const good = new TextDecoder().decode(bytes).split('\ufffd', 1)[0]?.split('\n') ?? []
    const place = utf16 ? {} : { line: good.length, column: (good.at(-1)?.length ?? 0) + 1 }
    const found = utf16 ? 'UTF-16' : 'bytes that are not UTF-8'
    throw new ConfigError([{ file, ...place, path: '', found, wanted: 'UTF-8', hint: 'save the file as UTF-8' }])
  }
}

function unreadable(file: string, code: string | undefined, message: string): Problem {
  const wanted = 'a file that can be read'
  if (code === 'ENOENT') return { file, path: '', found: 'no such file', wanted, hint: 'perpetua init writes one' }
  if (code === 'EISDIR')
    return { file, path: '', found: 'a folder', wanted, hint: 'name the file in it: --config FILE' }
  if (code === 'EACCES' || code === 'EPERM') {
    const hint = `let this user read it, or run perpetua as the user who owns ${file}`
    return { file, path: '', found: 'one that this user may not read', wanted, hint }
  }
  return { file, path: '', found: message, wanted }
}
