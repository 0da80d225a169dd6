// What a key accepts, in Chinese: the reference in both languages has the same bounds.

/** By what the schema says it wants; a new wish needs a line here. */
const SAYINGS: readonly (readonly [RegExp, string])[] = [
  [/^one of (.+)$/, '$1'],
  [/^a duration such as 15s, 1h30m or 1500ms/, '时长，如 15s、1h30m、1500ms'],
  [/^a size such as 64MiB, 64MB or 1048576/, '大小，如 64MiB、64MB、1048576'],
  [/^a rate such as 1\/s, 30\/min or 500\/h$/, '速率，如 1/s、30/min、500/h'],
  [/^an address that starts with (.+)$/, '以 $1 开头的地址'],
  [/^a filter such as (.+)$/, '过滤器，如 $1'],
  [/^a path such as (.+)$/, '路径，如 $1'],
  [/^a port ([\d-]+)$/, '端口 $1'],
  [/^a whole number ([\d-]+)$/, '整数 $1'],
  [/^a whole number$/, '整数'],
  [/^true or false$/, 'true 或 false'],
  [/^true, false, or (.+)$/, 'true、false、$1'],
  [/^text$/, '文本'],
  [/^text of ASCII characters only$/, '文本，只能用英文字母、数字和符号'],
  [/^a folder$/, '文件夹'],
  [/^a QQ number \(digits only\)$/, 'QQ 号'],
  [/^an IP address or a host name$/, 'IP 地址或主机名'],
  [/^a name of 1 to 64 characters$/, '名字，1 到 64 个字符'],
]

export function acceptsInChinese(wanted: string): string {
  const known = SAYINGS.find(([saying]) => saying.test(wanted))
  if (known === undefined) throw new Error(`config reference: no Chinese for "${wanted}": add it to accepts-zh.ts`)
  const [saying, chinese] = known
  const said = wanted
    .replace(saying, chinese)
    .replace(/, at least (\w+)/, '，至少 $1')
    .replace(/, at most (\w+)/, '，至多 $1')
  // Lists have their own comma, but not inside of what is typed as it stands.
  return said
    .replaceAll(' or ', /\{/.test(said) ? '、' : ' 或 ')
    .replace(/^[\w-]+(?:, [\w-]+)+$/, (list) => list.replaceAll(', ', '、'))
}
