// A gateway that outlives itself: a program with a folder of its own, killed, stopped and started again in it.

import type { ConfigInput } from '../../src/config/schema.ts'
import { type Folder, folder } from './folder.ts'
import { ADMIN, type Overview, reading } from './gateway.ts'
import { type Program, program } from './program.ts'
import { milky, onlyMilky } from './upstream.ts'

export interface Lasting extends AsyncDisposable {
  readonly home: Folder
  /** The folder of what is kept. */
  readonly data: string
  /** http://127.0.0.1:PORT, another one after each start. */
  readonly address: string
  /** ws://127.0.0.1:PORT */
  readonly ws: string
  /** What it has said since it was last started. */
  readonly output: string
  /** What it has said in all its lives. */
  readonly said: string
  says(pattern: RegExp): Promise<RegExpMatchArray>
  status(): Promise<Overview>
  until(wanted: (status: Overview) => boolean): Promise<Overview>
  kill(): Promise<void>
  /** Orderly; resolves to its exit code. */
  stop(): Promise<number>
  /** Again, with another config if one is given. */
  start(config?: ConfigInput): Promise<void>
}

/** Starts it. What is not said is: `journal.persist` on. */
export async function lasting(config: ConfigInput): Promise<Lasting> {
  if (milky) onlyMilky(config)
  const home = await folder()
  const it = new LastingGateway(home, config)
  await it.start()
  return it
}

class LastingGateway implements Lasting {
  readonly home: Folder
  readonly data: string
  #config: ConfigInput
  #running: Program | undefined
  #before = ''
  address = ''

  constructor(home: Folder, config: ConfigInput) {
    this.home = home
    this.data = home.at('data')
    this.#config = config
  }

  get ws(): string {
    return this.address.replace('http', 'ws')
  }
  get output(): string {
    return this.#running?.output ?? ''
  }
  get said(): string {
    return this.#before + this.output
  }

  async start(config: ConfigInput = this.#config): Promise<void> {
    this.#config = config
    const file = this.home.at('config.yml')
    const settings: ConfigInput = {
      ...config,
      http: { port: 0, ...config.http },
      admin: { token: ADMIN },
      log: { dir: '', colorful: false, level: 'info', ...config.log },
      journal: { persist: true, ...config.journal },
      'data-dir': this.data,
    }
    await Bun.write(file, JSON.stringify(settings))
    this.#before = this.said
    this.#running = program(['start', '--config', file], { cwd: this.home.path, as: 'perpetua' })
    const [, address = ''] = await this.says(/started address=(\S+)/)
    this.address = address
  }

  async says(pattern: RegExp): Promise<RegExpMatchArray> {
    if (this.#running === undefined) throw new Error('lasting: it has not been started')
    return this.#running.says(pattern)
  }

  status(): Promise<Overview> {
    return reading(this.address).status()
  }
  until(wanted: (status: Overview) => boolean): Promise<Overview> {
    return reading(this.address).until(wanted)
  }

  async kill(): Promise<void> {
    this.#running?.signal('SIGKILL')
    await this.#running?.ended
  }

  async stop(): Promise<number> {
    this.#running?.signal('SIGTERM')
    return (await this.#running?.ended)?.code ?? -1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.home[Symbol.asyncDispose]()
  }
}
