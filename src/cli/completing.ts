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
  /** Values it can have; none: any. */
  readonly values: readonly string[]
}

interface Named {
  readonly name: string
  readonly about: string
}

/** What follows each command and member, by the words that lead to it; members stand before their families. */
function places(words: readonly Word[]): [path: string, next: readonly Named[]][] {
  return words.flatMap((word) => [
    ...word.members.map((member): [string, readonly Named[]] => [`${word.name} ${member.name}`, member.options]),
    [word.name, [...word.members, ...word.options]] as [string, readonly Named[]],
  ])
}

const names = (next: readonly { name: string }[]) => next.map(({ name }) => name).join(' ')

/** Options by what comes behind them. They mean the same wherever they are. */
function valued(words: readonly Word[]) {
  const all = [...words, ...words.flatMap(({ members }) => members)].flatMap((word) => word.options)
  const taking = new Map(all.filter(({ value }) => value !== undefined).map((option) => [option.name, option]))
  const options = [...taking.values()]
  const named = (some: readonly Option[]) => some.map(({ name }) => name)
  return {
    files: [...named(options.filter(({ value }) => value === 'file')), '-c'],
    known: options.filter(({ values }) => values.length > 0),
    others: named(options.filter(({ value, values }) => value !== 'file' && values.length === 0)),
  }
}

export function bash(words: readonly Word[]): string {
  const { files, known, others } = valued(words)
  const cases = places(words).map(([path, next]) => `    '${path}'|'${path} '*) words='${names(next)}' ;;`)
  const values = known.map(({ name, values }) => `    ${name}) words='${values.join(' ')}' ;;`)
  return `# bash completion for perpetua
_perpetua() {
  local IFS=$' \\t\\n' current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path= words= word
  # bash takes --option=value apart.
  if [[ $current == = ]]; then before=\${COMP_WORDS[COMP_CWORD-1]} current=
  elif [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in help) ;; -*) break ;; *) path="\${path:+$path }$word" ;; esac
  done
  # Without a command, start is meant.
  if [[ -z $path && ($current == -* || \${COMP_WORDS[1]} == -*) ]]; then path=start; fi
  case $before in
    ${files.join('|')})
      COMPREPLY=(); while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
      compopt -o filenames 2>/dev/null; return ;;
${values.join('\n')}
    ${others.join('|')}) COMPREPLY=(); return ;;
    *) case $path in
    '') words='${names(words)}' ;;
${cases.join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _perpetua perpetua`
}

export function zsh(words: readonly Word[]): string {
  const { files, known, others } = valued(words)
  const quote = (text: string) => quoted(text, `'\\''`)
  const described = (next: readonly Named[]) =>
    next.map(({ name, about }) => `'${quote(name.replaceAll(':', '\\:'))}:${quote(about)}'`).join(' ')
  const cases = places(words).map(([path, next]) => `    '${path}'|'${path} '*) next=(${described(next)}) ;;`)
  const values = known.map(({ name, values }) => `    ${name}) compadd -- ${values.join(' ')}; return ;;`)
  return `#compdef perpetua
_perpetua() {
  local -a next typed
  local word before=$words[CURRENT-1]
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -* ]] && break
    [[ $word == help ]] || typed+=("$word")
  done
  # Without a command, start is meant.
  [[ \${#typed} == 0 && ( $words[CURRENT] == -* || $words[2] == -* ) ]] && typed=(start)
  if [[ $words[CURRENT] == --*=* ]]; then before=\${words[CURRENT]%%=*}; compset -P '*='; fi
  case $before in
    ${files.join('|')}) _files; return ;;
${values.join('\n')}
    ${others.join('|')}) return ;;
  esac
  case "$typed" in
    '') next=(${described(words)}) ;;
${cases.join('\n')}
  esac
  _describe 'perpetua' next
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _perpetua "$@"; else compdef _perpetua perpetua; fi`
}

export function fish(words: readonly Word[]): string {
  const quote = (text: string) => quoted(text, `\\'`)
  const word = (path: string, { name, about }: Named) =>
    `complete -c perpetua -n '__perpetua_at "${path}"' -a ${name} -d '${quote(about)}'`
  const option = (path: string, { name, about, value, values }: Option) => {
    const takes = value === undefined ? '' : value === 'file' ? ' -rF' : ' -x'
    const choice = values.length === 0 ? '' : ` -a '${values.join(' ')}'`
    const short = name === '--config' ? ' -s c' : ''
    return `complete -c perpetua -n '__perpetua_at "${path}"' -l ${name.slice(2)}${short}${takes}${choice} -d '${quote(about)}'`
  }
  const lines = words.flatMap((each) => [
    word('', each),
    ...each.members.map((member) => word(each.name, member)),
    ...each.options.map((one) => option(each.name, one)),
    ...each.members.flatMap((member) => member.options.map((one) => option(`${each.name} ${member.name}`, one))),
  ])
  const start = words.find(({ name }) => name === 'start')?.options ?? []
  const families = words.filter(({ members }) => members.length > 0)
  return `# fish completion for perpetua
# Whether the words typed so far lead to a command.
function __perpetua_at
  set -l path
  for word in (commandline -opc)[2..-1]
    switch $word
      case help
      case '-*'
        # Without a command, start is meant.
        test (count $path) -gt 0; or set path start
        break
      case '*'
        set -a path $word
    end
  end
  # What follows a command is its own; a family has members.
  contains -- "$path[1]" ${names(families)}; and set path $path[1..2]; or set path $path[1]
  test "$path" = "$argv"
end
complete -c perpetua -f
${[...lines, ...start.map((one) => option('', one))].join('\n')}`
}

export function powershell(words: readonly Word[]): string {
  const { files, known, others } = valued(words)
  const strings = (texts: readonly string[]) => texts.map((text) => `'${text}'`).join(', ')
  const cases = places(words).map(([path, next]) => `    '${path}' = '${names(next)}'`)
  return `# PowerShell completion for perpetua
Register-ArgumentCompleter -Native -CommandName perpetua -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $next = @{
    '' = '${names(words)}'
${cases.join('\n')}
  }
  $values = @{ ${known.map(({ name, values }) => `'${name}' = '${values.join(' ')}'`).join('; ')} }
  $typed = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { "$_" })
  $path = @()
  foreach ($word in $typed) { if ($word -like '-*') { break }; if ($word -ne 'help') { $path += $word } }
  # Without a command, start is meant.
  if ($path.Count -eq 0 -and ($wordToComplete -like '-*' -or "$($typed | Select-Object -First 1)" -like '-*')) { $path = @('start') }
  $before = "$($typed | Select-Object -Last 1)"
  # Nothing of ours: then PowerShell offers files.
  if (@(${strings([...files, ...others])}) -contains $before) { return }
  $two = ($path | Select-Object -First 2) -join ' '
  $one = ($path | Select-Object -First 1) -join ' '
  $words = if ($values.ContainsKey($before)) { $values[$before] } elseif ($next.ContainsKey($two)) { $next[$two] } else { $next[$one] }
  "$words" -split ' ' | Where-Object { $_ -and $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}`
}

const quoted = (text: string, quote: string) => text.replaceAll("'", quote)
