// A process with nothing but a supervisor in it, on any runtime: tells its facts as lines of JSON, and stops at SIGTERM.

import { Supervisor } from '../../src/embedded/supervisor.ts'
import { host } from '../../src/runtime/current.ts'

const [command = '', cwd = '', pidFile = ''] = process.argv.slice(2)
const tell = (fact: object) => process.stdout.write(`${JSON.stringify(fact)}\n`)

const supervisor = new Supervisor({
  spawn: host.spawn,
  program: async () => ({ command, args: [], cwd }),
  stdin: 'ignore',
  pidFile,
  graceMs: 300,
  patience: { first: 20, most: 60, stable: 60_000 },
  line(text) {
    tell({ kind: 'line', text })
    if (/QrCode Fetched/.test(text)) supervisor.mark('waiting-for-login')
  },
  report: tell,
})
process.on('SIGTERM', () => void supervisor.stop().then(() => process.exit(0)))
process.on('SIGINT', () => process.exit(1)) // in a hurry
supervisor.start()
