// perpetua start: runs the gateway until a signal ends it.

import { existsSync } from 'node:fs'
import { defineCommand } from 'citty'
import { type Loaded, loadConfig, parseConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { problemList } from './check.ts'
import { createConfig } from './create.ts'
import { EXIT } from './exit.ts'
import { configOption } from './options.ts'
import { complain, say } from './say.ts'
import { type StartGateway, serve } from './serve.ts'

export const start = defineCommand({
  meta: { name: 'start', description: 'Run the gateway; without a config file, write one first (default)' },
  args: { config: configOption },
  async run({ args: { config: file }, data }) {
    try {
      const loaded = existsSync(file) ? await loadConfig({ file }) : await firstConfig(file)
      return loaded ? await serve(loaded, data?.startGateway ?? (await realGateway())) : EXIT.ok.code
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      complain(problemList(error))
      return EXIT.failed.code
    }
  },
})

// The rest of the program is loaded only by the command that runs it.
const APP = '../app.ts'
const realGateway = async (): Promise<StartGateway> => (await import(APP)).startGateway

/** Undefined: the person stopped at a question. */
async function firstConfig(file: string): Promise<Loaded | undefined> {
  const created = await createConfig(file)
  if (created.outcome === 'cancelled') return undefined
  if (created.outcome === 'written') return loadConfig({ file })
  say('Going on without a file.')
  return { ...parseConfig(created.text, { file, environment: process.env }), file, text: undefined }
}
