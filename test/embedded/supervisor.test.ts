// One process is kept running: starts, ends, pauses, giving up, restarts, and all that it may do meanwhile.

import { heapStats } from 'bun:jsc'
import { expect, test } from 'bun:test'
import { spelled } from '../../src/embedded/supervisor.ts'
import { lives } from '../support/system.ts'
import { supervised } from './supervised.ts'

test('[SUP1] the state goes from starting over what it is marked as to stopped, each with what belongs to it', async () => {
  await using bed = await supervised()
  const { supervisor } = bed
  const began = Date.now()
  expect(supervisor.state).toEqual({ state: 'stopped', since: expect.any(Number) })
  supervisor.mark('running')
  expect(supervisor.state.state).toBe('stopped')
  supervisor.start()
  supervisor.start()
  expect(supervisor.state).toEqual({ state: 'starting', since: expect.any(Number) })
  supervisor.mark('running')
  expect(supervisor.state.state).toBe('starting')
  const { pid } = await bed.fact('started')
  expect(supervisor.state).toEqual({ state: 'starting', pid, since: expect.any(Number) })
  await bed.says(/QrCode Fetched/)
  for (const state of ['waiting-for-login', 'running', 'waiting-for-login'] as const) {
    supervisor.mark(state)
    expect(supervisor.state).toEqual({ state, pid, since: expect.any(Number) })
    expect(supervisor.state.since).toBeWithin(began, Date.now() + 1)
  }
  const stopped = supervisor.stop()
  expect(supervisor.state).toEqual({ state: 'stopping', pid, since: expect.any(Number) })
  supervisor.mark('running')
  expect(supervisor.state.state).toBe('stopping')
  await stopped
  expect(supervisor.state).toEqual({ state: 'stopped', since: expect.any(Number) })
  expect(bed.all).toEqual([
    { kind: 'started', pid },
    { kind: 'ended', how: 'exit code 0' },
  ])
  expect(await bed.standIn.starts()).toEqual([pid])
  expect(lives(pid)).toBe(false)
})

test('[SUP2] after an end it is started again, after pauses that grow', async () => {
  await using bed = await supervised({ exitCode: 3 }, { quick: { within: 60_000, most: 4 } })
  bed.supervisor.start()
  for (const [tries, least] of [20, 40, 60].entries()) {
    const { how, inMs, ...rest } = await bed.fact('exited')
    expect(rest).toEqual({ kind: 'exited', tries: tries + 1 })
    expect(how).toBe('exit code 3')
    expect(inMs).toBeWithin(least, 61)
    const { state } = bed.supervisor
    expect(state).toEqual({
      state: 'backing-off',
      since: expect.any(Number),
      until: expect.any(Number),
      tries: tries + 1,
      why: how,
    })
    if (state.state === 'backing-off') expect(state.until - state.since).toBeWithin(inMs - 1, inMs + 20)
  }
  expect(await bed.fact('given-up')).toBeDefined()
})

test('[SUP3] five quick ends in a row are enough: it is given up with its last 20 lines and what to do', async () => {
  await using bed = await supervised({ spams: 30, exitCode: 134 })
  bed.supervisor.start()
  const { why, output } = await bed.fact('given-up')
  expect(why).toContain('it ended 5 times in a row, each time within 30 s of its start (the last time: exit code 134)')
  expect(why).toContain('mend what its last lines complain about, then restart it')
  expect(output.map((line) => Number(/^\d+/.exec(line)?.[0]))).toEqual(Array.from({ length: 20 }, (_, i) => i + 10))
  expect(bed.supervisor.state).toEqual({ state: 'stopped', since: expect.any(Number), why })
  expect(await bed.standIn.starts()).toHaveLength(5)
  expect(bed.all.filter(({ kind }) => kind === 'exited')).toHaveLength(4)
})

// These wait for seconds to pass: for the same ones.
test.concurrent('[SUP4] a life that lasted makes the ends before it forgotten', async () => {
  const lives = [{}, {}, { exitAfter: 4_200 }, {}, {}, {}]
  const program = async () => {
    await bed.standIn.set({ exitCode: 1, ...lives.shift() })
    return { command: bed.standIn.executable, args: [], cwd: bed.place.path }
  }
  await using bed = await supervised({}, { program, quick: { within: 4_000, most: 3 } })
  bed.supervisor.start()
  await bed.fact('given-up')
  expect(await bed.standIn.starts()).toHaveLength(6)
})

