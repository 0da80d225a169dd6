// The sandbox chat: the simulated QQ as a chat window, for who tries a bot without an account.

import { useLayoutEffect, useState } from 'preact/hooks'
import { BASE, worked } from './api.ts'
import { Compose } from './compose.tsx'
import { Deeds, FaultSwitches } from './deeds.tsx'
import { clock, pretty } from './format.ts'
import { type Called, nameIn, nameOf, type Place, peopleIn, type Said, titleOf, type World } from './happenings.ts'
import { Badge, Connection, Empty, Section } from './parts.tsx'
import { type Sandbox, useSandbox } from './sandbox.ts'
import { type Around, brief } from './segments.tsx'
import { Start } from './start.tsx'
import { Talk } from './talk.tsx'
import { t } from './words.ts'

export function Chat({ lock }: { lock: (why?: string) => void }) {
  const { link, world, all, changed } = useSandbox(lock)
  const [chosen, choose] = useState<Place>()
  const first = world?.groups[0]
  const place = chosen ?? (first && { type: 'group', peer: first.group_id })
  useLayoutEffect(() => {
    document.title = `${t('sandbox')} · perpetua`
  })
  const there = world !== undefined && place !== undefined
  return (
    <main id="main" class={there ? 'chat' : ''}>
      <h1 class="hidden">{t('sandbox')}</h1>
      <Connection {...link} />
      {there ? (
        <>
          <Start world={world} />
          <Window world={world} all={all} changed={changed} place={place} choose={choose} />
        </>
      ) : (
        <Empty>{t('loading')}</Empty>
      )}
    </main>
  )
}

interface Shown extends Pick<Sandbox, 'all' | 'changed'> {
  readonly world: World
  readonly place: Place
  readonly choose: (place: Place) => void
}

function Window({ world, all, changed, place, choose }: Shown) {
  const [speaker, setSpeaker] = useState<number>()
  const [replyTo, setReplyTo] = useState<Said>()
  const people = peopleIn(world, place)
  const who = people.find(({ user_id }) => user_id === speaker) ?? people[0]
  const move = (next: Place) => {
    choose(next)
    setReplyTo(undefined)
  }
  return (
    <div class="window">
      <Places world={world} place={place} choose={move} />
      <section class="talk" aria-label={t('conversation')}>
        <header>
          <h2>{titleOf(world, place)}</h2>
        </header>
        <Talk all={all} place={place} around={aroundOf(world, all)} reply={setReplyTo} />
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
  )
}

const aroundOf = (world: World, all: Sandbox['all']): Around => ({
  nameOf: (id) => nameIn(world, Number(id)),
  quoted(id) {
    const said = all.find((one): one is Said => one.kind === 'message' && String(one.message_id) === id)
    return said && `${nameOf(said.sender)}: ${brief(said.segments)}`
  },
})

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
              {!worked(retcode) && <Badge tone="bad">{retcode}</Badge>}
            </summary>
            {message && <p class="bad">{message}</p>}
            <pre>{pretty(params)}</pre>
          </details>
        ))}
      </div>
    </Section>
  )
}
