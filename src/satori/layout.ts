// What of the white space in content is how somebody laid it out, and not what it says.

import type { Element, Node } from './element.ts'

/** What stands beside them stands on lines of its own. */
const BLOCKS = new Set(['message', 'p', 'br'])
/** Nothing is seen of them where they stand: what follows the first ones still begins. */
const UNSEEN = new Set(['quote', 'author'])

/**
 * Without the white space with a line break in it that begins or ends the whole, a message or a paragraph, or stands
 * beside one. Elsewhere line breaks are kept, where Satori would leave them out: people begin a line after an `<at/>`.
 */
export const withoutLayout = (nodes: readonly Node[]): Node[] => trimmed(nodes, true)

/** @param edges whether white space at the ends is layout. */
function trimmed(nodes: readonly Node[], edges: boolean): Node[] {
  const kept = nodes.map((node) => (typeof node === 'string' ? node : inside(node)))
  walk(kept, edges, fromStart)
  kept.reverse()
  walk(kept, edges, fromEnd)
  return kept.reverse().filter((node) => node !== '')
}

const inside = (node: Element): Element =>
  node.children.length === 0 ? node : { ...node, children: trimmed(node.children, BLOCKS.has(node.type)) }

/** Trims each text that nothing comes before which is seen on its line. */
function walk(nodes: Node[], edge: boolean, trim: (text: string) => string): void {
  let begins = edge
  for (const [index, node] of nodes.entries()) {
    if (typeof node !== 'string') begins = BLOCKS.has(node.type) || (begins && UNSEEN.has(node.type))
    else if (begins) {
      const text = trim(node)
      nodes[index] = text
      begins = text === ''
    }
  }
}

function fromStart(text: string): string {
  const rest = text.trimStart()
  return text.slice(0, text.length - rest.length).includes('\n') ? rest : text
}

function fromEnd(text: string): string {
  const rest = text.trimEnd()
  return text.slice(rest.length).includes('\n') ? rest : text
}
