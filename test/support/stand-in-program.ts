// Stands in for Lagrange.OneBot as a process: settings, QR code, login, forward WebSockets, and misbehaviour by flags.

import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { heartbeat, lifecycle } from './implementation.ts'

/** Milliseconds, all of them counted from the start. */
export interface StandInFlags {
  /** Logged in after this long, without anybody scanning. Default: when the file `scanned` appears, or `keystore.json` is there. */
  loginAfter?: number
  /** The code is no good any more after this long; nobody logs in then, and it dies of that. */
  qrExpiresAfter?: number
  /** Dies as it does when no way to log in works. */
  loginFails?: boolean
  /** Takes no notice of keystore.json. */
  forgets?: boolean
  /** Ends with this code ... */
  exitCode?: number
  /** ... after this long. Default with a code: at once. */
  exitAfter?: number
  /** What its updater does: says so, and ends with 0. */
  updates?: boolean
  /** Says nothing and does nothing. */
  hangs?: boolean
  ignoresSigterm?: boolean
  /** How many lines of 100 bytes it says before anything else. */
  spams?: number
  /** One line of this many bytes before anything else. */
  longLine?: number
  /** Bytes that are no UTF-8, and a last line without its end. */
  garbles?: boolean
  /** A private message comes right after each connect. */
  greets?: boolean
  /** How long (ms) an action takes. */
  answersAfter?: number
}

interface Settings {
  Account?: { Uin?: number | string }
  QrCode?: { ConsoleCompatibilityMode?: boolean }
  Implementations?: {
    Type: string
    Host?: string
    Port: number
    AccessToken?: string
    HeartBeatEnable?: boolean
    HeartBeatInterval?: number
  }[]
}

/** Files beside the executable. */
export const NAMES = { flags: '.stand-in.flags.json', starts: '.stand-in.starts' } as const
/** Somebody scanned the code: a file in the working directory. */
export const SCANNED = 'scanned'

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** What the executable made by `standIn` calls. */
export async function run(baked: StandInFlags): Promise<void> {
  const folder = dirname(process.argv[1] ?? '')
  const later = join(folder, NAMES.flags)
  const flags: StandInFlags = existsSync(later) ? JSON.parse(readFileSync(later, 'utf8')) : baked
  noteStart(join(folder, NAMES.starts))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => leave(flags, signal))
  if (flags.exitAfter !== undefined) setTimeout(() => process.exit(flags.exitCode ?? 0), flags.exitAfter)
  await spam(flags.spams ?? 0)
  if (flags.longLine !== undefined) await print(`${'x'.repeat(flags.longLine)}\n`)
  if (flags.garbles) await print(Buffer.from([0xff, 0xfe, 0x41, 0xe7, 0xbe, 0x0a, 0x6c, 0x61, 0x73, 0x74]))
  if (flags.exitCode !== undefined && flags.exitAfter === undefined) process.exit(flags.exitCode)
  if (flags.hangs) return stay()
  await serve(flags)
}

async function spam(lines: number): Promise<void> {
  for (let from = 0; from < lines; from += 1_000) {
    const some = Array.from(
      { length: Math.min(1_000, lines - from) },
      (_, i) => `${String(from + i).padEnd(99, '.')}\n`,
    )
    await print(some.join(''))
  }
}

/** One line a start; `twice` when another one that was noted still runs. */
function noteStart(file: string): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8').matchAll(/^start (\d+)$/gm) : []
  appendFileSync(file, `start ${process.pid}\n`)
  for (const [, pid] of before) if (isStandIn(Number(pid))) appendFileSync(file, `twice ${pid} ${process.pid}\n`)
}

function isStandIn(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    // Where the system says: neither a process that got the number since, nor one that nobody has buried yet.
    return !existsSync('/proc/self') || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(process.argv[1] ?? '')
  } catch {
    return false
  }
}

function leave({ ignoresSigterm }: StandInFlags, signal: string): void {
  if (ignoresSigterm) {
    console.log(`ignoring ${signal}`)
    return
  }
  info('Microsoft.Hosting.Lifetime', 'Application is shutting down...')
  process.exit(0)
}

