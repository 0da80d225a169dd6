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
