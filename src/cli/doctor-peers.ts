// Looks at whom the config names: implementations, reverse links, web hooks; whether they are there and let us in.

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { type Files, readFiles } from '../config/files.ts'
import { type Implementation, implementations } from '../config/implementations.ts'
import { isLoopback } from '../config/rules.ts'
import type { Config } from '../config/schema.ts'
import { chooseKind } from '../embedded/choose.ts'
import { FindError, find } from '../embedded/find.ts'
import { thisMachine } from '../embedded/machine.ts'
import { formatDuration } from '../lib/duration.ts'
import { maskText } from '../lib/mask.ts'
import { postJson } from '../lib/post-json.ts'
import { DialError } from '../runtime/host.ts'
import { type Met, meet } from './doctor-forward.ts'
import type { RunningStatus } from './doctor-running.ts'
import { bad, type Finding, fine, warning } from './finding.ts'

/** How long (ms) somebody may take to answer. */
const PATIENCE = 5_000
/** Clocks that differ by this (ms) are told: certificates and logins bear less than events do. */
const APART = 120_000
/** How it sounds when it is the certificate. */
const OF_TLS = /\b(?:TLS|SSL|EPROTO)\b|certificate|self.signed/i
const TLS = 'a certificate of its own wants tls.ca in an entry of upstreams'

/**
 * `file`: of the config; what belongs to an implementation of our own is beside it. `running`: what the gateway tells that
 * runs, if it does.
 */
export async function peers(config: Config, file: string, running?: RunningStatus): Promise<Finding[]> {
  const files = readFiles(config)
  const checks = [
    ...implementations(config).map(
      (one) => connected(one, running) ?? implementation(one, config, files, dirname(file)),
    ),
    ...config['reverse-web-socket'].map(({ name, url }) => dialled('reverse-web-socket', name, url)),
    ...config['http-post'].map(({ name, url }) => dialled('http-post', name, url)),
    ...satoriHooks(config).map(({ name, url }) => dialled('satori.webhooks', name, url)),
  ]
  return (await Promise.all(checks)).flat()
}

type Told = Promise<Finding | Finding[]>

/** One that the running gateway has; undefined: it has it not, or does not say. */
function connected(one: Implementation, { bots }: Pick<RunningStatus, 'bots'> = { bots: [] }): Finding | undefined {
  const about = aboutOf(one)
  const url = maskText(one.url)
  for (const { self_id: account, upstreams } of one.url === '' ? [] : bots)
    for (const { peer, told, failing } of upstreams)
      if (told && peer === url)
        return failing === 'offline'
          ? offline(about, url, account ?? '')
          : fine(about, `${url} is connected to the gateway${account === null ? '' : `, for ${account}`}`)
  return undefined
}

const offline = (about: string, url: string, account: string) =>
  bad(about, `${url} answers, but its account ${account} is offline`, 'log it in again there')

function implementation(one: Implementation, config: Config, files: Files, home: string): Told {
  switch (one.kind) {
    case 'forward':
      return forward(one, files)
    case 'reverse':
      return Promise.resolve(
        fine(aboutOf(one), 'it dials us, at /onebot/v11/implementation: whether it does, /api/status tells'),
      )
    case 'embedded':
      return embedded(one, config, home)
    case 'milky':
      return milky(one)
    default:
      return one.kind satisfies never
  }
}

const aboutOf = ({ name }: Implementation) => `implementation${name === '' ? '' : ` ${name}`}`
const tokenKey = ({ name }: Implementation) =>
  name === 'ntqq-impl' ? 'ntqq-impl.external-access-token' : 'the access-token of its upstreams entry'

async function forward(one: Implementation, files: Files): Told {
  const about = aboutOf(one)
  const url = maskText(one.url)
  const absent = await unreachable(one.url)
  if (absent !== undefined)
    return bad(
      about,
      `${url}: ${absent}`,
      `start it, log it in, enable its forward WebSocket, and compare address and port with its settings${itself(one.url)}`,
    )
  const refused = bad(about, `${url} refuses our token`, `set ${tokenKey(one)} to the token that is set there`)
  try {
    const met = await meet(one, files)
    return met.end === 'refused' ? refused : told(one, about, url, met)
  } catch (error) {
    if (!(error instanceof DialError)) throw error
    if (error.status === 401 || error.status === 403) return refused
    if (OF_TLS.test(error.message))
      return bad(about, `${url} cannot be reached by TLS: ${reason(error)}`, `write ws:// if it speaks no TLS; ${TLS}`)
    const answer = error.status === undefined ? reason(error) : `it answered ${error.status}`
    return bad(
      about,
      `${url} is no WebSocket of an implementation: ${answer}`,
      `compare the path with its settings; port and path must be those of its forward WebSocket, not of its web page${error.status === undefined ? '; where it speaks TLS, write wss://' : ''}`,
    )
  }
}

/** What the error says beside the address, which stands there already. */
const reason = ({ message }: DialError) => message.replace(/^dial \S+: /, '')

/** Containers have a loopback of their own. Docker and Podman leave these files for whoever wants to know. */
function itself(url: string): string {
  const contained = ['/.dockerenv', '/run/.containerenv'].some((file) => existsSync(file))
  const { hostname } = new URL(url)
  return contained && isLoopback(hostname)
    ? `; ${hostname} is this container itself: another is reached by its name, a machine by its address`
    : ''
}