test.concurrent('[SUP5] a restart starts anew what was given up, and stop forgets that it was', async () => {
  await using bed = await supervised({ exitCode: 1 }, { quick: { within: 30_000, most: 2 } })
  const { supervisor } = bed
  supervisor.start()
  await bed.fact('given-up')
  await supervisor.restart()
  const { tries } = await bed.fact('exited')
  expect(tries).toBe(1)
  await bed.fact('given-up')
  await bed.standIn.set({})
  await supervisor.restart()
  const { pid } = await bed.fact('started')
  expect(supervisor.state).toMatchObject({ state: 'starting', pid })
  await bed.standIn.set({ exitCode: 1 })
  void supervisor.restart()
  await bed.fact('given-up')
  await supervisor.stop()
  expect(supervisor.state).toEqual({ state: 'stopped', since: expect.any(Number) })
  await supervisor.restart()
  expect(supervisor.state.state).toBe('stopped')
})

test.concurrent('[SUP6] who takes no notice of SIGTERM is killed after the grace', async () => {
  await using bed = await supervised({ ignoresSigterm: true }, { graceMs: 300 })
  bed.supervisor.start()
  const { pid } = await bed.fact('started')
  await bed.says(/QrCode Fetched/)
  const asked = performance.now()
  await bed.supervisor.stop()
  expect(performance.now() - asked).toBeGreaterThanOrEqual(300)
  expect(bed.all.slice(1)).toEqual([
    { kind: 'stubborn', pid, afterMs: 300 },
    { kind: 'ended', how: 'ended by SIGKILL' },
  ])
  expect(lives(pid)).toBe(false)
})

test.concurrent('[SUP6] the grace is five seconds', async () => {
  await using bed = await supervised({ ignoresSigterm: true })
  bed.supervisor.start()
  await bed.says(/QrCode Fetched/)
  void bed.supervisor.stop()
  expect(await bed.fact('stubborn')).toMatchObject({ afterMs: 5_000 })
})

test('[SUP7] restarts asked for at the same time are one, and never do two processes run', async () => {
  await using bed = await supervised({ ignoresSigterm: true }, { graceMs: 200 })
  const { supervisor } = bed
  supervisor.start()
  await bed.says(/QrCode Fetched/)
  const asked = [supervisor.restart(), supervisor.restart()]
  expect(supervisor.state.state).toBe('stopping')
  await bed.fact('stubborn')
  asked.push(supervisor.restart())
  await Promise.all(asked)
  expect(supervisor.state).toMatchObject({ state: 'starting', pid: expect.any(Number) })
  await bed.says(/QrCode Fetched/)
  expect(await bed.standIn.starts()).toHaveLength(2)
  await supervisor.restart()
  await bed.says(/QrCode Fetched/)
  expect(await bed.standIn.starts()).toHaveLength(3)
  expect(await bed.standIn.twice()).toBe(false)
  expect(bed.all.filter(({ kind }) => kind === 'exited')).toEqual([])
})

test('[SUP8] a restart cuts a pause short', async () => {
  await using bed = await supervised({ exitCode: 1 }, { patience: { first: 600_000, most: 600_000, stable: 60_000 } })
  bed.supervisor.start()
  await bed.fact('exited')
  await bed.standIn.set({})
  await bed.supervisor.restart()
  const { pid } = await bed.fact('started')
  expect(bed.supervisor.state).toMatchObject({ state: 'starting', pid })
})

test('[SUP9] stop works in every state and leaves no process', async () => {
  const program = Promise.withResolvers<never>()
  await using waiting = await supervised(
    {},
    {
      program(signal) {
        signal.addEventListener('abort', () => program.reject(new Error('given up')))
        return program.promise
      },
    },
  )
  await waiting.supervisor.stop()
  waiting.supervisor.start()
  await waiting.supervisor.stop()
  expect([waiting.supervisor.state.state, waiting.all]).toEqual(['stopped', []])

  await using pausing = await supervised(
    { exitCode: 1 },
    { patience: { first: 600_000, most: 600_000, stable: 60_000 } },
  )
  pausing.supervisor.start()
  await pausing.fact('exited')
  await pausing.supervisor.stop()
  expect(pausing.supervisor.state.state).toBe('stopped')
  expect(await pausing.standIn.starts()).toHaveLength(1)

  // While the process is being made: whether it was or not, none is left.
  await using spawning = await supervised()
  spawning.supervisor.start()
  await spawning.supervisor.stop()
  expect(spawning.supervisor.state.state).toBe('stopped')

  await using restarting = await supervised()
  restarting.supervisor.start()
  await restarting.says(/QrCode Fetched/)
  const restart = restarting.supervisor.restart()
  await Promise.all([restarting.supervisor.stop(), restarting.supervisor.stop(), restart])
  expect(restarting.supervisor.state.state).toBe('stopped')
  await restarting.supervisor.stop()
  const pids = [...(await spawning.standIn.starts()), ...(await restarting.standIn.starts())]
  expect(await restarting.standIn.starts()).toHaveLength(1)
  for (const pid of pids) expect(lives(pid)).toBe(false)
})

