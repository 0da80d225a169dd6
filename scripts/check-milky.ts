// Lists what Milky has, by the schemas that its makers publish, and our tables have not; fails where it is not known why.

import { Event, IncomingSegment, OutgoingSegment, zodApiCategories } from '@saltify/milky-types'
import { ALL_ACTIONS } from '../src/milky/actions.ts'
import { EVENT_TYPES } from '../src/milky/events.ts'
import { INCOMING_TYPES } from '../src/milky/incoming.ts'
import { OUTGOING_KINDS } from '../src/milky/outgoing.ts'

/** What OneBot has no action for. */
const WITHOUT_ACTION = new Set(['get_friend_info', 'get_peer_pins', 'set_peer_pin'])

const served = new Set<string>([...ALL_ACTIONS].flatMap(([, { apis }]) => apis))
const apis = Object.values(zodApiCategories).flatMap(({ apis: some }) => Object.keys(some))
const missing = {
  event: Event.options.map(({ shape }) => shape.event_type.value as string).filter((one) => !EVENT_TYPES.has(one)),
  'incoming segment': IncomingSegment.unwrap()
    .options.map(({ shape }) => shape.type.value as string)
    .filter((one) => !INCOMING_TYPES.has(one)),
  'outgoing segment': OutgoingSegment.options
    .map(({ shape }) => shape.type.value as string)
    .filter((one) => !OUTGOING_KINDS.has(one)),
  API: apis.filter((one) => !served.has(one) && !WITHOUT_ACTION.has(one)),
}

const problems = Object.entries(missing).flatMap(([what, names]) => names.map((name) => `${what} ${name} is missing`))
for (const problem of problems) console.error(problem)
console.log(`${apis.length} APIs, ${EVENT_TYPES.size} events, ${problems.length} problems`)
process.exit(problems.length === 0 ? 0 : 1)
