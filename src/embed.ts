// Plugs an implementation of our own together: what the config wants of it, where it lives, and how it is dialled.

import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Context } from 'hono'
import type { MessageNumbers } from './broker/ports.ts'
import type { Report } from './broker/status.ts'
import type { Config } from './config/schema.ts'
import { refusal } from './downstream/refusal.ts'
import { chooseKind } from './embedded/choose.ts'
import { Embedded } from './embedded/embedded.ts'
import { locate } from './embedded/locate.ts'
import { thisMachine } from './embedded/machine.ts'
import type { Version } from './embedded/versions.ts'
import type { Patience } from './lib/backoff.ts'
import { milkyUpstream } from './milky/milky.ts'
import type { HostEnv } from './runtime/host.ts'
import { type DialUpstreamOptions, dialUpstream } from './upstream/dial.ts'

export interface EmbedOptions {
  /** For the link to it; address and token come from its settings. */
  readonly dial: DialUpstreamOptions
  /** Where the numbers of messages are kept, should it need that. */
  readonly store: () => MessageNumbers | undefined
  /** Asked anew before each start of the program. */
  readonly config: () => Config
  /** The folder of the config file: the program's working directory, as ever. */
  readonly home: string
  readonly dataDir: string | undefined
  readonly installed: (version: Version) => void
}

/** A program on this machine that is ours costs nothing to be asked often (ms). */
const PATIENCE: Patience = { first: 500, most: 3_000, stable: 60_000 }

/** Starts come in rows; newer versions do not (ms). */
const LOOK_AGAIN = 3_600_000

/** Found or fetched, set up and started; from then on it minds itself. */
export function embed({ dial, store, config, home, dataDir, installed }: EmbedOptions): Embedded {
  const { bot, host, report } = dial
  // It listens only once somebody has logged in: until then nothing is wrong.
  const quiet: Report = (status) => (status.kind === 'upstream-retry' ? undefined : report(status))
  const cwd = resolve(home)
  const own = () => config()['ntqq-impl']
  let looked = Number.NEGATIVE_INFINITY
  const embedded = new Embedded({
    bot: bot.name,
    kind: () => chooseKind(own(), cwd, thisMachine()),
    cwd,
    pidFile: join(resolve(dataDir ?? tmpdir()), 'lagrange.pid'),
    wanted: () => ({
      account: own().account,
      signServerUrl: own()['sign-server-url'],
      signServerToken: own()['sign-server-token'],
    }),
    spawn: host.spawn,
    stdin: process.stdin.isTTY ? 'inherit' : 'ignore',
    program: (kind, signal, progress) => {
      const { path, archive, download } = own()
      const folder = join(cwd, kind.folder)
      const renew = own().update.enable && Date.now() - looked > LOOK_AGAIN
      if (renew) looked = Date.now()
      const machine = thisMachine()
      return locate({ kind, machine, path, archive, download, renew, folder, signal, progress, installed })
    },
    dial: (kind, { url, token: accessToken }) => {
      const there = { ...dial, url, accessToken, report: quiet, patience: PATIENCE }
      if (kind.protocol === 'onebot-11') return dialUpstream(there)
      // It does not log in again by itself.
      const offline = () => void embedded.restart()
      return milkyUpstream({ ...there, seat: bot, events: 'websocket', store: store(), offline })
    },
    report,
  })
  embedded.start()
  return embedded
}

/** The picture of the QR code that somebody has to scan, or 404. */
export async function qrcode(c: Context<HostEnv>, embedded: Embedded | undefined): Promise<Response> {
  const picture = await embedded?.qrcode()
  if (picture === undefined) return refusal(c, 404, 'no login is waited for: there is no QR code to scan')
  return c.body(new Uint8Array(picture), 200, { 'Content-Type': 'image/png', 'Cache-Control': 'no-store' })
}
