// Writes completions for shells, from the words that perpetua knows.

export interface Word {
  readonly name: string
  readonly about: string
  readonly options: readonly Option[]
  /** Of a family. */
  readonly members: readonly Word[]
}

interface Option {
  /** `--config` */
  readonly name: string
  readonly about: string
  /** What its value is called; undefined: it takes none. */
  readonly value: string | undefined
}

/** Every command and member, by the words that lead to it: `check`, `service install`. */
function places(words: readonly Word[]): [path: string, next: readonly { name: string; about: string }[]][] {
  return words.flatMap((word) => [
    [word.name, [...word.members, ...word.options]],
    ...word.members.map((member): [string, Word['options']] => [`${word.name} ${member.name}`, member.options]),
  ])
}

const names = (next: readonly { name: string }[]) => next.map(({ name }) => name).join(' ')

/** Options whose value is a file. */
function fileOptions(words: readonly Word[]): string[] {
  const all = [...words, ...words.flatMap(({ members }) => members)].flatMap((word) => word.options)
  return [...new Set(all.filter(({ value }) => value === 'file').map(({ name }) => name))]
}

export function bash(words: readonly Word[]): string {
  const cases = places(words).map(([path, next]) => `    '${path}') words='${names(next)}' ;;`)
  return `# bash completion for perpetua
_perpetua() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path= words= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) break ;; *) path="\${path:+$path }$word" ;; esac
  done
  case $before in ${[...fileOptions(words), '-c'].join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  case $path in
    '') words='${names(words)}' ;;
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _perpetua perpetua`
}

export function zsh(words: readonly Word[]): string {
  const described = (next: readonly { name: string; about: string }[]) =>
    next
      .map(({ name, about }) => `'${quoted(name.replaceAll(':', '\\:'), `'\\''`)}:${quoted(about, `'\\''`)}'`)
      .join(' ')
  const cases = places(words).map(([path, next]) => `    '${path}') next=(${described(next)}) ;;`)
  return `#compdef perpetua
_perpetua() {
  local -a next typed
  local word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -* ]] && break
    typed+=("$word")
  done
  case $words[CURRENT-1] in ${[...fileOptions(words), '-c'].join('|')}) _files; return ;; esac
  case "$typed" in
    '') next=(${described(words)}) ;;
${cases.join('\n')}
  esac
  _describe 'perpetua' next
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _perpetua "$@"; else compdef _perpetua perpetua; fi`
}

export function fish(words: readonly Word[]): string {
  const line = (condition: string, { name, about }: { name: string; about: string }, value?: string) => {
    const what = name.startsWith('--') ? `-l ${name.slice(2)}` : `-a ${name}`
    const takes = value === undefined ? '' : value === 'file' ? ' -rF' : ' -x'
    return `complete -c perpetua -n '${condition}' ${what}${takes} -d '${quoted(about, `\\'`)}'`
  }
  const lines = words.flatMap((word) => {
    const own = `__fish_seen_subcommand_from ${word.name}`
    const inside = word.members.map(({ name }) => name).join(' ')
    const bare = word.members.length === 0 ? own : `${own}; and not __fish_seen_subcommand_from ${inside}`
    return [
      line('__fish_use_subcommand', word),
      ...word.members.map((member) => line(bare, member)),
      ...word.options.map((option) => line(bare, option, option.value)),
      ...word.members.flatMap((member) =>
        member.options.map((option) =>
          line(`${own}; and __fish_seen_subcommand_from ${member.name}`, option, option.value),
        ),
      ),
    ]
  })
  return ['# fish completion for perpetua', 'complete -c perpetua -f', ...lines].join('\n')
}

export function powershell(words: readonly Word[]): string {
  const cases = places(words).map(([path, next]) => `    '${path}' { '${names(next)}' }`)
  return `# PowerShell completion for perpetua
Register-ArgumentCompleter -Native -CommandName perpetua -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $typed = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { "$_" } | Where-Object { $_ -notlike '-*' })
  $words = switch ($typed -join ' ') {
    '' { '${names(words)}' }
${cases.join('\n')}
    default { '' }
  }
  $words -split ' ' | Where-Object { $_ -and $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}`
}

const quoted = (text: string, quote: string) => text.replaceAll("'", quote)
