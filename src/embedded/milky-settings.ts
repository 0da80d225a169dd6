// Sets Lagrange.Milky up: writes its appsettings.json, or adds what is missing there, and keeps everything else.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Appsettings } from './appsettings.ts'
import { type Settings, SettingsError, type Wanted } from './kind.ts'
import { whyNoPort } from './port.ts'
import { readSettings, writeSettings } from './settings-file.ts'

const HOST = ['Milky', 'HttpServer', 'Host'] as const
const PORT = ['Milky', 'HttpServer', 'Port'] as const
const TOKEN = ['Milky', 'AccessToken'] as const
const SIGNER = ['Lagrange', 'Protocol', 'Signer', 'BaseUrl'] as const
const SIGNER_TOKEN = ['Lagrange', 'Protocol', 'Signer', 'Token'] as const
const UIN = ['Lagrange', 'Login', 'Uin'] as const

/** The server that Lagrange falls back to; it has ended. */
const ENDED = 'sign.lagrangecore.org'
/** What tokens of ours begin with: only one that the user wrote may be asked of clients, too. */
const MADE_HERE = 'perpetua-'
const DEFAULT_PORT = '3000'

export async function milkySettings(cwd: string, wanted: Wanted, freePort: () => Promise<number>): Promise<Settings> {
  const file = join(cwd, 'appsettings.json')
  const before = await readSettings(file)
  const settings = new Appsettings(file, before ?? '{}\n')

  // What the config leaves open is never blanked.
  if (wanted.account !== '') settings.put(UIN, numberOf(wanted.account))
  if (wanted.signServerUrl !== '') settings.put(SIGNER, wanted.signServerUrl)
  if (wanted.signServerToken) settings.put(SIGNER_TOKEN, wanted.signServerToken)
  if (settings.at(HOST) === '') settings.put(HOST, '127.0.0.1')
  if (settings.at(PORT) === '') settings.put(PORT, await freePort())
  if (settings.at(TOKEN) === '') settings.put(TOKEN, `${MADE_HERE}${randomBytes(24).toString('base64url')}`)
  settings.put(['Milky', 'Api', 'Http', 'Enabled'], true)
  settings.put(['Milky', 'Event', 'WebSocket', 'Enabled'], true)

  // Writing what is there already would wake whoever watches the file.
  const changed = settings.text !== before
  if (changed) await writeSettings(file, settings.text)
  const [host, token] = [settings.at(HOST), settings.at(TOKEN)]
  const port = settings.at(PORT) || DEFAULT_PORT
  if (!/^\d{1,5}$/.test(port)) throw new SettingsError(`${file}: Milky.HttpServer.Port: wanted a port, 1 to 65535`)
  const notes = [...signerNotes(settings), ...accountNotes(settings), ...(await portNotes(file, host, Number(port)))]
  const userToken = token.startsWith(MADE_HERE) ? '' : token
  return { file, url: `http://${dialled(host)}:${port}`, token, userToken, changed, notes }
}

function numberOf(account: string): number {
  // Beyond 15 digits a number is no longer exact.
  if (/^[1-9]\d{0,14}$/.test(account)) return Number(account)
  throw new SettingsError('ntqq-impl.account: wanted the number of a QQ account')
}

function* signerNotes(settings: Appsettings): Generator<string> {
  const url = settings.at(SIGNER)
  if (url !== '' && !url.includes(ENDED)) return
  yield `Lagrange's public sign server may refuse or have ended: logging in needs a sign server of your own: set ntqq-impl.sign-server-url`
}

function* accountNotes(settings: Appsettings): Generator<string> {
  if (/^0*$/.test(settings.at(UIN)))
    yield 'Lagrange.Milky wants to know whom it logs in: set ntqq-impl.account to the QQ number'
}

async function portNotes(file: string, host: string, port: number): Promise<string[]> {
  const why = await whyNoPort(host === '*' ? '0.0.0.0' : host, port)
  if (why === undefined) return []
  return [`Lagrange is to listen on port ${port}, but ${why}: free it, or change Milky.HttpServer.Port in ${file}`]
}

/** It answers only to the name that it was given, but for the one that stands for all. */
function dialled(host: string): string {
  if (['*', '+', '0.0.0.0'].includes(host)) return '127.0.0.1'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
