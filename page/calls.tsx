// Calls: those that wait, those that failed, and one to try.

import { useState } from 'preact/hooks'
import { ask } from './api.ts'
import { CallList } from './call-list.tsx'
import { number, pretty } from './format.ts'
import { Badge, Section, tellError } from './parts.tsx'
import type { BotStatus } from './state.ts'
import { t } from './words.ts'

export function Calls({ bots, looking }: { bots: readonly BotStatus[]; looking: boolean }) {
  return (
    <Section id="calls" title={t('calls')}>
      <ul class="facts">
        {bots.map((bot) => (
          <Waiting key={bot.name} bot={bot} />
        ))}
      </ul>
      <CallList bots={bots} looking={looking} />
      <Try bots={bots} />
    </Section>
  )
}

function Waiting({ bot: { name, waiting, calls } }: { bot: BotStatus }) {
  const open = Object.entries<{ state: string }>(calls?.breakers ?? {}).filter(([, { state }]) => state !== 'closed')
  return (
    <li>
      <b>{name}</b> {t('in-flight')} {number(waiting.replies)} · {t('waiting')} {number(waiting.waiting)} · {t('paced')}{' '}
      {number(waiting.paced)} {waiting.held && <Badge tone="warn">{t('held')}</Badge>}
      {open.map(([kind, { state }]) => (
        <Badge key={kind} tone="bad">
          {t('breaker')} {kind}: {state}
        </Badge>
      ))}
    </li>
  )
}

function Try({ bots }: { bots: readonly BotStatus[] }) {
  const [whose, setWhose] = useState('')
  const [action, setAction] = useState('get_status')
  const [params, setParams] = useState('{}')
  const [reply, setReply] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const call = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      const bot = whose === '' ? {} : { self_id: whose }
      setReply(await ask('api/call', { action: action.trim(), params: JSON.parse(params || '{}'), ...bot }))
    } catch (error) {
      tellError(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <details>
      <summary>{t('try-call')}</summary>
      <form class="stack" onSubmit={(event) => void call(event)}>
        {bots.length > 1 && (
          <label>
            {t('bot')}{' '}
            <select value={whose} onChange={({ currentTarget }) => setWhose(currentTarget.value)}>
              {bots.map(({ name, self_id }) => (
                <option key={name} value={self_id ?? name}>
                  {self_id ?? name}
                </option>
              ))}
            </select>
          </label>
        )}
        <label>
          {t('action')}{' '}
          <input value={action} spellcheck={false} onInput={({ currentTarget }) => setAction(currentTarget.value)} />
        </label>
        <label>
          {t('params')}
          <textarea
            rows={3}
            spellcheck={false}
            value={params}
            onInput={({ currentTarget }) => setParams(currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={busy}>
          {t('call')}
        </button>
      </form>
      {reply !== undefined && <pre class="scroll">{pretty(reply)}</pre>}
    </details>
  )
}
