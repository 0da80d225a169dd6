// What a bot's file is called: readable, safe on every file system, and of no other bot.

import { createHash } from 'node:crypto'

const READABLE = 40

/** Names that differ, if only in what a file name cannot hold or in their case, have files that differ. */
export function fileName(bot: string): string {
  const readable = bot
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, READABLE)
    .replace(/^-+|-+$/g, '')
  const unique = createHash('sha256').update(bot).digest('hex').slice(0, 12)
  return `${readable === '' ? 'bot' : readable}-${unique}.db`
}
