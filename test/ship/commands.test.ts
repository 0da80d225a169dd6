// Completions and the schema: what helps at the keyboard and in the editor.

import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { template } from '../../src/config/template.ts'
import { folder } from '../support/folder.ts'
import { program } from '../support/program.ts'

const printed = async (...words: string[]) => {
  await using home = await folder()
  return (await program(words, { cwd: home.path }).ended).stdout
}

/** What bash offers for a line that is being typed. */
async function offered(script: string, ...words: string[]): Promise<string[]> {
  const run = `${script}\nCOMP_WORDS=(perpetua "$@"); COMP_CWORD=$#; _perpetua; printf '%s\\n' "\${COMPREPLY[@]}"`
  const child = Bun.spawn(['bash', '-c', run, 'bash', ...words], { stdout: 'pipe' })
  return (await new Response(child.stdout).text()).trim().split('\n')
}

test('[SHP7] bash completes commands, members of families, and the options of each', async () => {
  const script = await printed('completions', 'bash')
  expect(await offered(script, '')).toEqual(expect.arrayContaining(['start', 'doctor', 'service', 'completions']))
  expect(await offered(script, 'se')).toEqual(['service'])
  expect(await offered(script, 'service', '')).toEqual(expect.arrayContaining(['install', 'uninstall', 'status']))
  expect(await offered(script, 'service', 'install', '--s')).toEqual(['--system'])
  expect(await offered(script, 'check', '--')).toEqual(['--config', '--json', '--help', '--version'])
  expect(await offered(script, 'check', '--config', join(import.meta.dir, 'packed.'))).toEqual([
    import.meta.path.replace('commands', 'packed'),
  ])
})

/** What is offered, whatever the shell; [] where it is nothing of ours. */
const LINES: [typed: string[], offers: string[]][] = [
  [['--'], ['--config', '--help', '--version']],
  [['help', 'se'], ['service']],
  [
    ['service', 'status', '--'],
    ['--system', '--name', '--help', '--version'],
  ],
  [['kick', 'alice', '--b'], ['--bot']],
  [
    ['tail', '--kinds', ''],
    ['event', 'action', 'reply', 'fact', 'log'],
  ],
  [['upgrade', '--to', ''], []],
]

test('[SHP7] bash completes values, paths with spaces, and nothing where nothing is known', async () => {
  const script = await printed('completions', 'bash')
  for (const [typed, offers] of LINES)
    expect({ typed, offers: (await offered(script, ...typed)).filter(Boolean) }).toEqual({ typed, offers })
  await using home = await folder()
  await Bun.write(home.at('my bot.yml'), '')
  expect(await offered(script, 'start', '-c', home.at('my'))).toEqual([home.at('my bot.yml')])
  // As bash takes apart --config=my
  expect(await offered(script, 'start', '--config', '=', home.at('my'))).toEqual([home.at('my bot.yml')])
})

const FISH = Bun.which('fish')
if (FISH === null) console.log('completions for fish: not tried, it is not here')
test.skipIf(FISH === null)('[SHP7] fish completes the same', async () => {
  await using home = await folder()
  await Bun.write(home.at('perpetua.fish'), await printed('completions', 'fish'))
  const env = { ...process.env, HOME: home.path, XDG_CONFIG_HOME: home.path, XDG_DATA_HOME: home.path }
  for (const [typed, offers] of LINES) {
    const ask = `source ${home.at('perpetua.fish')}; complete -C 'perpetua ${typed.join(' ')}'`
    const child = Bun.spawn([FISH ?? '', '-c', ask], { stdout: 'pipe', env, cwd: home.path })
    const lines = (await new Response(child.stdout).text()).trim().split('\n')
    const found = lines.map((line) => line.split('\t')[0] ?? '').filter(Boolean)
    expect({ typed, offers: found.sort() }).toEqual({ typed, offers: offers.toSorted() })
  }
})

test('[SHP7] the other shells get scripts that they can read', async () => {
  for (const shell of ['zsh', 'fish', 'powershell']) {
    const script = await printed('completions', shell)
    for (const word of ['doctor', 'install', 'rollback']) expect(script).toContain(word)
    const checked = shell !== 'powershell' && Bun.which(shell)
    if (!checked) console.log(`completions for ${shell}: not tried, it is not here`)
    else expect(Bun.spawnSync([checked, '-n', '/dev/stdin'], { stdin: Buffer.from(script) }).stderr.toString()).toBe('')
  }
})

test('[SHP8] a config that is written names its schema, which lies beside it and is kept up to date', async () => {
  await using home = await folder()
  await program(['init'], { cwd: home.path }).ended
  const text = await home.read('config', 'config.yml')
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./config.schema.json')
  const schema = JSON.parse(await home.read('config', 'config.schema.json'))
  expect(schema).toEqual(JSON.parse(await printed('schema')))
  expect(schema).toEqual(JSON.parse(await readFile(join(import.meta.dir, '../../docs/config.schema.json'), 'utf8')))
  // Every key that the template has is one that the schema knows.
  expect(Object.keys(parse(template())).filter((key) => !(key in schema.properties))).toEqual([])

  await Bun.write(home.at('config', 'config.schema.json'), '{}')
  await using running = program(['start'], { cwd: home.path, env: { PERPETUA_HTTP_PORT: '0' } })
  await running.says(/started/)
  expect(JSON.parse(await home.read('config', 'config.schema.json'))).toEqual(schema)
})
