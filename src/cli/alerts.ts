// perpetua alerts: whether the people who are to be told hear of it.

import { defineCommand } from 'citty'
import { testAlerts } from '../alerts/alerts.ts'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { problemList } from './check.ts'
import { EXIT } from './exit.ts'
import { configOption } from './options.ts'
import { complain, say } from './say.ts'
import { table } from './table.ts'

const testCommand = defineCommand({
  meta: { name: 'alerts test', description: 'Send a test message to everybody in alerts.to' },
  args: { config: configOption, json: { type: 'boolean', description: 'Print JSON' } },
  async run({ args: { config: file, json } }) {
    try {
      const { to } = (await loadConfig({ file })).config.alerts
      if (to.length === 0) {
        complain('perpetua: alerts.to is empty: nobody is told')
        return EXIT.failed.code
      }
      const sent = await testAlerts(to)
      if (json) say(JSON.stringify(sent))
      else
        say(
          table(
            ['target', 'kind', 'result'],
            sent.map(({ target, kind, problem }) => [target, kind, problem ?? 'sent']),
          ),
        )
      return sent.every(({ problem }) => problem === null) ? EXIT.ok.code : EXIT.failed.code
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      complain(problemList(error))
      return EXIT.failed.code
    }
  },
})

export const alerts = {
  meta: { name: 'alerts', description: 'Messages to people when something is wrong' },
  family: { test: testCommand },
}
