// Slips that hands make which write Chinese too, or YAML for the first time: told by the look of the line.

/** Each with what to write; the first that fits is told. */
const SLIPS: readonly [RegExp, string][] = [
  [/^[ \t]*[\u00a0\u3000]/, 'indent with plain spaces: these are others'],
  [
    /^\s*(?:-\s+)?["']?[\w-]+["']?\s*：|[{,]\s*["']?[\w-]+["']?\s*：/,
    'the colon is full-width (：): write ":", and a space behind it',
  ],
  [/：\/\//, 'the colon is full-width (：): write "://"'],
  [/[:[{,]\s*[“”‘’＂＇]/, 'these quotes are none to YAML: write "plain ones"'],
  [/[[{].*，/, 'the comma is full-width (，): write ", "'],
  [/^\s*(?:-\s+)?[a-z][a-z-]*:(?!\/\/)[^\s:]/, 'put a space behind the colon'],
]

/** What to write instead of the likely slip in a line; undefined: it has none. */
export function slipIn(line: string): string | undefined {
  const code = line.replace(/(?:^|\s)#.*$/, '')
  return SLIPS.find(([slip]) => slip.test(code))?.[1]
}
