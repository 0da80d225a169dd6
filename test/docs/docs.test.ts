// The guard of the docs, run on a copy in which some things are no longer so.

import { describe, expect, test } from 'bun:test'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commandLines } from '../../scripts/command-lines.ts'
import { slugOf } from '../../scripts/markdown.ts'
import { folder } from '../support/folder.ts'

const ROOT = join(import.meta.dir, '../..')
const PAGES = ['README.md', 'README.zh-CN.md', 'ARCHITECTURE.md', 'LICENSE', 'docs']

/** In this file this text becomes that one, and the guard says so; '' stands for a line of its own at the end. */
type Lie = [file: string, was: string | RegExp, is: string, complaint: RegExp]

/** One run for all of them: the guard tells everything at once. */
async function lied(lies: Lie[], ...options: string[]) {
  await using copy = await folder()
  for (const page of PAGES) await cp(join(ROOT, page), copy.at(page), { recursive: true })
  for (const [file, was, is] of lies) {
    const before = await copy.read(file)
    const after = was === '' ? `${before}\n${is}\n` : before.replace(was, is)
    expect(after).not.toBe(before)
    await writeFile(copy.at(file), after)
  }
  const command = [process.execPath, join(ROOT, 'scripts/check-docs.ts'), ...options]
  const run = Bun.spawn(command, { cwd: copy.path, stdout: 'ignore', stderr: 'pipe' })
  const [text, code] = await Promise.all([new Response(run.stderr).text(), run.exited])
  return { said: text.split('\n').filter(Boolean), code, page: await copy.read('docs/configuration.md') }
}

async function refuses(...lies: Lie[]): Promise<void> {
  const { said, code } = await lied(lies)
  for (const [, , , complaint] of lies) expect(said).toContainEqual(expect.stringMatching(complaint))
  expect(code).toBe(1)
}

