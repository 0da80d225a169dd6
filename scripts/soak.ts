// The long rounds: implementations killed under load, clients that come and go by the thousand; exit 1 when something broke.

import { parseArgs } from 'node:util'
import { commandOf } from './bench/gateway.ts'
import { type Check, printed } from './soak/checks.ts'
import { comings } from './soak/comings.ts'
import { everybody } from './soak/everybody.ts'
import { kills } from './soak/kills.ts'

const USAGE = `bun run soak [options]

  --kills N           times an implementation that dials us is killed (default 30; 0: none)
  --forward-kills N   the same for one that we dial; pauses grow up to a minute (default 4)
  --everybody N       times gateway, implementation and clients are killed in turn (default 20; 0: none)
  --rounds N          rounds of clients that come and go (default 5; 0: none)
  --visits N          clients a round (default 10000)
  --bin FILE          the executable file instead of the source, for the kills
`

const options = arguments_()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.setMaxListeners(0)
const command = commandOf(options.bin)
const say = (text: string) => console.error(`  ${text}`)
const checks: Check[] = []
for (const kind of ['reverse', 'forward'] as const) {
  const rounds = kind === 'reverse' ? options.kills : options.forwardKills
  if (rounds > 0) checks.push(...(await kills({ command, kind, rounds, say })))
}
if (options.everybody > 0) checks.push(...(await everybody({ rounds: options.everybody, say })))
// What lives on the heap can be asked of the source only.
if (options.rounds > 0)
  checks.push(...(await comings({ command: commandOf(), rounds: options.rounds, visits: options.visits, say })))
const broken = checks.filter(({ ok }) => ok === false).length
console.log(`${printed(checks)}\n\n${broken === 0 ? 'nothing broke' : `${broken} broken`}`)
process.exit(broken === 0 ? 0 : 1)

function arguments_() {
  try {
    const { values } = parseArgs({
      options: {
        kills: { type: 'string', default: '30' },
        'forward-kills': { type: 'string', default: '4' },
        everybody: { type: 'string', default: '20' },
        rounds: { type: 'string', default: '5' },
        visits: { type: 'string', default: '10000' },
        bin: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit()
    }
    return {
      kills: whole('kills', values.kills),
      forwardKills: whole('forward-kills', values['forward-kills']),
      everybody: whole('everybody', values.everybody),
      rounds: whole('rounds', values.rounds),
      visits: whole('visits', values.visits),
      bin: values.bin,
    }
  } catch (error) {
    console.error(`soak: ${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exit(2)
  }
}

function whole(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new Error(`--${name}: found ${text}, wanted a whole number`)
}
