// The clients: how each of them fares, and what can be done about it.

import { useState } from 'preact/hooks'
import { bytes, number, rate } from './format.ts'
import { Badge, doing, Empty, Section, Twice } from './parts.tsx'
import type { BotStatus, ClientStatus, State } from './state.ts'
import { type Cell, Row, Table } from './table.tsx'
import { t } from './words.ts'

export function Clients({ state, bots }: { state: State; bots: readonly BotStatus[] }) {
  const rows = bots.flatMap((bot) => [
    ...bot.sessions.map((client) => ({ bot, client, events: true })),
    ...bot.callers.map((client) => ({ bot, client, events: false })),
  ])
  const heads = ['client', 'transport', 'state', 'pool', 'rate-out', 'rate-in', 'pending', 'lag', 'breaker', 'actions']
  return (
    <Section id="clients" title={`${t('clients')} (${rows.length})`}>
      {rows.length === 0 ? (
        <Empty>{t('no-clients')}</Empty>
      ) : (
        <div class="wide">
          <Table heads={heads}>
            {rows.map((row) => (
              <Client key={`${row.bot.name} ${row.client.app_id}`} state={state} {...row} />
            ))}
          </Table>
        </div>
      )}
    </Section>
  )
}

const TONES: Record<string, 'good' | 'warn' | 'bad' | 'plain'> = {
  live: 'good',
  'catching-up': 'warn',
  paused: 'warn',
  away: 'plain',
  gone: 'bad',
}

function Client(props: { state: State; bot: BotStatus; client: ClientStatus; events: boolean }) {
  const { state, bot, client, events } = props
  const [naming, setNaming] = useState(false)
  const { app_id, client_name: name, transport, pool, pending, lag, entry } = client
  const rates = state.rates(bot.name, app_id)
  const breaker = client.breaker?.state
  const whose = `?self_id=${encodeURIComponent(bot.name)}`
  const path = (verb: string) => `api/clients/${encodeURIComponent(app_id)}/${verb}${whose}`
  const cells: Cell[] = [
    [
      'client',
      <>
        <b>{name ?? app_id}</b>
        <small title={app_id}>
          {[name && app_id.slice(0, 8), client.peer, entry, bot.name].filter(Boolean).join(' · ')}
        </small>
      </>,
    ],
    ['transport', events ? transport : `${transport} · ${t('calls-only')}`],
    ['state', <Badge tone={TONES[client.state] ?? 'plain'}>{t(`state-${client.state}`)}</Badge>],
    ['pool', pool ?? '–'],
    ['rate-out', rates ? `${rate(rates.events)}/s · ${bytes(rates.bytes)}/s` : '–'],
    ['rate-in', rates ? `${rate(rates.calls)}/s` : '–'],
    ['pending', pending === null ? '–' : bytes(pending)],
    ['lag', lag ? `${number(lag.events)} · ${number(lag.seconds)} s` : '–'],
    ['breaker', breaker ? <Badge tone={breaker === 'closed' ? 'good' : 'bad'}>{breaker}</Badge> : '–'],
    [
      'actions',
      <Buttons client={client} path={path} events={events} naming={naming} name={() => setNaming(!naming)} />,
    ],
  ]
  return (
    <>
      <Row cells={cells} />
      {naming && (
        <tr role="row">
          <td role="cell" colSpan={cells.length}>
            <Rename old={name ?? ''} path={path('rename')} done={() => setNaming(false)} />
          </td>
        </tr>
      )}
    </>
  )
}

interface Steering {
  readonly client: ClientStatus
  /** Where the admin API takes a verb for it. */
  readonly path: (verb: string) => string
  readonly events: boolean
  readonly naming: boolean
  readonly name: () => void
}

function Buttons({ client: { client_name, app_id, paused, lag }, path, events, naming, name }: Steering) {
  return (
    <span class="buttons">
      <Twice label={t('kick')} sure={t('sure')} act={() => doing(path('kick'), t('kicked', client_name ?? app_id))} />
      {events && (
        <>
          <button
            type="button"
            onClick={() => doing(path(paused ? 'resume' : 'pause'), t(paused ? 'resumed' : 'paused'))}
          >
            {t(paused ? 'resume' : 'pause')}
          </button>
          {lag && <Twice label={t('drop')} sure={t('sure')} act={() => doing(path('drop'), t('done'))} />}
          <button type="button" aria-expanded={naming} onClick={name}>
            {t('rename')}
          </button>
        </>
      )}
    </span>
  )
}

function Rename({ old, path, done }: { old: string; path: string; done: () => void }) {
  const [name, setName] = useState(old)
  const submit = (event: Event) => {
    event.preventDefault()
    doing(path, t('renamed', name), { name })
    done()
  }
  return (
    <form class="row" onSubmit={submit}>
      <label>
        {t('new-name')}{' '}
        <input value={name} maxLength={64} onInput={({ currentTarget }) => setName(currentTarget.value)} />
      </label>
      <button type="submit" class="primary">
        {t('rename')}
      </button>
      <button type="button" onClick={done}>
        {t('cancel')}
      </button>
    </form>
  )
}
