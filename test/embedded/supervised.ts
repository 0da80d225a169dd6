// A supervisor over the stand-in, and all that it tells.

import { Supervisor, type SupervisorFact, type SupervisorOptions } from '../../src/embedded/supervisor.ts'
import { host } from '../../src/runtime/current.ts'
import { Inbox } from '../contract/witness.ts'
import { folder } from '../support/folder.ts'
import { standIn } from '../support/stand-in.ts'
import type { StandInFlags } from '../support/stand-in-program.ts'

type Kind = SupervisorFact['kind']

export async function supervised(flags: StandInFlags = {}, options: Partial<SupervisorOptions> = {}) {
  const place = await folder()
  const it = await standIn(place.at('bin', 'Lagrange.OneBot'), flags)
  await Bun.write(place.at('appsettings.json'), '{}')
  const facts = new Inbox<SupervisorFact>()
  const all: SupervisorFact[] = []
  const lines = new Inbox<string>()
  const supervisor = new Supervisor({
    spawn: host.spawn,
    program: async () => ({ command: it.executable, args: [], cwd: place.path }),
    stdin: 'ignore',
    pidFile: place.at('pid'),
    patience: { first: 20, most: 60, stable: 60_000 },
    line: (text) => lines.push(text),
    report(fact) {
      all.push(fact)
      facts.push(fact)
    },
    ...options,
  })
  return {
    supervisor,
    place,
    standIn: it,
    /** Everything that was reported. */
    all,
    /** The next fact of this kind; those before it are passed over. */
    async fact<K extends Kind>(kind: K): Promise<SupervisorFact & { kind: K }> {
      for (;;) {
        const fact = await facts.take()
        if (fact.kind === kind) return fact as SupervisorFact & { kind: K } // just compared
      }
    },
    /** The next line that matches; those before it are passed over. */
    async says(pattern: RegExp): Promise<string> {
      for (;;) {
        const line = await lines.take()
        if (pattern.test(line)) return line
      }
    },
    lines,
    async [Symbol.asyncDispose]() {
      await supervisor.stop()
      await place[Symbol.asyncDispose]()
    },
  }
}
