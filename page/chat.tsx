// The sandbox chat: the simulated QQ as a chat window, for who tries a bot without an account.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { ask, BASE, Refused } from './api.ts'
import { Compose } from './compose.tsx'
import { Connection } from './dashboard.tsx'
import { Deeds, FaultSwitches } from './deeds.tsx'
import { clock } from './format.ts'
import {
  type Called,
  inPlace,
  type Known,
  more,
  type News,
  nameOf,
  type Person,
  type Place,
  recalled,
  type Said,
  type Told,
  type World,
} from './happenings.ts'
import { Badge, doing, Empty, Section } from './parts.tsx'
import { type Around, brief, Segments } from './segments.tsx'
import { Start } from './start.tsx'
import type { StreamState } from './stream.ts'
import { t } from './words.ts'

/** How long the gateway may hold a question for news (ms). */
const WAIT = 25_000
const PAUSE = 1_500

export function Chat({ lock }: { lock: (why?: string) => void }) {
  const [link, setLink] = useState<{ state: StreamState; why?: string }>({ state: 'connecting' })
  const [world, setWorld] = useState<World>()
  const [known, setKnown] = useState<Known>()
  const [chosen, setPlace] = useState<Place>()
  const [speaker, setSpeaker] = useState<number>()
  const [replyTo, setReplyTo] = useState<Said>()
  const asked = useRef({ last: 0, least: 0 })
  /** `anew`: what was asked before tells of a world that has changed since. */
  const look = async ({ anew = false, signal }: { anew?: boolean; signal?: AbortSignal } = {}) => {
    const mine = ++asked.current.last
    if (anew) asked.current.least = mine
    const found = await ask<World>('api/sandbox/state', undefined, signal)
    if (mine >= asked.current.least) setWorld(found)
  }
  useLayoutEffect(() => {
    document.title = `${t('sandbox')} · perpetua`
  })
  useEffect(() => {
    const ended = new AbortController()
    const problem = (error: unknown) => {
      if (ended.signal.aborted) return
      if (error instanceof Refused && error.locked) return lock(error.message)
      setLink({ state: 'lost', why: error instanceof Error ? error.message : String(error) })
    }
    void listen({
      signal: ended.signal,
      problem,
      news: setKnown,
      world: () => look({ signal: ended.signal }),
      open: () => setLink({ state: 'open' }),
    })
    return () => ended.abort()
  }, [])
  const first = world?.groups[0]
  const place = chosen ?? (first && { type: 'group', peer: first.group_id })
  if (world === undefined || place === undefined)
    return (
      <main id="main">
        <h1 class="hidden">{t('sandbox')}</h1>
        <Connection {...link} />
        <Empty>{t('loading')}</Empty>
      </main>
    )
  const changed = () => void look({ anew: true }).catch(() => undefined) // the next news bring it
  const all = known?.all ?? []
  const people = peopleOf(world, place)
  const who = people.find(({ user_id }) => user_id === speaker) ?? people[0]
  const around: Around = {
    nameOf: (id) => nameIn(world, Number(id)),
    quoted(id) {
      const said = all.find((one): one is Said => one.kind === 'message' && String(one.message_id) === id)
      return said && `${nameOf(said.sender)}: ${brief(said.segments)}`
    },
  }
  return (
    <main id="main" class="chat">
      <h1 class="hidden">{t('sandbox')}</h1>
      <Connection {...link} />
      <Start world={world} />
      <div class="window">
        <Places
          world={world}
          place={place}
          choose={(next) => {
            setPlace(next)
            setReplyTo(undefined)
          }}
        />
        <section class="talk" aria-label={t('conversation')}>
          <header>
            <h2>{titleOf(world, place)}</h2>
          </header>
          <Talk all={all} place={place} around={around} reply={setReplyTo} />
          {who ? (
            <Compose
              place={place}
              who={who}
              people={people}
              speakAs={setSpeaker}
              selfId={world.self_id}
              replyTo={replyTo}
              forgetReply={() => setReplyTo(undefined)}
            />
          ) : (
            <Empty>{t('nobody-here')}</Empty>
          )}
        </section>
        <div class="side">
          {who && <Deeds world={world} place={place} who={who} done={changed} />}
          <FaultSwitches faults={world.faults} links={world.links} done={changed} />
          <Calls calls={all.filter((one): one is Called => one.kind === 'call')} />
          <p>
            <a href={BASE}>{t('to-dashboard')}</a>
          </p>
        </div>
      </div>
    </main>
  )
}

