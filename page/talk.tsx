// What was said in one place of the simulated QQ, and what happened there.

import { useLayoutEffect, useRef } from 'preact/hooks'
import { clock, pretty } from './format.ts'
import { type Happening, inPlace, nameOf, type Place, recalled, type Said, type Told } from './happenings.ts'
import { Badge, doing, Empty } from './parts.tsx'
import { type Around, Segments } from './segments.tsx'
import { t } from './words.ts'

export function Talk(props: { all: readonly Happening[]; place: Place; around: Around; reply: (said: Said) => void }) {
  const { all, place, around, reply } = props
  const shown = inPlace(all, place)
  const gone = recalled(all)
  const end = useRef<HTMLDivElement>(null)
  const last = shown.at(-1)?.n
  // Before it is painted: nothing moves away below somebody's finger.
  useLayoutEffect(() => {
    const { current } = end
    if (current !== null) current.scrollTop = current.scrollHeight
  }, [last, place.type, place.peer])
  return (
    <div class="messages" ref={end} tabIndex={0} role="log" aria-live="polite" aria-label={t('messages')}>
      {shown.length === 0 && <Empty>{t('say-something')}</Empty>}
      {shown.map((one) =>
        one.kind === 'event' ? (
          <Notice key={one.n} told={one} around={around} />
        ) : (
          <Message key={one.n} said={one} gone={gone.has(one.message_id)} around={around} reply={reply} />
        ),
      )}
    </div>
  )
}

function Message(props: { said: Said; gone: boolean; around: Around; reply: (said: Said) => void }) {
  const { said, gone, around, reply } = props
  const { self, sender, time, segments, message_id } = said
  return (
    <article class={`message ${self ? 'bot' : ''}`} aria-label={nameOf(sender)}>
      <header>
        <b>{nameOf(sender)}</b> {self && <Badge tone="good">{t('bot')}</Badge>} <time>{clock(time * 1000)}</time>
      </header>
      {gone ? (
        <p class="empty">{t('recalled')}</p>
      ) : (
        <div class="bubble">
          <Segments segments={segments} around={around} />
        </div>
      )}
      {!gone && (
        <footer class="buttons">
          <button type="button" onClick={() => reply(said)}>
            {t('reply')}
          </button>
          {!self && (
            <button type="button" onClick={() => doing('api/sandbox/recall', t('done'), { message_id })}>
              {t('recall')}
            </button>
          )}
        </footer>
      )}
    </article>
  )
}

function Notice({ told: { event }, around }: { told: Told; around: Around }) {
  const kind = String(event['notice_type'] ?? event['request_type'])
  const name = (key: string) => {
    const id = event[key]
    return id === undefined ? undefined : (around.nameOf(String(id)) ?? String(id))
  }
  const detail = [event['sub_type'], name('user_id'), name('target_id') && `→ ${name('target_id')}`, event['comment']]
  return (
    <details class="notice">
      <summary>
        <b>{kind}</b> {detail.filter(Boolean).join(' · ')}
      </summary>
      <pre>{pretty(event)}</pre>
    </details>
  )
}
