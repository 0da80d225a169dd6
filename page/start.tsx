// The first thing a newcomer sees: what this is, how a bot is connected, and whether one is.

import { useEffect, useState } from 'preact/hooks'
import { ask } from './api.ts'
import type { World } from './happenings.ts'
import { Badge, Snippet, useVisible } from './parts.tsx'
import { clientAddress } from './shell.tsx'
import type { Status } from './state.ts'
import { follow } from './stream.ts'
import { t } from './words.ts'

export function Start({ world }: { world: World }) {
  const clients = useClients()
  const [closed, setClosed] = useState(false)
  const address = clientAddress()
  const none = clients !== undefined && clients.length === 0
  const snippets: [string, string][] = [
    [`NoneBot · .env`, `DRIVER=~websockets\nONEBOT_WS_URLS=["${address}"]\nONEBOT_ACCESS_TOKEN=\n`],
    [
      `Koishi · koishi.yml`,
      `plugins:\n  adapter-onebot:\n    selfId: '${world.self_id}'\n    protocol: ws\n    endpoint: ${address}\n`,
    ],
    [
      t('snippet-script'),
      `const bot = new WebSocket('${address}')\nbot.onmessage = ({ data }) => {\n  const event = JSON.parse(data)\n  if (event.post_type !== 'message') return\n  const { group_id, user_id, message_type, raw_message } = event\n  const params = { message_type, group_id, user_id, message: 'echo: ' + raw_message }\n  bot.send(JSON.stringify({ action: 'send_msg', params }))\n}\n`,
    ],
  ]
  return (
    <section class="start" aria-label={t('start')}>
      <p>
        {t('start-what', world.nickname, String(world.self_id))}{' '}
        {clients === undefined ? null : none ? (
          <Badge tone="warn">{t('start-none')}</Badge>
        ) : (
          <Badge tone="good">{t('start-connected', clients.join(', '))}</Badge>
        )}
      </p>
      {/* Open until a bot is there; after that as somebody left it. */}
      <details open={none && !closed} onToggle={({ currentTarget }) => setClosed(!currentTarget.open)}>
        <summary>{t('start-how')}</summary>
        <ol>
          <li>
            {t('start-connect')} <code>{address}</code>
          </li>
          <li>{t('start-talk')}</li>
          <li>{t('start-answer')}</li>
        </ol>
        <div class="snippets">
          {snippets.map(([title, text]) => (
            <Snippet key={title} title={title} text={text} />
          ))}
        </div>
      </details>
    </section>
  )
}

/** Names of who is connected to the gateway now. */
function useClients(): readonly string[] | undefined {
  const [clients, setClients] = useState<readonly string[]>()
  const looking = useVisible()
  useEffect(() => {
    // Who is behind the gateway is known once somebody asked.
    void ask('api/bots').catch(() => undefined)
  }, [])
  useEffect(() => {
    if (!looking) return
    return follow({
      path: 'api/tap?kinds=status',
      event(name, data) {
        if (name !== 'status') return
        const { bots } = data as Status // as the admin API describes it
        const names = bots.flatMap(({ sessions, callers }) =>
          [...sessions, ...callers].map(({ client_name, app_id }) => client_name ?? app_id.slice(0, 8)),
        )
        setClients((before) => (before?.join() === names.join() ? before : names))
      },
      state: () => undefined,
    })
  }, [looking])
  return clients
}
