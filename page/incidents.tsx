// What is wrong now, as far as people are told of it.

import { useEffect, useState } from 'preact/hooks'
import { ask } from './api.ts'
import { clock } from './format.ts'
import { Section } from './parts.tsx'
import { t } from './words.ts'

interface Incident {
  readonly id: string
  readonly kind: string
  readonly bot?: string
  readonly client?: string
  readonly detail?: string
  readonly since: number
}

const EVERY = 10_000

export function Incidents() {
  const [incidents, setIncidents] = useState<readonly Incident[]>([])
  useEffect(() => {
    const look = () => {
      if (!document.hidden)
        ask<{ incidents: Incident[] }>('api/alerts').then(
          (found) => setIncidents(found.incidents),
          () => undefined,
        )
    }
    look()
    const timer = setInterval(look, EVERY)
    return () => clearInterval(timer)
  }, [])
  if (incidents.length === 0) return null
  return (
    <Section id="incidents" title={t('incidents')}>
      <ul class="incidents" role="alert">
        {incidents.map(({ id, kind, bot, client, detail, since }) => (
          <li key={id}>
            <b>{kind}</b> {[bot, client, detail].filter(Boolean).join(' · ')} <small>{clock(since)}</small>
          </li>
        ))}
      </ul>
    </Section>
  )
}
