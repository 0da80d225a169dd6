// Whether the certificate that clients get is one, fits its key, and still counts.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Config } from './schema.ts'
import type { Issue } from './validate.ts'

const CERT = ['http', 'tls', 'cert']
const KEY = ['http', 'tls', 'key']

/** `value`: the config as written. Files that cannot be read are somebody else's to tell. */
export function flawedCertificates(value: Record<string, unknown>): Issue[] {
  const [cert, key] = [at(value, CERT), at(value, KEY)]
  if (cert === undefined || key === undefined) return []
  const [certText, keyText] = [read(cert), read(key)]
  if (certText === undefined || keyText === undefined) return []
  const certificate = attempted(() => new X509Certificate(certText))
  const privateKey = attempted((): KeyObject => createPrivateKey(keyText))
  const issues: Issue[] = []
  if (certificate === undefined) issues.push({ path: CERT, found: cert, wanted: 'a certificate in PEM format' })
  if (privateKey === undefined)
    issues.push({ path: KEY, found: key, wanted: 'a private key in PEM format, without a passphrase' })
  // Deno cannot tell.
  if (certificate && privateKey && attempted(() => certificate.checkPrivateKey(privateKey)) === false)
    issues.push({ path: KEY, found: key, wanted: `the private key of the certificate in ${cert}` })
  return issues
}

/** What clients will complain about, though nothing keeps us from serving it. */
export function certificateNotices({ http: { tls } }: Config, now = Date.now()): string[] {
  const text = tls.cert === '' ? undefined : read(tls.cert)
  const certificate = text === undefined ? undefined : attempted(() => new X509Certificate(text))
  if (certificate === undefined || Date.parse(certificate.validTo) > now) return []
  return [
    `http.tls.cert: ${tls.cert} expired on ${certificate.validTo}: clients that check it refuse to connect; renew it`,
  ]
}

function at(value: unknown, path: string[]): string | undefined {
  let inner = value
  for (const key of path) inner = typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined
  return typeof inner === 'string' && inner !== '' ? inner : undefined
}

function read(file: string): string | undefined {
  return attempted(() => readFileSync(file, 'utf8'))
}

function attempted<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
