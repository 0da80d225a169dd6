// The tree of Satori's content: what Koishi's own library makes of it, and what nobody must be able to do with it.

import { expect, test } from 'bun:test'
import library from '@satorijs/element'
import fc from 'fast-check'
import { type Element, type Node, readContent, writeContent } from '../../src/satori/element.ts'
import { worked } from '../support/work.ts'

/** What the library reads, in our shape. */
function theirs(elements: readonly library[]): Node[] {
  return elements.map(({ type, attrs, children }) =>
    type === 'text' ? String(attrs['content']) : { type, attrs, children: theirs(children) },
  )
}

const word = fc.stringMatching(/^[a-z]{1,6}$/)
/** Attributes are what the library can tell apart: it turns dashes into capitals. */
const attrs = fc.dictionary(
  fc.stringMatching(/^[a-m]{1,5}$/),
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(true), fc.constant(false)),
  { maxKeys: 3, noNullPrototype: true },
)
/** Two texts side by side are one. */
const merged = (nodes: Node[]) =>
  nodes.filter((node, index) => typeof node !== 'string' || typeof nodes[index - 1] !== 'string')
const tree = fc.letrec<{ nodes: Node[]; node: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    // White space at the edges is another rule's.
    fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replaceAll(/\s/g, '_')),
    fc.record<Element>({ type: word.filter((type) => type !== 'text'), attrs, children: tie('nodes') }),
  ),
  nodes: fc.array(tie('node'), { maxLength: 4 }).map(merged),
})).nodes

test("[SAT6] what is written is read back, by us and by Koishi's library, as the tree it was", () => {
  fc.assert(
    fc.property(tree, (nodes) => {
      const content = writeContent(nodes)
      expect(readContent(content)).toEqual(nodes)
      expect(theirs(library.parse(content))).toEqual(nodes)
    }),
  )
})

test("[SAT6] what Koishi's library writes is read as it meant it", () => {
  const content = library('message', { forward: true, id: 'a"<>&b' }, [
    library.text('1 < 2 & 3'),
    library('at', { id: '5', name: "o'x" }),
    library('img', { src: 'https://example.com/?a=1&b=2', subType: '1', cached: false }),
  ]).toString()
  expect(readContent(content)).toEqual([
    {
      type: 'message',
      attrs: { forward: true, id: 'a"<>&b' },
      children: [
        '1 < 2 & 3',
        { type: 'at', attrs: { id: '5', name: "o'x" }, children: [] },
        { type: 'img', attrs: { src: 'https://example.com/?a=1&b=2', 'sub-type': '1', cached: false }, children: [] },
      ],
    },
  ])
})

test('[SAT7] what is no tag is text as written', () => {
  const cases: [string, Node[]][] = [
    ['1 < 2 and 3 > 2', ['1 < 2 and 3 > 2']],
    ['<', ['<']],
    ['<>x</>', ['<>x</>']],
    ['<<<a', ['<<<a']],
    ['a <!-- note --> b', ['a  b']],
    ['a <!-- open', ['a <!-- open']],
    ['<a!>', ['<a!>']],
    ['&lt;b&gt; &amp;lt; &#x41;&#66; &nope; &#0; &#xD800;', ['<b> &lt; AB &nope; &#0; &#xD800;']],
    ['<script>alert(1)</script>', [{ type: 'script', attrs: {}, children: ['alert(1)'] }]],
    ['<!DOCTYPE x [<!ENTITY a "b">]>&a;', ['<!DOCTYPE x [<!ENTITY a "b">]>&a;']],
    ['{{process.exit()}} {@if}', ['{{process.exit()}} {@if}']],
  ]
  for (const [content, nodes] of cases) expect(readContent(content)).toEqual(nodes)
})

