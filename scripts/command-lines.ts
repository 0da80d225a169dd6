// Finds the calls of perpetua in lines of a shell.

/** The words behind each `perpetua`, wherever it lies: up to a comment, a redirection or the next command. */
export function commandLines(text: string): string[][] {
  const whole = text.replaceAll(/\\\n\s*/g, ' ').replaceAll(/"\$\(command -v (\S+)\)"/g, '$1')
  return whole
    .split(/\n|&&|\|\||[|;]/)
    .map((line) => words(line.replace(/(^|\s)#.*$/, '')))
    .flatMap((line) => {
      const at = line.findIndex((word) => !/^\w+=/.test(word) && word !== 'sudo' && word !== '$')
      const [program = '', ...rest] = line.slice(at)
      if (at === -1 || !/(?:^|[/\\])perpetua(?:\.exe)?$/.test(program)) return []
      const end = rest.findIndex((word) => /^\d?>/.test(word))
      return [end === -1 ? rest : rest.slice(0, end)]
    })
}

const words = (line: string) => [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '')
