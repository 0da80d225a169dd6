// The dashboard: one stream feeds all of it; a second one, for the tap, is there while somebody reads it.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Chart } from '../src/observe/history.ts'
import type { Line } from '../src/observe/recent.ts'
import { ask, BASE } from './api.ts'
import { Bots } from './bots.tsx'
import { Calls } from './calls.tsx'
import { Charts } from './charts.tsx'
import { Clients } from './clients.tsx'
import { ConfigFile } from './config.tsx'
import { bytes, duration, number } from './format.ts'
import { Incidents } from './incidents.tsx'
import { Log } from './log.tsx'
import { Connection, Empty, tellError, useVisible } from './parts.tsx'
import { State, type Status } from './state.ts'
import { follow, type StreamState } from './stream.ts'
import { Tap } from './tap.tsx'
import { t } from './words.ts'

const STREAM = 'api/tap?kinds=status,second,log&level=trace'

export function Dashboard({ lock }: { lock: (why?: string) => void }) {
  const [, redraw] = useState(0)
  const [link, setLink] = useState<{ state: StreamState; why?: string | undefined }>({ state: 'connecting' })
  const ref = useRef<State>(undefined)
  ref.current ??= new State(() => redraw((n) => n + 1))
  const state = ref.current
  const looking = useVisible()
  useEffect(() => {
    if (!looking) return
    return follow({
      path: STREAM,
      event: (name, data) => state.take(name, data),
      state(now, why) {
        if (now === 'refused') return lock(why)
        setLink({ state: now, why })
        if (now !== 'open') return
        // After a break as well: what happened meanwhile is in there.
        void fill(state).catch(tellError)
      },
    })
  }, [looking])
  const { status } = state
  // Their names are asked of implementations when somebody looks, once for each connection.
  const connections = status?.bots.map(
    ({ name, online, implementation }) => `${name} ${online} ${implementation.since}`,
  )
  useEffect(() => {
    if (connections !== undefined) void ask('api/bots').catch(() => undefined)
  }, [connections?.join()])
  // With the picture that it belongs to.
  useLayoutEffect(() => {
    const offline = status?.bots.some(({ online }) => !online) ?? false
    document.title = `${offline ? '⚠ ' : ''}perpetua · ${t('dashboard')}`
  })
  return (
    <main id="main">
      <h1 class="hidden">{t('dashboard')}</h1>
      <Connection state={link.state} why={link.why} />
      {status === undefined ? (
        <Empty>{t('loading')}</Empty>
      ) : (
        <>
          <Facts status={status} />
          <Incidents />
          <Bots bots={status.bots} />
          <Clients state={state} bots={status.bots} />
          <Charts state={state} />
          <Calls bots={status.bots} looking={looking} />
          <Tap bots={status.bots} looking={looking} />
          <Log lines={state.lines} />
          <ConfigFile />
        </>
      )}
    </main>
  )
}

async function fill(state: State): Promise<void> {
  const [chart, { lines }] = await Promise.all([
    ask<Chart>('api/history?step=1'),
    ask<{ lines: Line[] }>('api/log?level=trace&lines=500'),
  ])
  state.fill(chart, lines)
}

function Facts({ status }: { status: Status }) {
  return (
    <p class="facts">
      <span>
        {t('version')} <b>{status.version || '–'}</b>
      </span>
      <span>
        {t('uptime')} <b>{duration(status.uptime)}</b>
      </span>
      <span>
        {t('links')} <b>{number(status.links)}</b>
      </span>
      <span>
        {t('memory')} <b>{bytes(status.rss)}</b>
      </span>
      <span>
        {t('event-loop-lag')} <b>{number(status.lag)} ms</b>
      </span>
      {status.sandbox && <a href={`${BASE}sandbox`}>{t('to-sandbox')}</a>}
    </p>
  )
}
