// perpetua healthz: asks the gateway that runs with this config whether it is well; for containers and monitors.

import { resolve } from 'node:path'
import { defineCommand } from 'citty'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { problemList } from './check.ts'
import { EXIT } from './exit.ts'
import { nearAddress, unwell } from './near.ts'
import { configOption } from './options.ts'
import { complain, say } from './say.ts'

export const healthz = defineCommand({
  meta: { name: 'healthz', description: 'Exit 0 if the gateway that runs with this config answers, else 1' },
  args: { config: configOption },
  async run({ args: { config: file } }) {
    try {
      const { config, text } = await loadConfig({ file, missing: 'defaults' })
      // An implementation that is away is no illness: a restart of the gateway would not bring it back.
      const ill = await unwell(config)
      if (ill === undefined) {
        say(`well: ${nearAddress(config)}`)
        return EXIT.ok.code
      }
      complain(ill)
      if (text === undefined) complain(`${resolve(file)} is not there: the defaults were asked for.`)
      complain('perpetua doctor, in the same folder, tells why.')
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      complain(problemList(error))
    }
    return EXIT.failed.code
  },
})
