// perpetua start: runs the gateway until a signal ends it.

import { statSync } from 'node:fs'
import { defineCommand } from 'citty'
import { type Loaded, loadConfig, parseConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { problemList } from './check.ts'
import { createConfig } from './create.ts'
import { EXIT } from './exit.ts'
import { configOption } from './options.ts'
import { complain, say } from './say.ts'
import { refreshSchema } from './schema.ts'
import { realGateway, serve } from './serve.ts'

export const start = defineCommand({
  meta: { name: 'start', description: 'Run the gateway; without a config file, write one first (default)' },
  args: { config: configOption },
  async run({ args: { config: file }, data }) {
    try {
      refreshSchema(file)
      const loaded = absent(file) ? await firstConfig(file) : await loadConfig({ file })
      return loaded ? await serve(loaded, data?.startGateway ?? (await realGateway())) : EXIT.ok.code
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      complain(problemList(error))
      return EXIT.failed.code
    }
  },
})

/** Not there, that is: a file that may not be read is a mistake, and no reason to run with defaults. */
function absent(file: string): boolean {
  try {
    statSync(file)
    return false
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // node:fs throws nothing else
    return code === 'ENOENT' || code === 'ENOTDIR'
  }
}

/** Undefined: the person stopped at a question. */
async function firstConfig(file: string): Promise<Loaded | undefined> {
  const created = await createConfig(file)
  if (created.outcome === 'cancelled') return undefined
  if (created.outcome === 'written') return loadConfig({ file })
  say('Going on without a file.')
  return { ...parseConfig(created.text, { file, environment: process.env }), file, text: undefined }
}
