// Reads what an HTTP call says into the JSON text of an action's params; a JSON body stays as the client wrote it.

import type { Context } from 'hono'
import { members } from '../onebot/json-text.ts'
import { isObject, parse } from '../onebot/object.ts'
import type { HostEnv } from '../runtime/host.ts'

export type HttpParams =
  | { readonly ok: true; readonly params: string }
  | { readonly ok: false; readonly status: 400 | 406; readonly why: string }

/** What a query says to us rather than to the action. */
const OURS = new Set(['access_token', 'self_id'])

/** A parameter of the body hides the query's of the same name. */
export async function httpParams(c: Context<HostEnv>): Promise<HttpParams> {
  const { searchParams } = new URL(c.req.url)
  const query = [...searchParams].filter(([key]) => !OURS.has(key))
  const body = c.req.method === 'GET' ? '' : await bodyText(c)
  if (typeof body !== 'string') return body
  if (!body.startsWith('{')) return { ok: true, params: objectText([...query, ...new URLSearchParams(body)]) }
  const present = new Set(members(body).map(({ key }) => key))
  const added = objectText(query.filter(([key]) => !present.has(key))).slice(1, -1)
  if (added === '') return { ok: true, params: body }
  return { ok: true, params: `{${added}${present.size === 0 ? '' : ','}${body.slice(1)}` }
}

/** The text of a JSON object, or form pairs as a query has them; nothing when the body is empty. */
async function bodyText(c: Context<HostEnv>): Promise<string | Exclude<HttpParams, { ok: true }>> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type === 'multipart/form-data') return multipart(c)
  let text: string
  try {
    text = decoder.decode(await c.req.arrayBuffer()).trim()
  } catch {
    return bad('found text that is not UTF-8, or a body that ended early')
  }
  if (text === '') return ''
  // Many send JSON without saying so: curl calls all it sends a form. No form begins with an unescaped brace.
  const form = type === 'application/x-www-form-urlencoded'
  if (form && !text.startsWith('{')) return text
  if (!form && type !== undefined && type !== 'application/json')
    return { ok: false, status: 406, why: unsupported(type) }
  return isObject(parse(text)) ? text : bad('found something else')
}

async function multipart(c: Context<HostEnv>): Promise<string | Exclude<HttpParams, { ok: true }>> {
  try {
    const pairs = new URLSearchParams()
    for (const [key, value] of await c.req.formData()) {
      if (typeof value !== 'string') return bad(`found a file in "${key}"; send it as base64:// text`)
      pairs.append(key, value)
    }
    return pairs.toString()
  } catch {
    return bad('found no form that can be read')
  }
}

/** What JSON.parse would not mind, and an implementation's parser would: it fails instead of putting in U+FFFD. */
const decoder = new TextDecoder('utf-8', { fatal: true })

const bad = (found: string) =>
  ({ ok: false, status: 400, why: `body: ${found}, want a JSON object or a form` }) as const

const unsupported = (type: string) =>
  `content-type: found ${type}, want application/json, application/x-www-form-urlencoded or multipart/form-data`

/** Of several values for one key the last counts, as in JSON. */
function objectText(pairs: readonly (readonly [string, string])[]): string {
  const texts = new Map(pairs.map(([key, value]) => [key, valueText(value)]))
  return `{${[...texts].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`
}

/** A string, which implementations take for a number where they want one; or segments, an event, an operation in JSON. */
function valueText(value: string): string {
  if (!/^\s*[[{]/.test(value)) return JSON.stringify(value)
  const parsed = parse(value)
  const structured = isObject(parsed) || (Array.isArray(parsed) && parsed.length > 0 && parsed.every(isObject))
  return structured ? value : JSON.stringify(value)
}
