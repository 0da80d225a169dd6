// Finds the commands in lines of a shell.

/** The words behind each `perpetua`, wherever it lies: up to a comment, a redirection or the next command. */
export function commandLines(text: string): string[][] {
  return commands(text)
    .filter(([program = '']) => /(?:^|[/\\])perpetua(?:\.exe)?$/.test(program))
    .map(([, ...words]) => words)
}

/** Each command with its words, without what stands before it: variables, sudo, a prompt. */
export function commands(text: string): string[][] {
  const whole = text.replaceAll(/\\\n\s*/g, ' ').replaceAll(/"\$\(command -v (\S+)\)"/g, '$1')
  return whole
    .replaceAll(/(^|\s)#.*$/gm, '$1')
    .split(/\n|&&|\|\||[|;]/)
    .map(words)
    .flatMap((line) => {
      const at = line.findIndex((word) => !/^\w+=/.test(word) && word !== 'sudo' && word !== '$')
      if (at === -1) return []
      const end = line.findIndex((word, index) => index > at && /^\d?>/.test(word))
      return [line.slice(at, end === -1 ? undefined : end)]
    })
}

const words = (line: string) => [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '')
