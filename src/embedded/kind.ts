// What one kind of implementation that we run ourselves is like; everything else here knows it by this description only.

/** `linux`, `darwin`, `win32` and `x64`, `arm64`, ... as Node names them; others stand for themselves. */
export interface Machine {
  readonly os: string
  readonly cpu: string
  /** Linux whose C library is musl (Alpine): programs built for glibc do not start there. */
  readonly musl: boolean
}

/** The file of a release that runs on a machine, or why there is none and what to do instead (one or two sentences). */
export type Asset = { readonly file: string } | { readonly unsupported: string }

/** What the user's config says; '' leaves what the settings file has. */
export interface Wanted {
  /** The QQ account to log in as. */
  readonly account: string
  readonly signServerUrl: string
  /** '' for none, or as the settings file has it. */
  readonly signServerToken?: string | undefined
}

/** Where the implementation will be reached once it has logged in. */
export interface Settings {
  readonly file: string
  /** As the config would say it: a WebSocket's for OneBot 11, http:// for Milky. */
  readonly url: string
  /** '' when it wants none. */
  readonly token: string
  /** The same when the user wrote it: clients show it where no other token is configured. '' for one of our making. */
  readonly userToken: string
  /** Whether the file was written just now. */
  readonly changed: boolean
  /** What somebody should know and may want to change: whole sentences, no secrets. */
  readonly notes: readonly string[]
}

/** What a line of output means. A line outside a QR code has its level first, and may mean something besides. */
export type OutputFact =
  /**
   * A whole QR code to scan, ready to be printed line by line, without colours. Empty when one is waited for but could
   * not be made out: the picture is still there.
   */
  | { readonly kind: 'qr'; readonly text: readonly string[] }
  /** The code that was shown can no longer be used: nobody scanned it in time, or somebody said no on the phone. */
  | { readonly kind: 'qr-expired'; readonly why: 'expired' | 'cancelled' }
  | { readonly kind: 'logged-in'; readonly account?: string }
  /** The login was refused, or ended by QQ later. `why` says what to do where that is known. */
  | { readonly kind: 'login-failed'; readonly why: string }
  /** A line of its log, without colours and level. An empty `text` is a heading or padding: nothing worth a line. */
  | { readonly kind: 'level'; readonly level: Level; readonly text: string }

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** Reads one run's output, a line at a time, without line ends. Never throws and keeps a bounded amount, whatever comes. */
export type Reader = (line: string) => readonly OutputFact[]

export interface Kind {
  /** As its makers write it. */
  readonly name: string
  /** Below the working directory: where its program is kept. */
  readonly folder: string
  /** What is spoken at `Settings.url`. Another protocol needs another way in, and its name here. */
  readonly protocol: 'onebot-11' | 'milky'
  /** Where its releases are published. */
  readonly repository: { readonly owner: string; readonly name: string; readonly tag: string }
  /** Why GitHub itself has no file of it, and what to do; absent: it has. A server of one's own may have one. */
  readonly unreleased?: string
  /** The program's file name. */
  executable(os: string): string
  asset(machine: Machine): Asset
  /**
   * Writes or extends the settings in `cwd`, keeping whatever it does not know.
   * Rejects with SettingsError when they cannot be read, understood or written; they are never overwritten then.
   */
  settings(cwd: string, wanted: Wanted, freePort: () => Promise<number>): Promise<Settings>
  /** A reader for one run of the program. */
  reader(): Reader
  /** The newest picture of a QR code that was written in `cwd` at or after `since` (milliseconds); its file. */
  qrcode(cwd: string, since: number): Promise<string | undefined>
}

/** Settings that cannot be used as they are. The message names file and place, and says what to do. */
export class SettingsError extends Error {
  override name = 'SettingsError'
}
