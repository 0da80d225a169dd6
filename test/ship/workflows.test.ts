// The workflows and the image: what they may do, and what they take from others.

import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { TARGETS } from '../../scripts/release/targets.ts'
import { folder } from '../support/folder.ts'

const ROOT = join(import.meta.dir, '../..')
const FOLDER = join(ROOT, '.github/workflows')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const workflows = readdirSync(FOLDER).map((name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8')
  return { name, text, flow: parse(text) }
})

interface Job {
  uses?: string
  permissions?: Record<string, string>
  'timeout-minutes'?: number
  steps?: { uses?: string; with?: Record<string, unknown> }[]
}

/** A gh that notes what it is told, and knows these releases. */
const GH = `#!/bin/sh
echo "$*" >> "$GH_TOLD"
case "$1 $2" in
  'release list') printf '%b' "$GH_RELEASES" ;;
  'release view') [ -n "$GH_DRAFT" ] && echo "$GH_DRAFT" ;;
  'release download') mkdir before && printf %s "$GH_SUMS" > before/SHA256SUMS ;;
esac
`

/** Runs a step as the runner does: what it sets for others, what it says, and what it tells gh. */
async function shell(run: string, env: Record<string, string>) {
  await using home = await folder()
  await Promise.all(['set', 'told'].map((name) => Bun.write(home.at(name), '')))
  await Bun.write(home.at('release', 'SHA256SUMS'), 'sums')
  await Bun.write(home.at('bin', 'gh'), GH)
  await chmod(home.at('bin', 'gh'), 0o755)
  const own = {
    PATH: `${home.at('bin')}:${process.env['PATH']}`,
    ...{ GH_TOLD: home.at('told'), GH_DRAFT: '', GH_RELEASES: '', GH_SUMS: '', GITHUB_OUTPUT: home.at('set') },
  }
  const step = Bun.spawnSync(['bash', '-e', '-c', run], { cwd: home.path, env: { ...process.env, ...own, ...env } })
  return {
    code: step.exitCode,
    set: await home.read('set'),
    said: step.stdout.toString(),
    told: (await home.read('told')).trim().split('\n'),
  }
}

test('[SHP9] workflows may read, jobs have time-outs, and only those that publish may write', () => {
  expect(workflows.map(({ name }) => name)).toEqual(['ci.yml', 'image.yml', 'release.yml'])
  for (const { name, flow } of workflows) {
    expect(flow.permissions).toEqual({ contents: 'read' })
    expect(flow.concurrency.group).toBeString()
    for (const [job, { uses, permissions = {}, 'timeout-minutes': minutes, steps = [] }] of Object.entries<Job>(
      flow.jobs,
    )) {
      if (uses === undefined) expect(minutes).toBeLessThanOrEqual(40)
      if (Object.values(permissions).includes('write')) expect(`${name} ${job}`).toMatch(/publish|image/)
      for (const step of steps)
        if (step.uses?.startsWith('actions/checkout@')) expect(step.with?.['persist-credentials']).toBe(false)
    }
  }
})