interface Listening {
  readonly signal: AbortSignal
  readonly problem: (error: unknown) => void
  readonly news: (set: (known: Known | undefined) => Known) => void
  readonly world: () => Promise<void>
  readonly open: () => void
}

/** Asks for what is new, again and again; each answer is there as soon as something happened. */
async function listen({ signal, problem, news, world, open }: Listening): Promise<void> {
  let seen: { since: number; last: number } | undefined
  while (!signal.aborted) {
    try {
      const wait = seen === undefined ? 0 : WAIT
      const found = await ask<News>(`api/sandbox/chat?after=${seen?.last ?? 0}&wait=${wait}`, undefined, signal)
      const restarted = seen !== undefined && found.since !== seen.since
      seen = restarted ? { since: found.since, last: 0 } : found
      if (!restarted) news((known) => more(known, found))
      await world()
      open()
    } catch (error) {
      problem(error)
      seen = undefined
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }
}

function Places({ world, place, choose }: { world: World; place: Place; choose: (place: Place) => void }) {
  const one = (next: Place, name: string) => {
    const here = next.type === place.type && next.peer === place.peer
    return (
      <li key={`${next.type}${next.peer}`}>
        <button type="button" aria-current={here} onClick={() => choose(next)}>
          <span class="avatar" aria-hidden="true">
            {[...name][0] ?? '?'}
          </span>
          {name}
        </button>
      </li>
    )
  }
  return (
    <nav class="places" aria-label={t('conversations')}>
      <h2>{t('groups')}</h2>
      <ul>{world.groups.map(({ group_id, group_name }) => one({ type: 'group', peer: group_id }, group_name))}</ul>
      <h2>{t('friends')}</h2>
      <ul>
        {world.friends.map((friend) =>
          one({ type: 'private', peer: friend.user_id }, friend.remark || friend.nickname),
        )}
      </ul>
    </nav>
  )
}

function Talk(props: { all: Known['all']; place: Place; around: Around; reply: (said: Said) => void }) {
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
      <pre>{JSON.stringify(event, null, 2)}</pre>
    </details>
  )
}

function Calls({ calls }: { calls: readonly Called[] }) {
  const latest = calls.slice(-50).reverse()
  return (
    <Section id="called" title={t('called')}>
      {latest.length === 0 && <Empty>{t('no-calls')}</Empty>}
      <div class="frames">
        {latest.map(({ n, time, action, params, retcode, message }) => (
          <details key={n} class="frame">
            <summary>
              <time>{clock(time * 1000)}</time> <code>{action}</code>{' '}
              {retcode !== 0 && retcode !== 1 && <Badge tone="bad">{retcode}</Badge>}
            </summary>
            {message && <p class="bad">{message}</p>}
            <pre>{JSON.stringify(params, null, 2)}</pre>
          </details>
        ))}
      </div>
    </Section>
  )
}

function peopleOf(world: World, { type, peer }: Place): readonly Person[] {
  if (type === 'private') return world.friends.filter(({ user_id }) => user_id === peer)
  const members = world.groups.find(({ group_id }) => group_id === peer)?.members ?? []
  return members.filter(({ user_id }) => user_id !== world.self_id)
}

function nameIn(world: World, id: number): string | undefined {
  if (id === world.self_id) return world.nickname
  const everybody = [...world.groups.flatMap(({ members }) => members), ...world.friends]
  const found = everybody.find(({ user_id }) => user_id === id)
  return found && nameOf(found)
}

function titleOf(world: World, { type, peer }: Place): string {
  if (type === 'group') return `${world.groups.find(({ group_id }) => group_id === peer)?.group_name ?? ''} (${peer})`
  return `${nameIn(world, peer) ?? ''} (${peer})`
}
