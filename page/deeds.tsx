// What people of the simulated QQ can do beside talking, and what can be made to go wrong with its implementation.

import { act } from './api.ts'
import { type Faults, nameOf, type Person, type Place, type World } from './happenings.ts'
import { Badge, Section, tell, tellError } from './parts.tsx'
import { t } from './words.ts'

export function Deeds(props: { world: World; place: Place; who: Person; done: () => void }) {
  const { world, place, who, done } = props
  const { user_id } = who
  const group = place.type === 'group' ? { group_id: place.peer } : {}
  const asks = { comment: t('let-me-in') }
  const general: [string, string, object][] = [
    [t('deed-ask-friend'), 'request', { type: 'friend', ...asks }],
    [t('deed-befriend'), 'befriend', {}],
    [t('deed-invite'), 'request', { type: 'group', sub_type: 'invite', user_id, ...asks }],
  ]
  const here: [string, string, object][] =
    place.type === 'group'
      ? [
          [t('deed-join'), 'join', group],
          [t('deed-ask-join'), 'request', { type: 'group', sub_type: 'add', ...group, ...asks }],
          [t('deed-leave', nameOf(who)), 'leave', { ...group, user_id }],
        ]
      : []
  const run = (deed: string, body: object) =>
    act(`api/sandbox/${deed}`, body).then(() => {
      tell(t('done'))
      done()
    }, tellError)
  const poke: [string, string, object] = [t('deed-poke', nameOf(who)), 'poke', { user_id, ...group }]
  return (
    <Section id="deeds" title={t('deeds')}>
      <div class="buttons wrap">
        {[poke, ...here, ...general].map(([label, deed, body]) => (
          <button key={label} type="button" onClick={() => void run(deed, body)}>
            {label}
          </button>
        ))}
      </div>
      {world.requests.length > 0 && (
        <p>
          {t('requests')}{' '}
          {world.requests.map(({ flag, type, sub_type, user_id: by }) => (
            <Badge key={flag} tone="warn">
              {[type, sub_type, by].filter(Boolean).join(' ')}
            </Badge>
          ))}
        </p>
      )}
    </Section>
  )
}

const SLOW = 3_000

export function FaultSwitches({ faults, links, done }: { faults: Faults; links: number; done: () => void }) {
  const set = (change: Partial<Faults>) => act('api/sandbox/faults', change).then(done, tellError)
  const drop = () =>
    act<{ dropped: number }>('api/sandbox/drop').then(({ dropped }) => {
      tell(t('dropped', String(dropped)))
      done()
    }, tellError)
  const switches: [string, string, boolean, (on: boolean) => Partial<Faults>][] = [
    [t('fault-slow'), t('fault-slow-why'), faults['slow-replies'] > 0, (on) => ({ 'slow-replies': on ? SLOW : 0 })],
    [t('fault-lost'), t('fault-lost-why'), faults['lost-replies'] > 0, (on) => ({ 'lost-replies': on ? 1 : 0 })],
    [t('fault-silent'), t('fault-silent-why'), faults.silent, (silent) => ({ silent })],
  ]
  return (
    <Section id="faults" title={t('faults')}>
      <p>{t('faults-why')}</p>
      {switches.map(([label, why, on, change]) => (
        <label key={label} class="check fault">
          <input
            type="checkbox"
            checked={on}
            onChange={({ currentTarget }) => void set(change(currentTarget.checked))}
          />
          <span>
            <b>{label}</b> {why}
          </span>
        </label>
      ))}
      <p class="buttons">
        <button type="button" onClick={() => void drop()}>
          {t('fault-drop')}
        </button>
        {links === 0 && <Badge tone="bad">{t('fault-away')}</Badge>}
      </p>
    </Section>
  )
}
