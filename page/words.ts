// Finds words in the language of the page, which is the browser's until somebody chooses.

import { WORDS } from './dictionary.ts'

export type Language = 'en' | 'zh'

const KEY = 'perpetua-language'
const watchers = new Set<() => void>()
let current: Language = chosen() ?? preferred()
say()

export const language = (): Language => current

export function setLanguage(next: Language): void {
  current = next
  try {
    localStorage.setItem(KEY, next)
  } catch {
    // It is the browser's again the next time.
  }
  say()
  for (const watcher of watchers) watcher()
}

/** Returns what ends it. */
export function watchLanguage(watcher: () => void): () => void {
  watchers.add(watcher)
  return () => void watchers.delete(watcher)
}

/** A name that nobody has words for is shown as it is. */
export function t(name: string, ...values: string[]): string {
  const words = (Object.hasOwn(WORDS, name) && WORDS[name]?.[current === 'zh' ? 1 : 0]) || name
  // All at once: what is put in may hold braces of its own.
  return words.replace(/\{(\d)\}/g, (_, at: string) => values[Number(at)] ?? '')
}

function chosen(): Language | undefined {
  try {
    const kept = localStorage.getItem(KEY)
    return kept === 'zh' || kept === 'en' ? kept : undefined
  } catch {
    return undefined
  }
}

/** The first of the browser's languages that we have. */
function preferred(): Language {
  const first = navigator.languages.find((one) => /^(?:zh|en)\b/i.test(one))
  return first !== undefined && /^zh/i.test(first) ? 'zh' : 'en'
}

function say(): void {
  document.documentElement.lang = current === 'zh' ? 'zh-CN' : 'en'
}