async function serve(flags: StandInFlags): Promise<void> {
  if (!existsSync('appsettings.json')) return askForSettings()
  // A byte order mark is what some editors leave.
  const settings: Settings = JSON.parse(readFileSync('appsettings.json', 'utf8').replace(/^\uFEFF/, ''))
  info('Lagrange.OneBot.LagrangeApp', 'Lagrange.OneBot Implementation has started')
  if (flags.updates) {
    info('Lagrange.OneBot.Updater.GithubUpdater', 'Update available, please wait for the update to complete')
    process.exit(0)
  }
  core('WtExchangeLogic', 'Connecting Servers...')
  const uin = Number(settings.Account?.Uin ?? 0)
  await logIn(flags, settings, uin)
  const selfId = uin === 0 ? 10001 : uin
  writeFileSync('keystore.json', JSON.stringify({ Uin: selfId, Session: { TempPassword: 'c3RhbmQtaW4=' } }))
  core('WtExchangeLogic', 'Login Success')
  info('Lagrange.OneBot.Core.Login.LoginService', `Bot Uin: ${selfId}`)
  for (const one of settings.Implementations ?? []) if (one.Type === 'ForwardWebSocket') listen(flags, one, selfId)
  return stay()
}

function askForSettings(): void {
  writeFileSync(
    'appsettings.json',
    JSON.stringify({ SignServerUrl: '', Account: { Uin: 0 }, Implementations: [] }, undefined, 4),
  )
  console.log('Please Edit the appsettings.json to set configs and press any key to continue')
  if (process.stdin.isTTY) process.stdin.once('data', () => process.exit(0))
  else
    die(
      'System.InvalidOperationException: Cannot read keys when either application does not have a console or when ' +
        'console input has been redirected. Try Console.Read.',
    )
}

async function logIn(flags: StandInFlags, settings: Settings, uin: number): Promise<void> {
  if (flags.loginFails) die('System.Exception: All login failed!')
  if (existsSync('keystore.json') && !flags.forgets) return
  const began = performance.now()
  core('WtExchangeLogic', 'QrCode Fetched, Expiration: 120 seconds')
  writeFileSync(`qr-${uin}.png`, PNG)
  await print(qrCode(settings.QrCode?.ConsoleCompatibilityMode ?? false))
  while (!existsSync(SCANNED)) {
    const passed = performance.now() - began
    if (passed >= (flags.loginAfter ?? Number.POSITIVE_INFINITY)) return
    if (passed >= (flags.qrExpiresAfter ?? Number.POSITIVE_INFINITY)) {
      core('WtExchangeLogic', 'QrCode Expired, Please Fetch QrCode Again', 'WARNING')
      die('System.Exception: All login failed!')
    }
    await Bun.sleep(10)
  }
}

function listen(flags: StandInFlags, settings: NonNullable<Settings['Implementations']>[number], selfId: number): void {
  const { Host = '127.0.0.1', Port, AccessToken = '', HeartBeatEnable = true, HeartBeatInterval = 5_000 } = settings
  const beat = () => heartbeat(HeartBeatInterval, selfId)
  try {
    const server = Bun.serve<undefined>({
      hostname: Host === '*' ? '0.0.0.0' : Host,
      port: Port,
      reusePort: false,
      async fetch(request, server) {
        const shown = request.headers.get('authorization')?.replace(/^Bearer /, '')
        const token = shown ?? new URL(request.url).searchParams.get('access_token') ?? ''
        if (AccessToken !== '' && token !== AccessToken) return new Response(null, { status: 403 })
        if (server.upgrade(request, { data: undefined })) return undefined
        // Not Lagrange's: what a test posts here happens at QQ.
        if (request.method === 'POST') server.publish('events', await request.text())
        return new Response(null, { status: request.method === 'POST' ? 204 : 400 })
      },
      websocket: {
        open(link) {
          link.send(lifecycle(selfId))
          if (HeartBeatEnable) link.send(beat())
          if (flags.greets) link.send(privateMessage(selfId))
          link.subscribe('events')
        },
        async message(link, text) {
          const frame = parsed(String(text))
          if (frame === undefined) return
          if (flags.answersAfter !== undefined) await Bun.sleep(flags.answersAfter)
          link.send(JSON.stringify({ ...answer(frame, selfId), echo: frame.echo }))
        },
      },
    })
    if (HeartBeatEnable) setInterval(() => server.publish('events', beat()), HeartBeatInterval)
    info(
      'Lagrange.OneBot.Core.Network.Service.ForwardWSService',
      `[ForwardWSService] Server started at ${Host}:${Port}`,
    )
  } catch {
    info('Lagrange.OneBot.Core.Network.Service.ForwardWSService', `The port ${Port} is in use, service failed to start`)
  }
}