/** What is true of one that opened. */
function told(one: Implementation, about: string, url: string, met: Met): Finding[] {
  const { end, events, account, online, ahead } = met
  const wanted = one['self-id']
  if (end === 'gone' && !events)
    return [bad(about, `${url} hangs up at once`, `see its log; set ${tokenKey(one)} to the token that is set there`)]
  if (end !== 'answered')
    return [
      bad(
        about,
        `${url} takes connections, but ${events ? 'answers no calls' : 'says nothing that OneBot says'}`,
        'compare port and path with its settings: they must be those of its forward WebSocket for OneBot 11, for events and calls alike',
      ),
    ]
  if (account !== undefined && wanted !== '' && wanted !== account)
    return [bad(about, `${url} is logged in to ${account}, and self-id says ${wanted}`, 'correct self-id, or the url')]
  if (online === false) return [offline(about, url, account ?? '')]
  return [
    fine(about, `${url} answers${account === undefined ? '' : ` for ${account}`}`),
    ...(ahead === undefined || Math.abs(ahead) < APART ? [] : [clocks(url, ahead)]),
  ]
}

/** One of the two is wrong; which, nobody here can say. */
function clocks(url: string, ahead: number): Finding {
  const apart = `${formatDuration(Math.round(Math.abs(ahead) / 60_000) * 60_000)} ${ahead > 0 ? 'behind' : 'ahead of'}`
  return warning(
    'clock',
    `this machine's is ${apart} that of ${url}`,
    'set the one that is wrong, best by NTP: timedatectl set-ntp true',
  )
}

/** Asks what it is, as the gateway does first. */
async function milky(one: Implementation): Promise<Finding> {
  const about = aboutOf(one)
  const url = maskText(one.url)
  const absent = await unreachable(one.url)
  const remedy = 'start it, log it in, switch Milky on there, and compare address and port with its settings'
  if (absent !== undefined) return bad(about, `${url}: ${absent}`, remedy)
  // Certificates of one's own are only known to the gateway.
  if (one.ca !== '' || one.insecure) return fine(about, `${url} is there`)
  const token = one['access-token']
  const answer = await postJson({
    url: `${one.url.replace(/\/+$/, '')}/api/get_impl_info`,
    body: '{}',
    headers: token === '' ? {} : { Authorization: `Bearer ${token}` },
    secret: '',
    timeout: PATIENCE,
    signal: new AbortController().signal,
  })
  if (answer.kind === 'failed')
    return bad(
      about,
      `${url}: ${answer.reason}`,
      OF_TLS.test(answer.reason) ? `write http:// if it speaks no TLS; ${TLS}` : remedy,
    )
  if (answer.status === 401 || answer.status === 403)
    return bad(about, `${url} refuses our token`, `set ${tokenKey(one)} to the token that is set there`)
  if (answer.status === 200 && answer.text?.includes('"impl_name"')) return fine(about, `${url} speaks Milky`)
  return bad(
    about,
    `${url} does not speak Milky: it answered ${answer.status}`,
    'compare port and path with its settings; they must be those of Milky, not of OneBot or of its web page',
  )
}

async function embedded(one: Implementation, config: Config, home: string): Promise<Finding> {
  const { path, archive, account, download, 'sign-server-url': sign } = config['ntqq-impl']
  const about = aboutOf(one)
  try {
    const kind = await chooseKind(config['ntqq-impl'], home, thisMachine())
    const folder = join(home, kind.folder)
    const found = await find({ kind, machine: thisMachine(), path, archive, folder })
    if (!('executable' in found)) {
      const fact = `${kind.name} is not installed yet`
      // As the installer sees it: without a server that has it, nobody can fetch what was never released.
      if (found.from === 'download' && kind.unreleased !== undefined && download.base === '')
        return bad(about, fact, kind.unreleased)
      return warning(about, fact, 'perpetua lagrange install, or let the start do it')
    }
    if (sign === '')
      return warning(
        about,
        `${found.executable}, without a sign server here${account === '' ? '' : ` for ${account}`}`,
        'set ntqq-impl.sign-server-url, unless its appsettings.json has one',
      )
    return fine(about, found.executable)
  } catch (error) {
    if (!(error instanceof FindError)) throw error
    return bad(about, error.message, 'see docs/lagrange.md, or use NapCat or LLBot')
  }
}

/** Of a section that is switched off nothing is posted anywhere. */
const satoriHooks = ({ satori }: Config) => (satori.enabled ? satori.webhooks : [])

/** Clients come and go: perpetua tries again by itself. */
async function dialled(key: string, name: string, url: string): Promise<Finding> {
  const about = name === '' ? key : `${key} ${name}`
  const absent = await unreachable(url)
  return absent === undefined
    ? fine(about, `${maskText(url)} is there`)
    : warning(about, `${maskText(url)}: ${absent}`, `start that program, or correct the url of its ${key} entry`)
}

/** Why nobody can be reached at an address; undefined: somebody takes connections there. */
async function unreachable(url: string): Promise<string | undefined> {
  const { hostname, port, protocol } = new URL(url)
  const name = hostname.replace(/^\[|\]$/g, '')
  const secure = protocol === 'wss:' || protocol === 'https:'
  const socket = connect({ host: name, port: Number(port) || (secure ? 443 : 80) })
  const patience = AbortSignal.timeout(PATIENCE)
  try {
    await once(socket, 'connect', { signal: patience })
    return undefined
  } catch (error) {
    if (patience.aborted) return `it does not answer in ${PATIENCE / 1_000} s (a firewall, or another address)`
    return worded(error, name)
  } finally {
    socket.destroy()
  }
}

function worded(error: unknown, name: string): string {
  const { code, message } = error as NodeJS.ErrnoException // node:net throws nothing else
  switch (code) {
    case 'ECONNREFUSED':
      return 'nobody listens there'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'ENODATA':
      return `the name ${name} is not known`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no way to that address'
    default:
      return message
  }
}