test('[SUP10] a start asked for while it is being stopped comes after that', async () => {
  await using bed = await supervised({ ignoresSigterm: true }, { graceMs: 200 })
  const { supervisor } = bed
  supervisor.start()
  await bed.says(/QrCode Fetched/)
  const stopped = supervisor.stop()
  await supervisor.restart()
  supervisor.start()
  await stopped
  await bed.says(/QrCode Fetched/)
  expect(await bed.standIn.starts()).toHaveLength(2)
  expect(await bed.standIn.twice()).toBe(false)
})

test('[SUP11] what cannot be started is told in words, tried again, and given up like quick ends', async () => {
  await using bed = await supervised({}, { program: async () => ({ command: '/no/such', args: [], cwd: '/' }) })
  bed.supervisor.start()
  expect(await bed.fact('exited')).toMatchObject({ how: 'run /no/such: no such file', tries: 1 })
  const { why, output } = await bed.fact('given-up')
  expect(why).toContain('run /no/such: no such file')
  expect(output).toEqual([])

  let asked = 0
  const program = async () => {
    if (++asked < 3) throw new Error('settings: not to be read')
    return { command: broken.standIn.executable, args: [], cwd: broken.place.path }
  }
  await using broken = await supervised({}, { program })
  broken.supervisor.start()
  expect(await broken.fact('exited')).toMatchObject({ how: 'settings: not to be read' })
  // A restart that fails is over as well: it is tried again.
  await broken.supervisor.restart()
  expect(await broken.fact('exited')).toMatchObject({ how: 'settings: not to be read', tries: 1 })
  await broken.fact('started')
})

test('[SUP12] its output comes line by line as it is, garbled or without an end', async () => {
  await using bed = await supervised({ garbles: true, exitCode: 0 }, { quick: { within: 30_000, most: 1 } })
  bed.supervisor.start()
  expect(await bed.fact('given-up')).toMatchObject({ output: ['\ufffd\ufffdA\ufffd', 'last'] })
  expect(bed.lines.left).toEqual(['\ufffd\ufffdA\ufffd', 'last'])
  await using coloured = await supervised({})
  coloured.supervisor.start()
  expect(await coloured.says(/info/)).toBe(
    '\x1b[40m\x1b[32minfo\x1b[39m\x1b[22m\x1b[49m: Lagrange.OneBot.LagrangeApp[0]',
  )
})

test('[SUP13] whatever it says, memory stays bounded', async () => {
  let lines = 0
  let longest = 0
  const line = (text: string) => {
    lines++
    longest = Math.max(longest, text.length)
  }
  await using bed = await supervised(
    { spams: 1_000_000, longLine: 200_000_000, exitCode: 0 },
    { quick: { within: 60_000, most: 1 }, line },
  )
  // What is held, not what the collector has yet to find: other tests were in this process before.
  const held = () => {
    Bun.gc(true)
    return heapStats().heapSize + heapStats().extraMemorySize
  }
  const before = held()
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, held())
  }, 200)
  bed.supervisor.start()
  await bed.fact('given-up')
  clearInterval(watch)
  // Where the machine is busy it may pause within a line, and what it said by then is taken for a question.
  expect(lines).toBeWithin(1_000_001, 1_000_050)
  expect(longest).toBe(4096 + '…'.length)
  // It said 300 MB.
  expect((most - before) / 1_000_000).toBeLessThan(50)
})

test('[SUP21] how it ended is told by exit code or signal, and as Windows has it', () => {
  expect(spelled({ code: 0, signal: null })).toBe('exit code 0')
  expect(spelled({ code: 255, signal: null })).toBe('exit code 255')
  expect(spelled({ code: null, signal: 'SIGABRT' })).toBe('ended by SIGABRT')
  expect(spelled({ code: 0xe0434352, signal: null })).toBe('exit code 0xe0434352')
  expect(spelled({ code: -1073741819, signal: null })).toBe('exit code 0xc0000005')
})
