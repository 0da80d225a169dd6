// Each page of the docs in two languages: nothing may be said in one of them only.

import type { Page } from './markdown.ts'

/** Its measured numbers stand once: the other language has the same headings, and sums them up. */
const MEASURED = 'docs/benchmarks.md'

/** A page in two languages says the same in both: the same headings, tables and blocks in the same order, the same code. */
export function* unlikePairs(pages: ReadonlyMap<string, Page>): Generator<string> {
  for (const file of pages.keys())
    if (file.startsWith('docs/') && !file.startsWith('docs/_') && !pages.has(twinOf(file)))
      yield `${file}: wanted ${twinOf(file)} beside it, which says the same`
  for (const [file, page] of pages) {
    const twin = file.replace(/\.md$/, '.zh-CN.md')
    const other = pages.get(twin)
    const rows = ({ tables }: Page) => tables.map((table) => table.rows.length).join(' ')
    const code = ({ blocks }: Page) => blocks.map(({ language }) => language).join(' ')
    if (other === undefined) continue
    if (page.outline.join(' ') !== other.outline.join(' ')) yield `${twin}: other headings than ${file}`
    if (file === MEASURED) continue
    if (rows(page) !== rows(other)) yield `${twin}: other tables than ${file}`
    if (code(page) !== code(other)) yield `${twin}: other code blocks than ${file}`
    yield* unlikeCode(file, page, twin, other)
  }
}

function* unlikeCode(file: string, page: Page, twin: string, other: Page): Generator<string> {
  for (const [index, { text, line }] of page.blocks.entries()) {
    const its = other.blocks[index]
    if (its !== undefined && bare(text) !== bare(its.text))
      yield `${twin}:${its.line}: another text than ${file}:${line}`
  }
  const [here, there] = [page, other].map(
    ({ spans }) => new Map(spans.map(({ text, line }) => [spoken(text), { text, line }])),
  )
  for (const [key, { text, line }] of here ?? [])
    if (!there?.has(key)) yield `${file}:${line}: ${twin} does not speak of ${text}`
  for (const [key, { text, line }] of there ?? [])
    if (!here?.has(key)) yield `${twin}:${line}: ${file} does not speak of ${text}`
}

/** A block without what is said in a language: pictures, and comments. */
const bare = (text: string) => (/\p{sc=Han}|[│┌]/u.test(text.replace(/#.*/g, '')) ? '' : text.replace(/ *#.*/g, ''))

/** Code inside a line, with what is to be filled in left open, which each language says in its own words. */
const spoken = (text: string) => text.replace(/^GET /, '').replace(/<[^>]*>|\p{sc=Han}+|\b[A-Z]{3,}\b/gu, '…')

const twinOf = (file: string) =>
  file.endsWith('.zh-CN.md') ? file.replace('.zh-CN.md', '.md') : file.replace(/\.md$/, '.zh-CN.md')
