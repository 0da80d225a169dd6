// The workflows and the image: what they may do, and what they take from others.

import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { TARGETS } from '../../scripts/release/targets.ts'

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

test('[SHP10] the image has no shell and no root, keeps config and data in volumes, and is asked whether it is well', () => {
  const lines = read('Dockerfile')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  expect(lines.filter((line) => line.startsWith('FROM '))).toEqual([
    'FROM gcr.io/distroless/base-nossl-debian12:nonroot',
  ])
  expect(lines.filter((line) => /^(?:RUN|USER|ADD) /.test(line))).toEqual([])
  expect(lines).toContain('VOLUME ["/perpetua/config", "/perpetua/data"]')
  expect(lines.find((line) => line.startsWith('HEALTHCHECK'))).toEndWith('CMD ["/usr/local/bin/perpetua", "healthz"]')
  for (const line of lines) if (/^(?:ENTRYPOINT|CMD)/.test(line)) expect(line).toMatch(/^\w+ \[.*\]$/)
})