describe('docs', () => {
  test('[DOC1] a generated page that is not what the schema says is refused, and --write mends it', async () => {
    const stale = ['docs/configuration.md', 'docs/configuration.zh-CN.md', 'docs/config.schema.json']
    const lies = stale.map((file): Lie => [file, '8080', '8081', new RegExp(`^${file}: out of date`)])
    await refuses(...lies)
    const mended = await lied(lies, '--write')
    expect(mended.page).toBe(await readFile(join(ROOT, 'docs/configuration.md'), 'utf8'))
    expect(mended.said.filter((line) => line.includes('out of date'))).toEqual([])
  })

  test('[DOC2] a link to a page or a heading that is not there is refused', async () => {
    await refuses(
      ['README.md', '', '[x](docs/nowhere.md)', /docs\/nowhere\.md leads nowhere/],
      ['README.md', '', '[x](../outside.md)', /outside\.md leads nowhere/],
      ['docs/api.md', '## Retcodes', '## Codes', /README\.md:\d+: docs\/api\.md#retcodes: no such heading/],
    )
  })

  test('[DOC2] anchors are those that GitHub makes of headings', () => {
    expect(slugOf('A port for one client')).toBe('a-port-for-one-client')
    expect(slugOf('由实现端连接 perpetua')).toBe('由实现端连接-perpetua')
    expect(slugOf('The `api`, [in short](x.md)!')).toBe('the-api-in-short')
    expect(slugOf('a & b')).toBe('a--b')
  })

  test('[DOC3] paths, actions, retcodes, close codes, exit codes and packages are those of the code', async () => {
    await refuses(
      ['docs/api.md', '| 1413 |', '| 1414 |', /api\.md:\d+: retcode table: the code has "1413/],
      ['docs/api.md', /^\| 10001 .*\n/m, '', /api\.md:\d+: retcode table: the code has "10001/],
      ['docs/api.md', 'shutting down |', 'going away |', /close code table: the code has no "1001/],
      ['docs/api.zh-CN.md', '| 4013 |', '| 4014 |', /关闭码 table: the code has no "4014/],
      ['README.md', '`/event`', '`/events`', /path table: the code has no "\/events"/],
      ['README.zh-CN.md', '`set_restart`', '`restart`', /动作 table: the code has no "restart"/],
      ['README.md', '| 3 | the port', '| 5 | the port', /exit code table: the code has no "5/],
      ['ARCHITECTURE.md', '| `yaml` |', '| `js-yaml` |', /package table: the code has no "js-yaml"/],
    )
  })

  test('[DOC4] what stands as code exists: keys, variables, commands, options, scripts, files, whole configs', async () => {
    await refuses(
      ['README.md', '', '`http.prot`', /http\.prot is no key/],
      ['README.md', '', '`PERPETUA_HTTP_PROT`', /PERPETUA_HTTP_PROT names no key/],
      ['README.md', '', '`perpetua strat`', /perpetua strat: no such command/],
      ['README.md', '', '`perpetua check --jsno`', /perpetua check --jsno: no option --jsno/],
      ['README.md', '', '`npx bun run biuld`', /no script biuld/],
      ['README.md', '', '`src/broker/nobody.ts`', /src\/broker\/nobody\.ts does not exist/],
      ['docs/connect.md', 'range-port:', 'rang-port:', /docs\/connect\.md.*rang-port/],
      ['docs/install.md', 'upgrade --rollback ', 'upgrade --roll-back ', /unknown option --roll-back, did you mean/],
      ['docs/install.md', 'service install --system', 'service instal --system', /no command service instal/],
      ['docs/install.md', '\nservices:', '\nservices: [', /install\.md:\d+: no yml/],
      ['docs/connect.md', '"network": {', '"network": {{', /connect\.md:\d+: no json/],
      ['docs/routing.md', '.regex: "group', '.regex: "(group', /docs\/routing\.md.*\.regex: found "\(group/],
      [
        'docs/health.md',
        '| `5` | a whole',
        '| `6` | a whole',
        /health\.md:\d+: `breaker\.failures`: the reference has "`5` \|/,
      ],
      ['docs/health.zh-CN.md', '| `breaker.cool-down`', '| `breaker.cooldown`', /`breaker\.cooldown` is no key/],
      ['docs/lagrange.md', '# config/config.yml\n', '', /docs\/lagrange\.md:\d+: wanted "# config\/config\.yml"/],
    )
  })

  test('[DOC4] calls of perpetua are found in lines of a shell, up to their end', () => {
    const found = commandLines(`# perpetua in a comment
sudo dist/perpetua check --json # why
HTTP_PROXY=x perpetua start -c "my config.yml" > log && perpetua | head
perpetua completions bash > ~/a/perpetua
echo perpetua start
docker run perpetua \\
  start
a/perpetua.exe \\
  upgrade --to 1.0.0`)
    const calls = [['check', '--json'], ['start', '-c', 'my config.yml'], [], ['completions', 'bash']]
    expect(found).toEqual([...calls, ['upgrade', '--to', '1.0.0']])
  })

  test('[DOC8] every block is read by what would read it', async () => {
    await refuses(
      ['README.md', '', '```\nx\n```', /README\.md:\d+: wanted a language of sh, .*found ""/],
      ['README.md', '', '```sh\nif true; then\n```', /README\.md:\d+: no sh: /],
      ['README.md', '', '```sh\nwget x\n```', /wget x: nobody here knows this program/],
      ['README.md', '', '```sh\n./scripts/stop\n```', /\.\/scripts\/stop is no program of the repository/],
      ['README.md', '', '`npx bun scripts/site.ts --prot 1`', /scripts\/site\.ts has no option --prot/],
      ['README.md', '', '`perpetua lagrange instal`', /no command lagrange instal/],
      ['docs/developing.md', 'build.ts --all', 'build.ts --every', /scripts\/build\.ts has no option --every/],
      ['docs/runtimes.md', 'node src/main.ts', 'node src/man.ts', /src\/man\.ts does not exist/],
      ['docs/install.md', 'download/install.sh', 'download/instal.sh', /a release has no instal\.sh/],
      ['docs/install.md', '-File install.ps1', '-File install.ps1 -Miror x', /install\.ps1 has no option -Miror/],
      ['docs/install.md', '`perpetua-darwin-x64.tar.gz`', '`perpetua-macos.tar.gz`', /archive table: the code has no/],
      ['docs/install.md', 'A_LONG_TOKEN \\\n', ' \\\n', /docker run.*: .*wanted 127\.0\.0\.1, since no token/],
      ['docs/install.zh-CN.md', 'PORT_START: "8100"', 'PORT_START: "x"', /install\.zh-CN\.md:\d+: .*range-port\.start/],
      ['docs/connect.md', '"group_id": 123456789,', 'group_id: 123456789,', /curl .*: no json/],
      ['docs/connect.md', 'WS_URLS=["ws', 'WS_URLS=[ws', /connect\.md:\d+: no json/],
      ['docs/connect.md', 'DRIVER=~websockets\nO', 'DRIVER\nO', /connect\.md:\d+: no dotenv: DRIVER/],
      [
        'docs/discovery.md',
        '8080/api/status',
        '8080/api/state',
        /discovery\.md:\d+: nothing is served at \/api\/state/,
      ],
      [
        'docs/health.md',
        'warn  client connects too',
        'warn  client comes too',
        /the log never says "client comes too often: /,
      ],
      ['docs/troubleshooting.md', '`implementation refused us`', '`it refused us`', /log never says "it refused us"/],
    )
  })

  test('[DOC10] whatever the log warns of, the docs speak of it', async () => {
    const untold = /^docs\/troubleshooting\.md: the log may say "implementation lost"/
    await refuses(
      ['docs/troubleshooting.md', '`implementation lost`', '`implementation gone`', untold],
      ['docs/troubleshooting.zh-CN.md', '`implementation lost`', '`implementation gone`', untold],
    )
  })

  test('[SHP11] the folder is a site: it asks nobody else for anything, and every page is in its sidebar, once', async () => {
    await refuses(['docs/vendor/docsify.min.js', '5.0.0', '5.0.1', /^docs\/vendor\/docsify\.min\.js: out of date/])
    const read = (...path: string[]) => readFile(join(ROOT, 'docs', ...path), 'utf8')
    const page = await read('index.html')
    for (const [, target = ''] of page.matchAll(/\b(?:src|href)="([^"]+)"/g))
      expect(await Bun.file(join(ROOT, 'docs', target)).exists()).toBe(true)
    // GitHub Pages leaves out what begins with _ unless it is told not to.
    expect(await Bun.file(join(ROOT, 'docs/.nojekyll')).exists()).toBe(true)
    expect(page).not.toMatch(/https?:/)
    expect(page).toContain("default-src 'self'")
    for (const file of await readdir(join(ROOT, 'docs/vendor')))
      if (file.endsWith('.css')) expect(await read('vendor', file)).not.toMatch(/url\(["']?(?:https?:)?\/\/|@import/)
    for (const file of (await readdir(join(ROOT, 'docs/images'))).filter((file) => file.endsWith('.svg')))
      expect((await read('images', file)).replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/)
    const sidebar = await read('_sidebar.md')
    const listed = [...sidebar.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target)
    const pages = (await readdir(join(ROOT, 'docs'))).filter((file) => file.endsWith('.md') && !file.startsWith('_'))
    expect(listed.toSorted()).toEqual(pages.toSorted())
    // No page shows a picture from elsewhere either.
    for (const file of pages) {
      const text = await read(file)
      expect(text).not.toMatch(/!\[[^\]]*\]\(https?:|<img[^>]+https?:/)
      // Links to other files than pages must say so, or docsify looks for a page of that name.
      expect(text).not.toMatch(/(?<!!)\[[^\]]*\]\((?!\w+:)[^)\s#]+\.(?!md\b)\w+\)/)
    }
  })

  test('[DOC5] the README shows the two commands, and pages in two languages say the same things', async () => {
    await refuses(
      ['README.md', './scripts/start\n', './scripts/run\n', /^README\.md: wanted a code block with .*start/],
      ['README.zh-CN.md', './scripts/test\n', './scripts/run\n', /^README\.zh-CN\.md: wanted a code block with .*test/],
      ['docs/security.md', '', '## One more', /security\.zh-CN\.md: other headings/],
      ['docs/api.md', /^\| 1009 .*\n/m, '', /api\.zh-CN\.md: other tables/],
      ['docs/connect.md', '```dotenv', '```sh', /connect\.zh-CN\.md: other code blocks/],
      ['docs/connect.zh-CN.md', '127.0.0.1:3002', '127.0.0.1:3003', /connect\.zh-CN\.md:\d+: another text than/],
      ['docs/resume.md', '`actions.hold`', '`actions.held`', /resume\.zh-CN\.md does not speak of actions\.held/],
    )
  })
})
