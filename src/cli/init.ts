// perpetua init: writes a config file to start from.

import { existsSync } from 'node:fs'
import { defineCommand } from 'citty'
import { createConfig } from './create.ts'
import { EXIT } from './exit.ts'
import { configOption, DEFAULT_CONFIG } from './options.ts'
import { complain, say } from './say.ts'

export const init = defineCommand({
  meta: { name: 'init', description: 'Write a commented config file; on a terminal, ask a few questions first' },
  args: {
    config: configOption,
    force: { type: 'boolean', description: 'Replace a file that is there already' },
  },
  async run({ args: { config: file, force = false } }) {
    const where = file === DEFAULT_CONFIG ? '' : ` --config ${file}`
    if (existsSync(file) && !force) {
      complain(`${file} is there already: edit it, or replace it with perpetua init${where} --force`)
      return EXIT.failed.code
    }
    const { outcome } = await createConfig(file, { overwrite: force })
    if (outcome === 'unwritable') return EXIT.failed.code
    if (outcome === 'written') {
      say(`Next / 接下来:`)
      say(`  perpetua doctor${where}   whether all is there / 检查是否齐全`)
      say(`  perpetua start${where}    runs it / 运行`)
    }
    return EXIT.ok.code
  },
})
