// Stands in for Lagrange.Milky as a process: settings, QR code, login, its APIs and its events; makes the executable, too.

import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SCANNED } from './stand-in-program.ts'

interface Settings {
  Lagrange?: { Login?: { Uin?: number }; Protocol?: { Signer?: { BaseUrl?: string } } }
  Milky?: {
    AccessToken?: string
    HttpServer?: { Host?: string; Port?: number }
    Event?: { WebSocket?: { Enabled?: boolean } }
  }
}

/** A line a start. */
export const STARTS = '.stand-in.starts'
/** Somebody wrote this file: QQ ends the session. */
export const KICKED = 'kicked'

/** `at`: the path of the executable to make, folders and all. */
export async function milkyStandIn(at: string): Promise<void> {
  await mkdir(dirname(at), { recursive: true })
  const program = fileURLToPath(import.meta.url)
  await writeFile(at, `#!${process.execPath}\nimport { run } from ${JSON.stringify(program)}\nawait run()\n`)
  await chmod(at, 0o755)
}

const info = (category: string, text: string) => console.log(`info: ${category}[0]\n      ${text}`)

/** What the executable calls. */
export async function run(): Promise<void> {
  appendFileSync(STARTS, `${process.pid}\n`)
  process.on('SIGTERM', () => process.exit(0))
  const settings: Settings = JSON.parse(readFileSync('appsettings.json', 'utf8'))
  const uin = settings.Lagrange?.Login?.Uin ?? 0
  if (!existsSync(`${uin}.ks`)) await login(uin)
  writeFileSync(`${uin}.ks`, '{}')
  info('Lagrange.Milky.Services.LoginService', `Successfully logged in as ${uin} with protocol Linux`)
  serve(settings, uin)
}

async function login(uin: number): Promise<void> {
  writeFileSync('qrcode.png', 'a picture')
  for (const row of CODE) console.log(row)
  info(
    'Lagrange.Milky.Services.LoginService',
    `Please scan the QR code with a device logged into account ${uin} to login, URL: https://txz.qq.com/p?k=x`,
  )
  while (!existsSync(SCANNED)) await Bun.sleep(10)
}

function serve({ Milky }: Settings, uin: number): void {
  const { Host = '127.0.0.1', Port = 3000 } = Milky?.HttpServer ?? {}
  const ok = (data: object) => Response.json({ status: 'ok', retcode: 0, message: null, data })
  const answers: Record<string, () => Response> = {
    get_login_info: () => ok({ uin, nickname: '小佩' }),
    get_impl_info: () => ok({ impl_name: 'Lagrange.Milky', impl_version: '1', milky_version: '1.2' }),
    send_private_message: () => ok({ message_seq: 5, time: 1700000000 }),
  }
  const server = Bun.serve<undefined>({
    hostname: Host,
    port: Port,
    fetch(request, self) {
      const { pathname } = new URL(request.url)
      if (request.headers.get('authorization') !== `Bearer ${Milky?.AccessToken}`)
        return new Response(null, { status: 401 })
      if (pathname === '/event') return self.upgrade(request) ? undefined : new Response(null, { status: 400 })
      return answers[pathname.replace('/api/', '')]?.() ?? new Response(null, { status: 500 })
    },
    websocket: {
      open: (socket) => {
        setInterval(() => {
          if (!existsSync(KICKED)) return
          const event = { event_type: 'bot_offline', time: 1, self_id: uin, data: { reason: 'kicked' } }
          socket.send(JSON.stringify(event))
        }, 20)
      },
      message: () => undefined,
    },
  })
  info('Lagrange.Milky.Api', `HTTP service started on http://${Host}:${server.port}/`)
  info('Microsoft.Hosting.Lifetime', 'Application started. Press Ctrl+C to shut down.')
}

/** A square without anything light around it. */
const CODE = Array.from({ length: 11 }, (_, row) => (row % 2 === 0 ? '█▀▀▀▀▀█ ▄▀ ▄▀ █▀▀▀▀▀█' : ' ▄ ▀ █ ▀▄▀▄ ▀ █ ▄▀ ▄ '))
