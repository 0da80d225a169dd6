// Reads Markdown as far as our own pages need it: headings, links, tables, code.

export interface Page {
  /** Anchors that links may name, as GitHub makes them of headings, and ids of HTML elements. */
  readonly anchors: ReadonlySet<string>
  /** The depth of each heading, in order. */
  readonly outline: readonly number[]
  readonly links: readonly { target: string; line: number }[]
  readonly tables: readonly Table[]
  readonly blocks: readonly { language: string; text: string; line: number }[]
  /** Code inside lines, without its backticks. */
  readonly spans: readonly { text: string; line: number }[]
}

export interface Table {
  readonly line: number
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export function readPage(text: string): Page {
  const anchors = new Set<string>()
  const seen = new Map<string, number>()
  const outline: number[] = []
  const links: { target: string; line: number }[] = []
  const spans: { text: string; line: number }[] = []
  const tables: { line: number; head: string[]; rows: string[][] }[] = []
  const blocks: { language: string; text: string; line: number }[] = []
  let fence: { mark: string; block: (typeof blocks)[number] } | undefined
  let table: (typeof tables)[number] | undefined
  for (const [index, content] of text.split('\n').entries()) {
    const line = index + 1
    const mark = /^\s*(```+|~~~+)\s*([\w-]*)/.exec(content)
    if (fence !== undefined) {
      if (mark?.[1]?.startsWith(fence.mark) && mark[2] === '') fence = undefined
      else fence.block.text += `${content}\n`
      continue
    }
    if (mark?.[1] !== undefined) {
      const block = { language: mark[2] ?? '', text: '', line }
      blocks.push(block)
      fence = { mark: mark[1], block }
      continue
    }
    const heading = /^(#{1,6})\s+(.+?)\s*#*$/.exec(content)
    if (heading?.[1] !== undefined && heading[2] !== undefined) {
      outline.push(heading[1].length)
      const slug = slugOf(heading[2])
      const count = seen.get(slug) ?? 0
      seen.set(slug, count + 1)
      anchors.add(count === 0 ? slug : `${slug}-${count}`)
    }
    for (const [, id = ''] of content.matchAll(/\b(?:id|name)="([^"]+)"/g)) anchors.add(id)
    for (const [, code = ''] of content.matchAll(/(?<!`)`([^`]+)`(?!`)/g)) spans.push({ text: code, line })
    const bare = content.replace(/`[^`]*`/g, '')
    for (const [, target = ''] of bare.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)) links.push({ target, line })
    for (const [, target = ''] of bare.matchAll(/^\[[^\]]+\]:\s+<?(\S+?)>?$/g)) links.push({ target, line })
    for (const [, target = ''] of bare.matchAll(/\b(?:href|src)="([^"]+)"/g)) links.push({ target, line })
    if (!content.startsWith('|')) table = undefined
    else if (table === undefined) {
      table = { line, head: cells(content), rows: [] }
      tables.push(table)
    } else if (!/^\|[\s:|-]+\|$/.test(content)) table.rows.push(cells(content))
  }
  return { anchors, outline, links, tables, blocks, spans }
}

/** GitHub's own rule: letters of any script, digits, hyphens and underscores stay; spaces become hyphens. */
export function slugOf(heading: string): string {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-')
}

// A bar inside a cell is written \|.
function cells(line: string): string[] {
  const parts = line
    .trim()
    .slice(1)
    .replace(/\|$/, '')
    .split(/(?<!\\)\|/)
  return parts.map((cell) => cell.trim().replaceAll('\\|', '|'))
}
