// Reaches the gateway that runs with a config, from the machine it runs on.

import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
import type { Config } from '../config/schema.ts'

/** Where it listens on every address, loopback will do. */
export function nearAddress({ http: { host, port, tls } }: Config): string {
  const near =
    host === '0.0.0.0'
      ? '127.0.0.1'
      : host === '::'
        ? '[::1]'
        : host.includes(':') && !host.startsWith('[')
          ? `[${host}]`
          : host
  return `${tls.cert === '' ? 'http' : 'https'}://${near}:${port}`
}

/** How long it may take to answer (ms). */
const PATIENCE = 3_000

/** Undefined: it says at /healthz that it runs, and is perpetua. Else why not. */
export function unwell(config: Config): Promise<string | undefined> {
  const address = `${nearAddress(config)}/healthz`
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const signal = AbortSignal.timeout(PATIENCE)
  // Its certificate is for the names that clients use, and we come by another.
  const options = { signal, rejectUnauthorized: false, agent: false }
  const asked = (address.startsWith('https:') ? secure : plain)(address, options, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      text += chunk
    })
    response.on('error', () => resolve(`${address} broke off its answer`))
    response.on('end', () => {
      if (response.statusCode !== 200) resolve(`${address} answered ${response.statusCode}`)
      else resolve(isOurs(text) ? undefined : `something else than perpetua answers at ${address}`)
    })
  })
  asked.on('error', (error: NodeJS.ErrnoException) =>
    resolve(
      signal.aborted
        ? `${address} did not answer in ${PATIENCE / 1_000} s`
        : `nobody answers at ${address} (${error.code ?? error.message})`,
    ),
  )
  asked.end()
  return promise
}

/** Others have such an address, too: the answer says whose it is. */
function isOurs(text: string): boolean {
  try {
    const said: unknown = JSON.parse(text)
    return typeof said === 'object' && said !== null && 'service' in said && said.service === 'perpetua'
  } catch {
    return false
  }
}
