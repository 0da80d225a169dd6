// The live tap: events and actions as they happen, without the texts of messages until somebody asks for them.

import { useEffect, useRef, useState } from 'preact/hooks'
import { clock, number, pretty } from './format.ts'
import { Check, Empty, Section } from './parts.tsx'
import type { BotStatus } from './state.ts'
import { follow } from './stream.ts'
import { t } from './words.ts'

interface Frame {
  readonly n: number
  readonly kind: string
  readonly time: number
  readonly data: Record<string, unknown>
}

const KINDS = ['event', 'action', 'reply', 'fact'] as const
const FIELDS = ['bot', 'type', 'action', 'client', 'group', 'user', 'text'] as const
type Field = (typeof FIELDS)[number]
const MOST = 200
/** Between two letters of a filter that somebody types (ms). */
const TYPING = 400

interface Wish {
  readonly kinds: readonly string[]
  readonly texts: boolean
  readonly filter: Partial<Record<Field, string>>
}

export function Tap({ bots, looking }: { bots: readonly BotStatus[]; looking: boolean }) {
  const [on, setOn] = useState(true)
  const [wish, setWish] = useState<Wish>({ kinds: ['event', 'action', 'reply'], texts: false, filter: {} })
  const { frames, skipped, clear } = useFrames(queryOf(wish), on && looking && wish.kinds.length > 0)
  return (
    <Section
      id="tap"
      title={t('tap')}
      aside={
        <span class="buttons">
          <button type="button" aria-pressed={!on} onClick={() => setOn(!on)}>
            {on ? t('tap-pause') : t('tap-go-on')}
          </button>
          <button type="button" onClick={clear}>
            {t('clear')}
          </button>
        </span>
      }
    >
      <Kinds wish={wish} change={setWish} />
      <Filter wish={wish} change={setWish} fields={FIELDS.filter((field) => field !== 'bot' || bots.length > 1)} />
      {skipped > 0 && <p class="warn">{t('skipped', number(skipped))}</p>}
      {frames.length === 0 ? (
        <Empty>{t('tap-empty')}</Empty>
      ) : (
        <div class="scroll tall frames" tabIndex={0} role="region" aria-label={t('tap')}>
          {frames.map((frame) => (
            <Shown key={frame.n} frame={frame} />
          ))}
        </div>
      )}
    </Section>
  )
}

function queryOf({ kinds, texts, filter }: Wish): string {
  const query = new URLSearchParams({ kinds: kinds.join(',') })
  if (texts) query.set('texts', '1')
  for (const [field, value] of Object.entries(filter)) if (value.trim() !== '') query.set(field, value.trim())
  return query.toString()
}

/** What comes while it goes on, newest first; drawn now and then, however much it is. */
function useFrames(query: string, going: boolean) {
  const [frames, setFrames] = useState<readonly Frame[]>([])
  const [skipped, setSkipped] = useState(0)
  const count = useRef(0)
  useEffect(() => {
    if (!going) return
    let fresh: Frame[] = []
    let due = false
    const show = () => {
      due = false
      const come = fresh.reverse()
      fresh = []
      setFrames((shown) => [...come, ...shown].slice(0, MOST))
    }
    const take = (kind: string, data: unknown) => {
      if (typeof data !== 'object' || data === null) return
      const fields = data as Record<string, unknown> // an object, as was just asked
      const { time, ...rest } = fields
      if (kind === 'skipped') return setSkipped((n) => n + Number(fields['skipped'] ?? 0))
      fresh.push({ n: ++count.current, kind, time: Number(time), data: rest })
      if (fresh.length > MOST) fresh.shift()
      if (!due) setTimeout(show, 200)
      due = true
    }
    let end = () => {}
    const timer = setTimeout(() => {
      end = follow({ path: `api/tap?${query}`, event: take, state: () => undefined })
    }, TYPING)
    return () => {
      clearTimeout(timer)
      end()
      // Nothing more is shown of what is not wished any longer.
      fresh = []
    }
  }, [going, query])
  return { frames, skipped, clear: () => setFrames([]) }
}

interface Wishing {
  readonly wish: Wish
  readonly change: (wish: Wish) => void
}

function Kinds({ wish, change }: Wishing) {
  const { kinds, texts } = wish
  const toggle = (kind: string) =>
    change({ ...wish, kinds: KINDS.filter((one) => (one === kind ? !kinds.includes(one) : kinds.includes(one))) })
  return (
    <fieldset class="row">
      <legend class="hidden">{t('filter')}</legend>
      {KINDS.map((kind) => (
        <Check key={kind} label={t(`kind-${kind}`)} checked={kinds.includes(kind)} check={() => toggle(kind)} />
      ))}
      <Check label={t('tap-texts')} checked={texts} check={(on) => change({ ...wish, texts: on })} />
    </fieldset>
  )
}

function Filter({ wish, change, fields }: Wishing & { fields: readonly Field[] }) {
  const { filter } = wish
  return (
    <div class="row filter">
      {fields.map((field) => (
        <label key={field}>
          <span>{t(`filter-${field}`)}</span>
          <input
            value={filter[field] ?? ''}
            placeholder={PLACEHOLDERS[field] ?? ''}
            spellcheck={false}
            onInput={({ currentTarget }) => change({ ...wish, filter: { ...filter, [field]: currentTarget.value } })}
          />
        </label>
      ))}
    </div>
  )
}

const PLACEHOLDERS: Partial<Record<Field, string>> = { type: 'message.group', action: 'send_*' }

function Shown({ frame: { kind, time, data } }: { frame: Frame }) {
  const [open, setOpen] = useState(false)
  return (
    <details class={`frame ${kind}`} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <time>{clock(time)}</time> <b>{t(`kind-${kind}`)}</b> <span>{brief(kind, data)}</span>
      </summary>
      {/* Written only when it is looked at: most never are. */}
      {open && <pre>{pretty(data)}</pre>}
    </details>
  )
}

function brief(kind: string, data: Record<string, unknown>): string {
  const inner = typeof data['event'] === 'object' && data['event'] !== null ? data['event'] : {}
  const event = inner as Record<string, unknown> // an object, as was just asked
  const parts =
    kind === 'event'
      ? [
          ...['post_type', 'message_type', 'notice_type', 'request_type', 'meta_event_type', 'sub_type'].map(
            (key) => event[key],
          ),
          event['group_id'] && `${t('filter-group')} ${event['group_id']}`,
          event['user_id'] && `${t('filter-user')} ${event['user_id']}`,
          event['raw_message'],
        ]
      : [data['action'], data['kind'], data['retcode'] !== undefined && `retcode ${data['retcode']}`, data['client']]
  return parts.filter(Boolean).join(' · ').slice(0, 300)
}
