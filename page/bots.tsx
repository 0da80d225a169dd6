// The bots: who is online, through which implementation, and the code to scan where a login is waited for.

import { useEffect, useState } from 'preact/hooks'
import { request } from './api.ts'
import { bytes, duration, number } from './format.ts'
import { Badge, doing, Empty, Section, Twice } from './parts.tsx'
import type { BotStatus } from './state.ts'
import { t } from './words.ts'

export function Bots({ bots }: { bots: readonly BotStatus[] }) {
  return (
    <Section id="bots" title={t('bots')}>
      {bots.length === 0 && <Empty>{t('no-bots')}</Empty>}
      <div class="cards">
        {bots.map((bot) => (
          <Bot key={bot.name} bot={bot} />
        ))}
      </div>
    </Section>
  )
}

function Bot({ bot }: { bot: BotStatus }) {
  const { name, self_id, online, implementation, heartbeat_age: heard, heartbeat, journal, sent } = bot
  const path = `api/bots/${encodeURIComponent(self_id ?? name)}`
  const program = [implementation.name, implementation.version].filter(Boolean).join(' ')
  // Twice its interval and some: then something is wrong with it.
  const late = online && heard !== null && heartbeat !== null && heard > (2 * heartbeat) / 1000 + 5
  const login = stateOf(bot.embedded) === 'waiting-for-login'
  const fields: [string, string, boolean?][] = [
    [t('account'), self_id ?? '–'],
    [t('implementation'), program || '–'],
    [t('peer'), implementation.peer ?? '–'],
    [online ? t('online-for') : t('offline-for'), since(implementation.since)],
    [t('heartbeat'), heard === null ? '–' : t('ago', duration(heard)), late],
    [t('journal'), `${number(journal.entries)} · ${bytes(journal.bytes)}`],
    [t('delivered'), `${number(sent.events)} · ${bytes(sent.bytes)}`],
  ]
  return (
    <article class={`card ${online ? '' : 'off'}`} aria-label={implementation.nickname ?? name}>
      <h3>
        {implementation.nickname ?? name}{' '}
        {online ? <Badge tone="good">{t('online')}</Badge> : <Badge tone="bad">{t('offline')}</Badge>}
      </h3>
      {!online && implementation.lost !== null && <p class="bad">{implementation.lost}</p>}
      {login && <Login />}
      <dl>
        {fields.map(([title, text, wrong]) => (
          <div key={title} class={wrong ? 'bad' : ''}>
            <dt>{title}</dt>
            <dd>{text}</dd>
          </div>
        ))}
        {bot.embedded !== undefined && (
          <div>
            <dt>{t('embedded')}</dt>
            <dd>{stateOf(bot.embedded)}</dd>
          </div>
        )}
      </dl>
      <p class="buttons">
        <Twice label={t('redial')} sure={t('sure')} act={() => doing(`${path}/redial`, t('done'))} />
        <Twice label={t('restart')} sure={t('sure')} act={() => doing(`${path}/restart`, t('done'))} />
      </p>
    </article>
  )
}

/** A code is good for a minute or two; another one takes its place (ms). */
const ANEW = 5_000

function Login() {
  const [picture, setPicture] = useState<string>()
  useEffect(() => {
    let shown: string | undefined
    let over = false
    const look = async () => {
      const found = await request('api/qrcode').then(
        (answer) => answer.blob(),
        () => undefined,
      )
      if (over || found === undefined) return
      if (shown !== undefined) URL.revokeObjectURL(shown)
      shown = URL.createObjectURL(found)
      setPicture(shown)
    }
    void look()
    const timer = setInterval(() => void look(), ANEW)
    return () => {
      over = true
      clearInterval(timer)
      if (shown !== undefined) URL.revokeObjectURL(shown)
    }
  }, [])
  return (
    <div class="login" role="alert">
      <p>{t('scan')}</p>
      {picture && <img src={picture} alt={t('qr')} width="240" height="240" />}
    </div>
  )
}

function stateOf(embedded: object | undefined): string | undefined {
  const state: unknown = embedded && 'state' in embedded ? embedded.state : undefined
  return typeof state === 'string' ? state : undefined
}

const since = (seconds: number | null) => (seconds === null ? '–' : duration(Date.now() / 1000 - seconds))