test('[SAT7] a tag that is never closed is text, and so is one that closes nothing', () => {
  const b = (...children: Node[]) => ({ type: 'b', attrs: {}, children })
  const cases: [string, Node[]][] = [
    ['List<String> a; if (x<y && z>1)', ['List<String> a; if (x<y && z>1)']],
    ['<quote id="1">hello <b>you', ['<quote id="1">hello <b>you']],
    ['<tag>\n  <foo> bar', ['<tag>\n  <foo> bar']],
    ['a<br>b', ['a<br>b']],
    ['<b><i>x</b>y</i>', [b('<i>x'), 'y</i>']],
    ['<i><b>x</b>y', ['<i>', b('x'), 'y']],
    ['</b>x</i>', ['</b>x</i>']],
    ['<b>x</b></b>', [b('x'), '</b>']],
    ['<a title="&amp;">', ['<a title="&">']],
  ]
  for (const [content, nodes] of cases) expect([content, readContent(content)]).toEqual([content, nodes])
})

test('[SAT7] no tag that is too deep leaves anything behind', () => {
  const deep = 1_000
  const content = `${'<b>'.repeat(deep)}x${'</b>'.repeat(deep)}y`
  expect(writeContent(readContent(content))).toBe(`${'<b>'.repeat(64)}x${'</b>'.repeat(64)}y`)
})

test('[SAT7] nothing that can be written takes longer than its length, or more stack than there is', () => {
  const many = 500_000
  const hostile = [
    '<'.repeat(many),
    '<a '.repeat(many),
    `<a${' '.repeat(many)}`,
    `<a ${'b="'.repeat(many)}>`,
    `<a ${"b='".repeat(many)}`,
    `<a ${'b '.repeat(many)}/>`,
    '<b>'.repeat(many),
    `${'<b>'.repeat(many)}${'</b>'.repeat(many)}`,
    '<b>x'.repeat(many),
    '</b>'.repeat(many),
    '<!--'.repeat(many),
    '<!-- -'.repeat(many),
    '&'.repeat(many),
    '&#'.repeat(many),
    '<b/>'.repeat(many),
    '\n'.repeat(many),
    `<a>${'\n'.repeat(many)}</a>`,
  ]
  for (const content of hostile) {
    const began = worked()
    writeContent(readContent(content))
    // The library takes minutes for the first of them at a tenth of this length.
    expect(worked() - began).toBeLessThan(3_000)
  }
})

test('[SAT7] 10 MiB of one picture pass', () => {
  const src = `data:image/png;base64,${'A'.repeat(10 * 1024 * 1024)}`
  expect(readContent(`x<img src="${src}"/>y`)).toEqual(['x', { type: 'img', attrs: { src }, children: [] }, 'y'])
})

test('[SAT7] depth, tags and attributes are bounded, and what they hold stays', () => {
  const depth = (nodes: readonly Node[]): number =>
    Math.max(0, ...nodes.map((node) => (typeof node === 'string' ? 0 : 1 + depth(node.children))))
  const deep = readContent(`${'<b>'.repeat(1_000)}x${'</b>'.repeat(1_000)}`)
  expect(depth(deep)).toBe(64)
  expect(writeContent(deep)).toContain('x')
  const [many] = readContent(`<a ${Array.from({ length: 1_000 }, (_, n) => `k${n}`).join(' ')}/>`)
  expect(Object.keys((many as Element).attrs)).toHaveLength(64)
  expect(readContent('<b/>'.repeat(100_000)).at(-1)).toStartWith('<b/><b/>')
})

test('[SAT7] attributes named like what objects have are attributes', () => {
  const [node] = readContent('<a __proto__="x" constructor="y" no-toString/>')
  expect(Object.entries((node as Element).attrs)).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
    ['toString', false],
  ])
})

test('[SAT8] line breaks at the edges of a text survive readers that take them for layout', () => {
  const texts = ['\n', 'a\nb', '\na\n', ' \n \n a  b \n', 'a\r\n', '\n\n', '　\n全角']
  for (const text of texts) {
    const content = writeContent([text, { type: 'at', attrs: { id: '1' }, children: [] }, text])
    const flat = (elements: readonly library[]): string =>
      elements.map(({ type, attrs }) => (type === 'text' ? attrs['content'] : type === 'br' ? '\n' : '@')).join('')
    expect(flat(library.parse(content))).toBe(`${text}@${text}`)
  }
})