interface Action {
  action?: string
  params?: Record<string, unknown>
  echo?: unknown
}

/** Undefined gets no reply. */
function parsed(text: string): Action | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

let messages = 0

function answer({ action, params }: Action, selfId: number): object {
  const ok = (data: unknown) => ({ status: 'ok', retcode: 0, data })
  switch (action) {
    case 'get_login_info':
      return ok({ user_id: selfId, nickname: 'stand-in' })
    case 'get_status':
      return ok({ app_initialized: true, app_enabled: true, app_good: true, online: true, good: true })
    case 'get_version_info':
      return ok({ app_name: 'Lagrange.OneBot', app_version: 'stand-in', protocol_version: 'v11' })
    case 'send_msg':
    case 'send_group_msg':
    case 'send_private_msg':
      console.log(`sent ${JSON.stringify(params?.['message'])}`)
      return ok({ message_id: ++messages })
    case 'set_restart': // before its reply
      return process.exit(0)
    default:
      return { status: 'failed', retcode: 404, data: null }
  }
}

const privateMessage = (selfId: number) =>
  `{"time":${Math.floor(Date.now() / 1000)},"self_id":${selfId},"post_type":"message","message_type":"private","sub_type":"friend","message_id":1,"user_id":2854196310,"message":[{"type":"text","data":{"text":"hello"}}],"raw_message":"hello","font":0,"sender":{"user_id":2854196310,"nickname":"n"}}`

/** Three corners and something that looks like data: half blocks, or two columns a cell in the compatible way. */
function qrCode(compatible: boolean): string {
  const SIZE = 29
  const corner = (x: number, y: number) => {
    const ring = Math.max(Math.abs(x - 3), Math.abs(y - 3))
    return ring <= 4 ? ring !== 2 && ring !== 4 : undefined
  }
  const dark = (x: number, y: number): boolean =>
    corner(x, y) ?? corner(SIZE - 1 - x, y) ?? corner(x, SIZE - 1 - y) ?? (x * 7 + y * 13 + x * y) % 3 === 0
  const light = (x: number, y: number) => x < 0 || y < 0 || x >= SIZE || y >= SIZE || !dark(x, y)
  const row = (y: number) =>
    Array.from({ length: SIZE + 2 }, (_, x) => {
      if (compatible) return light(x - 1, y) ? '██' : '  '
      const [above, below] = [light(x - 1, y), light(x - 1, y + 1)]
      return above ? (below ? '█' : '▀') : below ? '▄' : ' '
    }).join('')
  const rows: string[] = []
  for (let y = -1; y <= SIZE; y += compatible ? 1 : 2) rows.push(row(y))
  return `${rows.join('\n')}\n`
}

/** As .NET's console logger writes: the category on a line of its own. */
function info(category: string, text: string): void {
  console.log(`\x1b[40m\x1b[32minfo\x1b[39m\x1b[22m\x1b[49m: ${category}[0]\n      ${text}`)
}

function core(tag: string, text: string, level: 'INFO' | 'WARNING' = 'INFO'): void {
  const mark = level === 'INFO' ? '\x1b[40m\x1b[32minfo' : '\x1b[40m\x1b[1m\x1b[33mwarn'
  const at = new Date().toISOString().slice(0, 19).replace('T', ' ')
  console.log(`${mark}\x1b[39m\x1b[22m\x1b[49m: Lagrange.Core.BotContext[0]\n      ${at} [${tag}] [${level}]: ${text}`)
}

/** An exception nobody handles: what .NET says, and the code of an abort as a shell tells it. */
function die(exception: string): never {
  console.error(`Unhandled exception. ${exception}`)
  console.error('   at Lagrange.OneBot.Core.Login.LoginService.StartAsync(CancellationToken token)')
  process.exit(134)
}

function print(what: string | Buffer): Promise<void> {
  return new Promise((resolve) => process.stdout.write(what, () => resolve()))
}

function stay(): Promise<never> {
  setInterval(() => {}, 60_000)
  return new Promise(() => {})
}
