// Actions that answer requests and events.

import * as v from 'valibot'
import { quickOperation } from '../onebot/quick-operation.ts'
import { notice } from './events.ts'
import { fail } from './failure.ts'
import { flag, name, text } from './params.ts'
import { type Action, action, type Stage } from './stage.ts'

const subType = v.optional(v.picklist(['add', 'invite'], 'wanted add or invite'))
const object = v.looseObject({}, 'wanted an object')

export const requestActions: Readonly<Record<string, Action>> = {
  set_friend_add_request: action(
    v.object({ flag: name, approve: v.optional(flag, true), remark: v.optional(text, '') }),
    ({ flag: key, approve, remark }, { world, tell }) => {
      const { user_id } = world.settle('friend', key)
      if (!approve) return null
      world.befriend(world.anybody(user_id), remark)
      tell(notice(world.self.user_id, 'friend_add', { user_id }))
      return null
    },
  ),
  set_group_add_request: action(
    v.object({
      flag: name,
      sub_type: subType,
      type: subType,
      approve: v.optional(flag, true),
      reason: v.optional(text, ''),
    }),
    ({ flag: key, sub_type, type, approve }, stage) => {
      const wanted = sub_type ?? type
      const open = stage.world.requests.get(key)
      if (wanted !== undefined && open?.type === 'group' && open.sub_type !== wanted)
        fail(`flag ${key}: that request is of sub_type ${open.sub_type}`)
      return settleGroup(stage, key, approve)
    },
  ),
  '.handle_quick_operation': action(v.object({ context: object, operation: object }), (params, stage) =>
    carryOut(JSON.stringify(params.context), JSON.stringify(params.operation), stage),
  ),
}

/** Both texts are JSON. */
export function carryOut(event: string, operation: string, { perform }: Pick<Stage, 'perform'>): null {
  for (const { action: step, params } of quickOperation(event, operation)) perform(step, JSON.parse(params))
  return null
}

function settleGroup({ world, tell }: Stage, key: string, approve: boolean): null {
  const { sub_type, group_id, user_id } = world.settle('group', key)
  if (!approve) return null
  const self = world.self.user_id
  const [joined, operator_id, how] =
    sub_type === 'add' ? [user_id, self, 'approve'] : ([self, user_id, 'invite'] as const)
  if (sub_type === 'add') world.join(group_id, world.anybody(user_id))
  else world.enter(group_id, world.anybody(user_id))
  tell(notice(self, 'group_increase', { sub_type: how, group_id, operator_id, user_id: joined }))
  return null
}
