// Finds the gateway that runs with a config, and asks its admin API.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request as plain } from 'node:http'
import { request as secure } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { oneLine } from '../observe/line.ts'
import { problemList } from './check.ts'
import { EXIT } from './exit.ts'
import { nearAddress } from './near.ts'
import { configOption } from './options.ts'
import { complain } from './say.ts'

/** What all commands take that talk to a running gateway. */
export const reachOptions = {
  config: configOption,
  url: { type: 'string', valueHint: 'url', description: 'Where the gateway is. Default: as the config says' },
  token: { type: 'string', valueHint: 'token', description: 'The admin token. Default: as the config says, or kept' },
  json: { type: 'boolean', description: 'Print JSON' },
} as const

export interface Reach {
  readonly config: string
  readonly url?: string | undefined
  readonly token?: string | undefined
}

/** What went wrong, in terms of what to do. */
class ReachError extends Error {
  override readonly name = 'ReachError'
}

export interface Api {
  /** The answer, read as JSON. @throws where there is none, or it is a refusal. */
  get(path: string): Promise<unknown>
  post(path: string, body?: object): Promise<unknown>
  /** The answer as it is. */
  text(path: string, body: object): Promise<string>
  /** Each event of a stream; resolves when the stream ends. */
  stream(path: string, each: (event: string, data: string) => void): Promise<void>
}

interface Place {
  readonly url: URL
  readonly token: string
  /** PEM text of the certificate that it must have, whoever signed it and whatever name it is for. */
  readonly certificate: string | undefined
}

/** Runs what asks a gateway, and says what went wrong. Resolves with the exit code. */
export async function reaching(reach: Reach, work: (api: Api) => Promise<unknown>): Promise<number> {
  try {
    await work(apiAt(await placeOf(reach)))
    return EXIT.ok.code
  } catch (error) {
    if (error instanceof ConfigError) complain(problemList(error))
    else if (error instanceof ReachError) complain(`perpetua: ${oneLine(error.message)}`)
    else throw error
    return EXIT.failed.code
  }
}

async function placeOf({ config: file, url, token }: Reach): Promise<Place> {
  if (url !== undefined && token !== undefined) return { url: addressed(url), token, certificate: undefined }
  const { config } = await loadConfig({ file })
  return {
    url: addressed(url ?? ownAddress(config)),
    token: token ?? tokenOf(config),
    certificate: url === undefined ? certificateOf(config) : undefined,
  }
}

/** Of the gateway that runs with a config. @throws where the config does not say where it is, or no token is known. */
export const apiOf = (config: Config): Api =>
  apiAt({ url: addressed(ownAddress(config)), token: tokenOf(config), certificate: certificateOf(config) })

const certificateOf = ({ http: { tls } }: Config) => (tls.cert === '' ? undefined : readFileSync(tls.cert, 'utf8'))

function addressed(url: string): URL {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(url)
  throw new ReachError(`--url: found "${url}", wanted an address that begins with http:// or https://`)
}

function ownAddress(config: Config): string {
  if (config.http.port === 0)
    throw new ReachError('http.port is 0: any port may be the one; see "started" in its log, and use --url')
  return nearAddress(config)
}

function tokenOf(config: Config): string {
  if (config.admin.token !== '') return config.admin.token
  const file = join(config['data-dir'], 'admin-token')
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    throw new ReachError(
      `no admin token: ${file} cannot be read, and admin.token is not set. Is a gateway running with this config, from this folder?`,
    )
  }
}

function apiAt(place: Place): Api {
  return {
    get: async (path) => parsed(await textOf(place, 'GET', path)),
    post: async (path, body) => parsed(await textOf(place, 'POST', path, body)),
    text: (path, body) => textOf(place, 'POST', path, body),
    async stream(path, each) {
      const answer = await ask(place, 'GET', path)
      if (answer.statusCode !== 200) throw refused(await read(answer), answer.statusCode)
      let text = ''
      answer.setEncoding('utf8')
      try {
        for await (const chunk of answer) {
          text += String(chunk)
          for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
            const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? []
            text = text.slice(end + 2)
            if (event !== undefined && data !== undefined) each(event, data)
          }
        }
      } catch {
        // It was cut off: a gateway that stops does that.
      }
      throw new ReachError('the gateway ended the stream: it stops, or was restarted')
    },
  }
}

async function textOf(place: Place, method: string, path: string, body?: object): Promise<string> {
  const answer = await ask(place, method, path, body)
  const text = await read(answer)
  if (answer.statusCode !== 200) throw refused(text, answer.statusCode)
  return text
}

async function ask(
  { url, token, certificate }: Place,
  method: string,
  path: string,
  body?: object,
): Promise<IncomingMessage> {
  if (certificate !== undefined) await mustShow(url, certificate)
  const text = body === undefined ? '' : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: `Bearer ${token}`,
      ...(body && { 'Content-Type': 'application/json' }),
      'Content-Length': Buffer.byteLength(text),
    }
    const to = new URL(path, url)
    const options = { method, headers, agent: false }
    const own = certificate === undefined ? {} : { rejectUnauthorized: false }
    const sent: ClientRequest =
      url.protocol === 'https:' ? secure(to, { ...options, ...own }, resolve) : plain(to, options, resolve)
    sent.on('error', (error: NodeJS.ErrnoException) => reject(new ReachError(unreachable(url, error))))
    sent.end(text)
  })
}

/** It was made for how others call this machine: what counts is that it is the very same. */
function mustShow({ hostname, port, origin }: URL, certificate: string): Promise<void> {
  const wanted = new X509Certificate(certificate).fingerprint256
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), rejectUnauthorized: false })
    socket.on('secureConnect', () => {
      const shown = socket.getPeerCertificate().fingerprint256
      socket.destroy()
      if (shown === wanted) resolve()
      else reject(new ReachError(`${origin} shows another certificate than http.tls.cert: who is that?`))
    })
    socket.on('error', (error) => reject(new ReachError(`no gateway answers at ${origin}: ${error.message}`)))
  })
}

const unreachable = (url: URL, { code, message }: NodeJS.ErrnoException) =>
  code === 'ECONNREFUSED'
    ? `no gateway answers at ${url.origin}: is it running? perpetua start runs it`
    : `no gateway answers at ${url.origin}: ${message}`

async function read(answer: IncomingMessage): Promise<string> {
  let text = ''
  answer.setEncoding('utf8')
  for await (const chunk of answer) text += String(chunk)
  return text
}

function refused(text: string, status = 0): ReachError {
  const answer = parsed(text)
  const message = typeof answer === 'object' && answer !== null && 'message' in answer ? String(answer.message) : text
  return new ReachError(`the gateway refuses (HTTP ${status}): ${message.slice(0, 500)}`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ReachError(`this is no gateway of ours: it answers ${JSON.stringify(text.slice(0, 60))}`)
  }
}
