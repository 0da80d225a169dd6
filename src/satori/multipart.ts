// Reads the files of a form byte by byte: the runtimes take a part without a file name for text, and spoil it.

import { Buffer } from 'node:buffer'

export interface Part {
  /** Of its field. */
  readonly name: string
  /** What its file is called, if anything. */
  readonly filename: string | undefined
  /** Without parameters; '' where it is not said. */
  readonly type: string
  readonly bytes: Uint8Array
}

/** Bytes of one part's headers, and parts of one form. */
const LONGEST_HEADERS = 16 * 1024
const MOST_PARTS = 1_000

const CRLF = '\r\n'

/** @param contentType of the whole. Undefined: it is no form, or a broken one. */
export function formParts(contentType: string, body: Uint8Array): Part[] | undefined {
  const boundary = /^multipart\/form-data\b/i.test(contentType) ? parameter(contentType, 'boundary') : undefined
  if (boundary === undefined || boundary === '') return undefined
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const mark = `--${boundary}`
  const parts: Part[] = []
  let at = bytes.indexOf(mark)
  // What stands before the first mark is nobody's.
  if (at > 0) {
    const line = bytes.indexOf(CRLF + mark)
    at = line < 0 ? line : line + CRLF.length
  }
  while (at >= 0) {
    const rest = at + mark.length
    if (bytes.toString('latin1', rest, rest + 2) === '--') return parts
    const head = bytes.indexOf(CRLF, rest) + CRLF.length
    const headEnd = bytes.indexOf(CRLF + CRLF, head - CRLF.length)
    const begin = headEnd + 2 * CRLF.length
    const end = bytes.indexOf(CRLF + mark, begin - CRLF.length)
    if (head < CRLF.length || headEnd < 0 || headEnd - head > LONGEST_HEADERS || end < 0) return undefined
    const part = partOf(bytes.toString('utf8', head, headEnd), bytes.subarray(begin, Math.max(begin, end)))
    if (part === undefined || parts.push(part) > MOST_PARTS) return undefined
    at = end + CRLF.length
  }
  return undefined
}

function partOf(headers: string, bytes: Buffer): Part | undefined {
  const header = (name: string) =>
    headers
      .split(CRLF)
      .find((line) => line.slice(0, name.length).toLowerCase() === name && line[name.length] === ':')
      ?.slice(name.length + 1)
      .trim()
  const disposition = header('content-disposition') ?? ''
  const name = parameter(disposition, 'name')
  if (!/^form-data\b/i.test(disposition) || name === undefined) return undefined
  const filename = extended(disposition) ?? parameter(disposition, 'filename')
  const type = (header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  // A copy: the whole body need not stay for one of its parts.
  return { name, filename: filename || undefined, type, bytes: Uint8Array.prototype.slice.call(bytes) }
}

/** Of a header such as `form-data; name="a"`. Browsers write what would end a quoted text in percents, others after a backslash. */
function parameter(header: string, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;]*))`, 'is').exec(header)
  if (found === null) return undefined
  const [, quoted, plain = ''] = found
  if (quoted === undefined) return plain.trim()
  return quoted
    .replace(/\\(["\\])/g, '$1')
    .replace(/%(?:22|0D|0A)/gi, (escaped) => String.fromCharCode(Number.parseInt(escaped.slice(1), 16)))
}

/** `filename*=UTF-8''%E5%9B%BE.png` */
function extended(disposition: string): string | undefined {
  const text = /;\s*filename\*=utf-8'[^']*'([^;\s]*)/i.exec(disposition)?.[1]
  try {
    return text && decodeURIComponent(text)
  } catch {
    return undefined
  }
}
