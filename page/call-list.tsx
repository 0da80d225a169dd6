// The calls that wait and those that failed: why, since when, what they ask for; one more try, or one less.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { callsShown, FailedShown, HeldShown } from '../src/observe/calls.ts'
import { act, ask, worked } from './api.ts'
import { bytes, clock, duration, number, pretty } from './format.ts'
import { Badge, Check, Empty, Twice, tell, tellError } from './parts.tsx'
import type { BotStatus } from './state.ts'
import { type Cell, Row, Table } from './table.tsx'
import { t } from './words.ts'

type Listed = ReturnType<typeof callsShown>

/** So many of each are drawn. */
const MOST = 100
/** Between two looks (ms): on a bad night everything changes all the time. */
const EVERY = 2_000

export function CallList({ bots, looking }: { bots: readonly BotStatus[]; looking: boolean }) {
  const [texts, setTexts] = useState(false)
  const [calls, changed] = useCalls(bots, texts, looking)
  if (calls === undefined) return <Empty>{t('loading')}</Empty>
  const { held, failed, waiting } = calls
  const several = bots.length > 1
  const kept = bots.reduce((sum, bot) => sum + bot.failed.kept, 0)
  return (
    <>
      {held.length + failed.length > 0 && <Check label={t('call-texts')} checked={texts} check={setTexts} />}
      <h3>
        {t('held-calls')} ({number(waiting)})
      </h3>
      {held.length === 0 ? (
        <Empty>{t('no-held')}</Empty>
      ) : (
        <List title={t('held-calls')} heads={['since', 'client', 'what', 'why', 'with', 'actions']}>
          {held.map((call) => (
            <Held key={call.id} call={call} several={several} changed={changed} />
          ))}
        </List>
      )}
      {waiting > held.length && <p class="warn">{t('some-of', number(held.length), number(waiting))}</p>}
      <h3>
        {t('failed')} ({number(kept)})
      </h3>
      {failed.length === 0 ? (
        <Empty>{t('no-failed')}</Empty>
      ) : (
        <List title={t('failed')} heads={['time', 'client', 'what', 'why', 'with', 'actions']}>
          {failed.map((call) => (
            <Failed key={call.id} call={call} several={several} changed={changed} />
          ))}
        </List>
      )}
      {kept > failed.length && <p class="warn">{t('some-of', number(failed.length), number(kept))}</p>}
    </>
  )
}

