// The workflows and the image: what they may do, and what they take from others.

import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
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

/** Runs a step as the runner does: what it sets for others, and what it says. */
async function shell(run: string, env: Record<string, string>): Promise<{ set: string; said: string }> {
  await using home = await folder()
  await Bun.write(home.at('set'), '')
  const command = ['bash', '-euo', 'pipefail', '-c', run]
  const step = Bun.spawnSync(command, { env: { ...process.env, ...env, GITHUB_OUTPUT: home.at('set') } })
  expect(step.exitCode).toBe(0)
  return { set: await home.read('set'), said: step.stdout.toString() }
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
  expect(await shell(run, { USERNAME: 'somebody', TOKEN: 'secret' })).toEqual({ set: 'there=true\n', said: '' })
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

test('[SHP9] the image is named like the repository, in lower case, or as the variable says; prereleases are not latest', async () => {
  const { jobs } = workflows.find(({ name }) => name === 'image.yml')?.flow ?? {}
  const { run, env } = jobs.image.steps.find(({ id }: { id?: string }) => id === 'names')
  expect(env).toEqual({ IMAGE: `\${{ vars.IMAGE_NAME || github.repository }}` })
  const names = async (tag: string) => (await shell(run, { IMAGE: 'Some/Fork', GITHUB_REF_NAME: tag })).set
  expect(await names('v0.2.1')).toBe('image=some/fork\ntags=some/fork:0.2.1,some/fork:0.2,some/fork:latest\n')
  expect(await names('v0.2.1-rc.1')).toBe('image=some/fork\ntags=some/fork:0.2.1-rc.1\n')
})

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
