// Sets Lagrange.OneBot up: writes its appsettings.json, or adds what is missing there, and keeps everything else.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { member } from '../lib/jsonc.ts'
import { Appsettings, textOf } from './appsettings.ts'
import { type Settings, SettingsError, type Wanted } from './kind.ts'
import { whyNoPort } from './port.ts'
import { readSettings, writeSettings } from './settings-file.ts'

/** What Lagrange's own first file says, but for its ways out: the one that we use is added where none is. */
const FIRST = {
  Logging: { LogLevel: { Default: 'Information', Microsoft: 'Warning', 'Microsoft.Hosting.Lifetime': 'Information' } },
  SignServerUrl: '',
  SignProxyUrl: '',
  MusicSignServerUrl: '',
  Account: {
    Uin: 0,
    Protocol: 'Linux',
    AutoReconnect: true,
    UseIPv6Network: false,
    GetOptimumServer: true,
    AutoReLogin: true,
  },
  Message: { IgnoreSelf: true, StringPost: false },
  QrCode: { ConsoleCompatibilityMode: false },
  Implementations: [],
}

/** The server that Lagrange falls back to; it has ended. */
const ENDED = 'sign.lagrangecore.org'

/** What tokens of ours begin with: only one that the user wrote may be asked of clients, too. */
const MADE_HERE = 'perpetua-'

/** Ports drawn before giving up on one that no other entry of the file has. */
const DRAWS = 20

export async function lagrangeSettings(
  cwd: string,
  wanted: Wanted,
  freePort: () => Promise<number>,
): Promise<Settings> {
  const file = join(cwd, 'appsettings.json')
  const before = await readSettings(file)
  const settings = new Appsettings(file, before ?? `${JSON.stringify(FIRST, undefined, 4)}\n`)

  // What the config leaves open is never blanked.
  if (wanted.signServerUrl !== '') settings.set('SignServerUrl', wanted.signServerUrl)
  if (wanted.account !== '') settings.set('Uin', numberOf(wanted.account), 'Account')
  const at = forwardWebSocket(settings) ?? (await addForwardWebSocket(settings, freePort))

  // Writing what is there already would wake whoever watches the file.
  const changed = settings.text !== before
  if (changed) await writeSettings(file, settings.text)
  const notes = [...signServerNotes(textOf(settings.root, 'SignServerUrl')), ...(await portNotes(file, at))]
  const userToken = at.token.startsWith(MADE_HERE) ? '' : at.token
  return { file, url: `ws://${dialled(at.host)}:${at.port}`, token: at.token, userToken, changed, notes }
}

function numberOf(account: string): number {
  // Beyond 15 digits a number is no longer exact.
  if (/^[1-9]\d{0,14}$/.test(account)) return Number(account)
  throw new SettingsError('ntqq-impl.account: wanted the number of a QQ account')
}

interface Address {
  /** As the file has it. */
  readonly host: string
  readonly port: number
  readonly token: string
}

/** The first that is not switched off. */
function forwardWebSocket(settings: Appsettings): Address | undefined {
  const found = settings.entries.find(
    (entry) => textOf(entry, 'Type') === 'ForwardWebSocket' && textOf(entry, 'Enable').toLowerCase() !== 'false',
  )
  if (found === undefined) return undefined
  const port = textOf(found, 'Port')
  if (!isPort(port)) throw settings.wrong(member(found, 'Port') ?? found, 'ForwardWebSocket: wanted a Port, 1 to 65535')
  const host = textOf(found, 'Host')
  if (host === '') throw settings.wrong(member(found, 'Host') ?? found, 'ForwardWebSocket: wanted a Host')
  return { host, port: Number(port), token: textOf(found, 'AccessToken') }
}

const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535

async function addForwardWebSocket(settings: Appsettings, freePort: () => Promise<number>): Promise<Address> {
  const taken = new Set(settings.entries.map((entry) => textOf(entry, 'Port')))
  let port = await freePort()
  for (let draws = 1; taken.has(`${port}`) && draws < DRAWS; draws++) port = await freePort()
  const at = { host: '127.0.0.1', port, token: `${MADE_HERE}${randomBytes(24).toString('base64url')}` }
  settings.add({
    Type: 'ForwardWebSocket',
    Host: at.host,
    Port: at.port,
    HeartBeatInterval: 5000,
    HeartBeatEnable: true,
    AccessToken: at.token,
  })
  return at
}

function* signServerNotes(url: string): Generator<string> {
  const way = 'logging in needs a sign server of your own: set ntqq-impl.sign-server-url'
  if (url === '') yield `SignServerUrl is empty, and Lagrange's public sign server has ended: ${way}`
  else if (url.includes(ENDED)) yield `SignServerUrl is Lagrange's public sign server, which has ended: ${way}`
}

async function portNotes(file: string, { host, port, token }: Address): Promise<string[]> {
  const notes: string[] = []
  const why = await whyNoPort(everywhere(host) ? '0.0.0.0' : bare(host), port)
  if (why !== undefined)
    notes.push(
      `Lagrange is to listen on port ${port}, but ${why}: free it, or change Port of its ForwardWebSocket in ${file}`,
    )
  if (token === '' && !/^(?:127\.|localhost$|\[?::1\]?$)/.test(host))
    notes.push(
      `Lagrange listens beyond this machine without a token: set AccessToken, or Host to 127.0.0.1, in ${file}`,
    )
  return notes
}

/** Where to reach what listens there. */
function dialled(host: string): string {
  if (everywhere(host)) return '127.0.0.1'
  return host.includes(':') ? `[${bare(host)}]` : host
}

/** Lagrange takes 0.0.0.0 for `*`; `+` is .NET's other word for it. */
const everywhere = (host: string) => ['*', '+', '0.0.0.0'].includes(host)
const bare = (host: string) => host.replace(/^\[|\]$/g, '')