/** Asked for when the status says that it is another now; while calls wait, now and then, since one may take the place of another. */
function useCalls(bots: readonly BotStatus[], texts: boolean, looking: boolean): [Listed | undefined, () => void] {
  const [calls, setCalls] = useState<Listed>()
  const [wish, setWish] = useState(0)
  const last = useRef({ at: 0, wish, texts })
  const mark = bots.map(({ name, failed, waiting }) => `${name} ${failed.changes} ${waiting.waiting}`).join()
  const moving = bots.some(({ waiting }) => waiting.waiting > 0)
  useEffect(() => {
    if (!looking) return
    let over = false
    const look = async () => {
      last.current = { at: performance.now(), wish, texts }
      const found = await ask<Listed>(`api/calls?limit=${MOST}${texts ? '&texts=1' : ''}`).catch(() => undefined)
      if (over) return
      if (found !== undefined) setCalls(found)
      // Nobody answered: once more, as the stream does.
      if (moving || found === undefined) timer = setTimeout(() => void look(), EVERY)
    }
    const asked = wish !== last.current.wish || texts !== last.current.texts || last.current.at === 0
    const wait = asked ? 0 : Math.max(0, last.current.at + EVERY - performance.now())
    let timer = setTimeout(() => void look(), wait)
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [mark, moving, texts, looking, wish])
  return [calls, () => setWish((n) => n + 1)]
}

function List({ title, heads, children }: { title: string; heads: string[]; children: preact.ComponentChildren }) {
  return (
    <div class="scroll tall" tabIndex={0} role="region" aria-label={title}>
      <Table heads={heads} listed>
        {children}
      </Table>
    </div>
  )
}

interface Shown<C> {
  readonly call: C
  readonly several: boolean
  readonly changed: () => void
}

function Held({ call, several, changed }: Shown<HeldShown>) {
  const { id, why, since, next, until, durable } = call
  const now = Date.now() / 1000
  const ends = until === null ? t('no-end') : t('ends-in', duration(until - now))
  const notes = [next !== null && t('goes-in', duration(next - now)), ends, durable !== null && t('on-disk', durable)]
  const giveUp = () =>
    act(path(id, 'drop'))
      .then(() => tell(t('given-up', call.action)), tellError)
      .finally(changed)
  return (
    <CallRow
      call={call}
      several={several}
      first={['since', duration(now - since)]}
      why={
        <>
          <Badge tone="warn">{t(`why-${why}`)}</Badge>
          <small>{notes.filter(Boolean).join(' · ')}</small>
        </>
      }
      deeds={<Twice label={t('give-up')} sure={t('sure')} act={() => void giveUp()} />}
    />
  )
}

interface Reply {
  readonly status?: string
  readonly retcode?: number
  readonly message?: string
}

function Failed({ call, several, changed }: Shown<FailedShown>) {
  const { id, time, ms, retcode, message, outcome, again, kept } = call
  const doubtful = outcome === 'unknown'
  const sendAgain = () => {
    // Shown as under way while it is.
    setTimeout(changed, 100)
    act<Reply>(path(id, `retry${doubtful ? '?twice=1' : ''}`))
      .then((reply) => {
        if (reply.status === 'failed') tell(t('again-failed', `${reply.retcode} ${reply.message ?? ''}`), true)
        else tell(t('again-worked', call.action))
      }, tellError)
      .finally(changed)
  }
  const remove = () => act(path(id, 'drop')).catch(tellError).finally(changed)
  return (
    <CallRow
      call={call}
      several={several}
      first={['time', clock(time * 1000), t('took', number(ms))]}
      why={
        <>
          <span class={doubtful ? 'warn' : 'bad'}>
            <b>{retcode}</b> {message}
          </span>
          {(kept || outcome !== 'failed') && <small>{t(`outcome-${outcome}`)}</small>}
          {again !== null && <Again again={again} />}
        </>
      }
      deeds={
        <>
          {kept && !worked(again?.retcode) && (again === null || again.retcode !== null) && (
            <Twice label={t('retry')} sure={t(doubtful ? 'sure-twice' : 'sure')} act={sendAgain} />
          )}
          {!kept && <small>{t('no-frame')}</small>}
          <Twice label={t('remove')} sure={t('sure')} act={() => void remove()} />
        </>
      }
    />
  )
}

function Again({ again: { time, retcode, message } }: { again: NonNullable<FailedShown['again']> }) {
  if (retcode === null) return <Badge tone="plain">{t('again-going')}</Badge>
  const good = worked(retcode)
  return (
    <small>
      <Badge tone={good ? 'good' : 'bad'}>{t(good ? 'again-ok' : 'again-bad', clock(time * 1000))}</Badge>
      {!good && ` ${retcode} ${message}`}
    </small>
  )
}

interface CallParts {
  readonly call: HeldShown | FailedShown
  readonly several: boolean
  readonly first: [head: string, text: string, small?: string]
  readonly why: preact.ComponentChildren
  readonly deeds: preact.ComponentChildren
}

function CallRow({ call, several, first: [head, text, small], why, deeds }: CallParts) {
  const { bot, client, app_id, action, mode, size, params } = call
  const short = app_id === undefined || app_id === client ? undefined : app_id.slice(0, 8)
  const cells: Cell[] = [
    [
      head,
      <>
        {text}
        {small && <small>{small}</small>}
      </>,
    ],
    [
      'client',
      <>
        <b>{client ?? t('earlier-run')}</b>
        <small title={app_id}>{[short, several && bot].filter(Boolean).join(' · ')}</small>
      </>,
    ],
    [
      'what',
      <>
        <code>{action}</code>
        <small>{[mode !== 'plain' && mode, bytes(size)].filter(Boolean).join(' · ')}</small>
      </>,
    ],
    ['why', why],
    ['with', params === null ? '–' : <Params params={params} />],
    ['actions', <span class="buttons">{deeds}</span>],
  ]
  return <Row cells={cells} />
}

function Params({ params }: { params: unknown }) {
  const [open, setOpen] = useState(false)
  const brief = JSON.stringify(params)
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <code>{brief.length > BRIEF ? `${brief.slice(0, BRIEF)}…` : brief}</code>
      </summary>
      {/* Written only when it is looked at: most never are. */}
      {open && <pre>{pretty(params)}</pre>}
    </details>
  )
}

const BRIEF = 60
const path = (id: string, deed: string) => `api/calls/${encodeURIComponent(id)}/${deed}`