test('[SHP9] every action is pinned to a commit, with its version beside it', () => {
  for (const { text } of workflows)
    for (const [, action = ''] of text.matchAll(/\buses: (\S.*)/g))
      if (!action.startsWith('./')) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test('[SHP9] a release makes every target, and tries each on a machine that runs it', () => {
  const release = workflows.find(({ name }) => name === 'release.yml')?.flow
  expect(JSON.stringify(release.jobs.build)).toContain('scripts/build.ts --all')
  const tried = ['smoke', 'smoke-musl'].flatMap((job) =>
    release.jobs[job].strategy.matrix.include.map(({ target }: { target: string }) => target),
  )
  expect(tried.toSorted()).toEqual([...TARGETS].toSorted())
  expect(release.jobs.publish.needs).toEqual(['smoke', 'smoke-musl'])
})

test('[SHP9] an image is published by whoever has an account for it, and by others left out with a notice', async () => {
  const { on, jobs } = workflows.find(({ name }) => name === 'image.yml')?.flow ?? {}
  const secrets = ['DOCKERHUB_USERNAME', 'DOCKERHUB_TOKEN']
  expect(Object.keys(on.workflow_call.secrets)).toEqual(secrets)
  expect(Object.values(on.workflow_call.secrets)).toEqual([{ required: false }, { required: false }])
  const release = workflows.find(({ name }) => name === 'release.yml')?.flow
  expect(release.jobs.image.secrets).toEqual(Object.fromEntries(secrets.map((key) => [key, `\${{ secrets.${key} }}`])))
  expect(jobs.image.if).toBe("needs.account.outputs.there == 'true'")

  const { run } = jobs.account.steps[0]
  expect(await shell(run, { USERNAME: 'somebody', TOKEN: 'secret' })).toMatchObject({ set: 'there=true\n', said: '' })
  for (const [USERNAME, TOKEN] of [
    ['somebody', ''],
    ['', 'secret'],
    ['', ''],
  ] as const) {
    const { set, said } = await shell(run, { USERNAME, TOKEN })
    expect(set).toBe('there=false\n')
    expect(said).toMatch(/^::notice .*DOCKERHUB_USERNAME and DOCKERHUB_TOKEN/)
  }
})

test('[SHP9] the image is named like the repository, in lower case, or as the variable says; names that move go to the newest', async () => {
  const { jobs } = workflows.find(({ name }) => name === 'image.yml')?.flow ?? {}
  const { run, env } = jobs.image.steps.find(({ id }: { id?: string }) => id === 'names')
  expect(env['IMAGE']).toBe(`\${{ vars.IMAGE_NAME || github.repository }}`)
  const GH_RELEASES = 'v0.21.3\\nv0.2.1\\nv0.2.10\\nv0.1.9\\n'
  const tags = async (tag: string) => {
    const { set } = await shell(run, { IMAGE: 'Some/Fork', GITHUB_REF_NAME: tag, GH_RELEASES })
    return /^image=some\/fork\ntags=(.*)\n$/.exec(set)?.[1]
  }
  expect(await tags('v0.21.3')).toBe('some/fork:0.21.3,some/fork:0.21,some/fork:latest')
  expect(await tags('v0.2.10')).toBe('some/fork:0.2.10,some/fork:0.2')
  expect(await tags('v0.2.1')).toBe('some/fork:0.2.1')
  expect(await tags('v0.22.0-rc.1')).toBe('some/fork:0.22.0-rc.1')
})

test('[SHP13] a tag that is not the version makes nothing', async () => {
  const { build } = workflows.find(({ name }) => name === 'release.yml')?.flow.jobs ?? {}
  const { run } = build.steps.find(({ name }: { name?: string }) => name === 'The tag is the version')
  const told = async (tag: string) => shell(`cd '${ROOT}'\n${run}`, { GITHUB_REF_NAME: tag })
  expect((await told(`v${manifest.version}`)).code).toBe(0)
  expect(await told('v99.0.0')).toMatchObject({
    code: 1,
    said: expect.stringMatching(/^::error::The tag is v99\.0\.0/),
  })
})

test('[SHP13] the newest version is the latest; a prerelease, or a mended older version, is not', async () => {
  const kind = async (tag: string, GH_RELEASES = 'v0.2.0\\nv0.10.1\\n') => {
    const { code, told } = await publish({ GITHUB_REF_NAME: tag, GH_RELEASES })
    expect(code).toBe(0)
    return told.at(-1)?.replace(/^release create \S+ release\/SHA256SUMS --verify-tag --generate-notes /, '')
  }
  expect(await kind('v0.11.0')).toBe('--latest')
  expect(await kind('v0.2.1')).toBe('--latest=false')
  expect(await kind('v0.11.0-rc.1')).toBe('--prerelease')
  expect(await kind('v0.1.0', '')).toBe('--latest')
})

test('[SHP13] run once more, a release that is there stays; one that was begun is made anew', async () => {
  const GITHUB_REF_NAME = 'v0.2.0'
  const same = await publish({ GITHUB_REF_NAME, GH_DRAFT: 'false', GH_SUMS: 'sums' })
  expect(same).toMatchObject({ code: 0, told: [expect.stringContaining('view'), expect.stringContaining('download')] })
  const other = await publish({ GITHUB_REF_NAME, GH_DRAFT: 'false', GH_SUMS: 'others' })
  expect(other).toMatchObject({ code: 1, said: expect.stringContaining('::error::v0.2.0 is released already') })
  const begun = await publish({ GITHUB_REF_NAME, GH_DRAFT: 'true' })
  expect(begun.told.filter((line) => /delete|create/.test(line))).toEqual([
    'release delete v0.2.0 --yes',
    'release create v0.2.0 release/SHA256SUMS --verify-tag --generate-notes --latest',
  ])
})

function publish(env: Record<string, string>) {
  const { publish } = workflows.find(({ name }) => name === 'release.yml')?.flow.jobs ?? {}
  return shell(publish.steps.find(({ name }: { name?: string }) => name === 'Release').run, env)
}

const dockerfile = () =>
  read('Dockerfile')
    .replaceAll(/\\\n/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))

test('[SHP10] the image has no shell and no root, keeps config and data in volumes, and is asked whether it is well', () => {
  const lines = dockerfile()
  const last = lines.findLastIndex((line) => line.startsWith('FROM '))
  const image = lines.slice(last)
  expect(image[0]).toBe('FROM scratch')
  expect(image.filter((line) => /^(?:RUN|ADD) /.test(line))).toEqual([])
  // Of the first stage: libraries and certificates, and no program.
  const lent = image.flatMap((line) => /^COPY --from=alpine (\S+) (\S+)$/.exec(line)?.slice(1) ?? [])
  expect(lent).toEqual(['/lent/lib/', '/lib/', '/lent/usr/lib/', '/usr/lib/', '/lent/etc/ssl/', '/etc/ssl/'])
  expect(image).toContain('USER 65532:65532')
  expect(image).toContain('VOLUME ["/perpetua/config", "/perpetua/data"]')
  expect(image.find((line) => line.startsWith('HEALTHCHECK'))).toEndWith('CMD ["/usr/local/bin/perpetua", "healthz"]')
  for (const line of image) if (/^(?:ENTRYPOINT|CMD)/.test(line)) expect(line).toMatch(/^\w+ \[.*\]$/)
})

test('[SHP10] the libraries come with a pinned version of Alpine, and fit the programs that scripts/image lays out', () => {
  const from = dockerfile().find((line) => line.startsWith('FROM '))
  expect(from).toMatch(/^FROM --platform=\$BUILDPLATFORM alpine:\d+\.\d+\.\d+ AS alpine$/)
  const add = dockerfile().find((line) => line.startsWith('RUN '))
  expect(add).toMatch(/apk add .*--no-scripts musl libstdc\+\+ ca-certificates-bundle$/)
  expect(read('scripts/image')).toContain(`perpetua-linux-\${pair%:*}-musl.tar.gz`)
  for (const [, pair = ''] of read('scripts/image').matchAll(/\b(\w[\w-]*):(?:amd64|arm64)\b/g))
    expect(TARGETS as readonly string[]).toContain(`linux-${pair}-musl`)
})

test('[SHP10] images are named without the host of a registry', () => {
  const named = [
    ...read('Dockerfile').matchAll(/^FROM (?:--\S+ )?(\S+)/gm),
    ...workflows.flatMap(({ text }) => [
      ...text.matchAll(/\bdocker run (?:-{1,2}\S+ (?:"[^"]*" )*)*?([\w.-]+[/:]\S+)/g),
    ]),
    ...['docs/install.md', 'docs/install.zh-CN.md'].flatMap((page) => [
      ...read(page).matchAll(/^ +(?:image: )?(\S*iunlimit\/perpetua)$/gm),
    ]),
  ].map(([, image]) => image)
  expect(named).toContain('iunlimit/perpetua')
  // What has a dot or a port before the first slash is a host.
  for (const image of named) expect(image).not.toMatch(/^[^/]*[.:][^/]*\//)
  for (const { flow } of workflows)
    for (const { steps = [] } of Object.values<Job>(flow.jobs))
      for (const step of steps) expect(Object.keys(step.with ?? {})).not.toContain('registry')
})
