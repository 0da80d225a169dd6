// Makes the first config file: asks where somebody answers, writes, and says what it did.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Answers, template } from '../config/template.ts'
import { ask } from './questions.ts'
import { complain, interactive, say } from './say.ts'
import { writeSchema } from './schema.ts'

export type Created =
  /** The file is there now. */
  | { outcome: 'written' }
  /** Nothing could be written; `text` is what would have been. */
  | { outcome: 'unwritable'; text: string }
  /** The person stopped at a question; nothing was written. */
  | { outcome: 'cancelled' }

/** `overwrite`: a file that is there is replaced; otherwise it is left alone, which counts as unwritable. */
export async function createConfig(file: string, { overwrite = false } = {}): Promise<Created> {
  let answers: Answers | undefined = {}
  if (interactive()) {
    say(`A few questions, then ${file} is ready. / 回答几个问题即可生成配置文件。`)
    answers = await ask()
  }
  if (!answers) {
    say('Stopped; nothing was written. / 已取消，没有写入任何文件。')
    return { outcome: 'cancelled' }
  }
  const text = template(answers)
  try {
    mkdirSync(dirname(file), { recursive: true })
    // It may come to hold tokens.
    writeFileSync(file, text, { flag: overwrite ? 'w' : 'wx', mode: 0o600 })
  } catch (error) {
    complain(`Config not written: ${error instanceof Error ? error.message : error}`)
    return { outcome: 'unwritable', text }
  }
  writeSchema(file)
  say(interactive() ? `Wrote ${file}. / 已写入 ${file}。` : `Wrote ${file} with the defaults; edit it to your needs.`)
  return { outcome: 'written' }
}
