// perpetua schema: prints the JSON Schema of config.yml; beside a config of ours the same stands for editors.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { defineCommand } from 'citty'
import { jsonSchema } from '../config/json-schema.ts'
import { SCHEMA_FILE } from '../config/template.ts'
import { EXIT } from './exit.ts'
import { say } from './say.ts'

export const schema = defineCommand({
  meta: { name: 'schema', description: 'Print the JSON Schema of config.yml, for editors that check it' },
  run() {
    say(text().trimEnd())
    return EXIT.ok.code
  },
})

const text = () => `${JSON.stringify(jsonSchema(), null, 2)}\n`

/** Puts it beside a config that names it. */
export const writeSchema = (config: string): void => write(fileBeside(config))

/** Brings one that is there up to date: another version of perpetua may know other keys. */
export function refreshSchema(config: string): void {
  const file = fileBeside(config)
  if (existsSync(file)) write(file)
}

const fileBeside = (config: string) => join(dirname(config), SCHEMA_FILE)

function write(file: string): void {
  const wanted = text()
  try {
    if (!existsSync(file) || readFileSync(file, 'utf8') !== wanted) writeFileSync(file, wanted)
  } catch {
    // Editors can do without: a folder that cannot be written is no reason not to run.
  }
}
