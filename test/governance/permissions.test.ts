import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { forbidding, type Permissions } from '../../src/governance/permissions.ts'

const where = 'client "w"'
const list = (...values: string[]) => ({ values, where })
const may = (permissions: Permissions) => {
  const forbids = forbidding(permissions)
  return (action: string, params: Record<string, unknown> = {}, raw?: string) =>
    forbids(action, params, raw) === undefined
}

test('[PRM1] who is told nothing may do everything', () => {
  for (const permissions of [{}, { deny: list(), groups: list(), users: list() }])
    expect(may(permissions)('anything', { group_id: {}, user_id: [] }, '{"action":"a","action":"b"}')).toBe(true)
})

test('[PRM2] deny wins, and allow forbids everything else', () => {
  const both = may({ allow: list('get_*', 'send_*'), deny: list('get_cookies', '*_private_msg') })
  expect(['get_status', 'send_msg', 'send_group_msg'].every((action) => both(action))).toBe(true)
  expect(
    ['get_cookies', 'send_private_msg', 'set_group_ban', '_send_group_notice', 'GET_STATUS', ''].some((action) =>
      both(action),
    ),
  ).toBe(false)
  expect(may({ allow: list() })('get_status')).toBe(false)
  expect(may({ deny: list('set_*') })('get_status')).toBe(true)
})

test('[PRM2] patterns match whole names, with any text for each *', () => {
  const hit = (pattern: string, name: string) => !may({ deny: list(pattern) })(name)
  expect(hit('get_*_list', 'get_group_list')).toBe(true)
  expect(hit('get_*_list', 'get_list')).toBe(false)
  expect(hit('get_*list', 'get_list')).toBe(true)
  expect(hit('*', '')).toBe(true)
  expect(hit('a.c', 'abc')).toBe(false)
  expect(hit('ab*ba', 'aba')).toBe(false)
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '_', '.'), maxLength: 8 })
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '_', '.', '*'), minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(pattern, name, (pattern, name) => {
      const regex = pattern.replaceAll('.', '\\.').replaceAll('*', '.*')
      expect(hit(pattern, name)).toBe(new RegExp(`^${regex}$`).test(name))
    }),
    { numRuns: 1_000 },
  )
  expect(hit(`${'*a'.repeat(30)}*b`, 'a'.repeat(1_000_000))).toBe(false)
})

test('[PRM3] a name counts with all of its suffixes', () => {
  const denied = may({ deny: list('send_msg') })
  for (const action of [
    'send_msg',
    'send_msg_async',
    'send_msg_rate_limited',
    'send_msg_async_async',
    'send_msg_rate_limited_async',
  ])
    expect(denied(action)).toBe(false)
  expect(may({ allow: list('send_msg') })('send_msg_async_async')).toBe(true)
})

test('[PRM4] what clients ask of the gateway about each other needs no allow, but can be denied', () => {
  const AMONG = [
    'set_client_name',
    'get_online_clients',
    'ack_event',
    'send_broadcast_data',
    'send_broadcast_data_callback',
  ]
  const allowing = may({ allow: list('get_status') })
  const denying = may({ deny: list('*client*', 'ack_event', 'send_*') })
  for (const action of AMONG) {
    expect(allowing(action)).toBe(true)
    expect(denying(action)).toBe(false)
  }
  for (const action of ['set_restart', 'get_ws_port', '.handle_quick_operation']) {
    expect(allowing(action)).toBe(false)
    expect(may({ allow: list('set_*', 'get_ws_port', '.*') })(action)).toBe(true)
  }
})

test('[PRM5] each group and user that is named must be on its list', () => {
  const both = may({ groups: list('1', '2'), users: list('5') })
  for (const params of [
    { group_id: 1 },
    { group_id: '2' },
    { user_id: 5 },
    { group_id: 1, user_id: '5' },
    {},
    { group_id: null, user_id: 5 },
    { group_id: 0, user_id: 5 },
    { group_id: '', user_id: '5' },
    { message: [{ type: 'at', data: { qq: '9', user_id: 9 } }], group_id: 1 },
  ])
    expect(both('send_group_forward_msg', params)).toBe(true)
  for (const params of [
    { group_id: 3 },
    { user_id: '6' },
    { group_id: 1, user_id: 6 },
    { group_id: 3, user_id: 5 },
    { group_id: ' 3' },
    { group_id: '01' },
    { group_id: '+1' },
    { group_id: 1.5 },
    { group_id: -1 },
    { group_id: [1] },
    { group_id: { toString: 1 } },
    { group_id: true },
    { user_id: Number('7672696335120716277') },
  ])
    expect(both('send_group_forward_msg', params)).toBe(false)
  expect(may({ groups: list('1') })('send_private_msg', { user_id: 6 })).toBe(true)
  expect(may({ users: list('5') })('send_group_msg', { group_id: 3 })).toBe(true)
  expect(may({ users: list('7672696335120716277') })('send_private_msg', { user_id: '7672696335120716277' })).toBe(true)
})

test('[PRM6] a message to a group is judged by the group, whoever else it names', () => {
  const both = may({ groups: list('1'), users: list('5') })
  for (const action of ['send_msg', 'send_forward_msg']) {
    expect(both(action, { message_type: 'group', group_id: 1, user_id: 6 })).toBe(true)
    expect(both(action, { message_type: 'group', group_id: 2, user_id: 5 })).toBe(false)
    expect(both(action, { message_type: 'group', user_id: 6 })).toBe(false)
    expect(both(action, { message_type: 'private', user_id: 5 })).toBe(true)
    expect(both(action, { message_type: 'private', user_id: 6 })).toBe(false)
    // Through a group to somebody in it; and some look for the group first.
    expect(both(action, { message_type: 'private', group_id: 1, user_id: 5 })).toBe(true)
    expect(both(action, { message_type: 'private', group_id: 2, user_id: 5 })).toBe(false)
    expect(both(action, { group_id: 1, user_id: 6 })).toBe(false)
  }
  expect(both('set_group_ban', { message_type: 'group', group_id: 1, user_id: 6 })).toBe(false)
})

test('[PRM7] a frame out of which others may read something else is refused', () => {
  const restricted = may({ groups: list('1') })
  const judged = (raw: string) => {
    const { action, params } = JSON.parse(raw)
    return restricted(action, params ?? {}, raw)
  }
  for (const raw of [
    '{"action":"send_msg","params":{"group_id":1,"message":{"group_id":3,"Action":5}},"echo":{"params":1}}',
    '{"action":"get_status"}',
    '{"action":"get_status","params":null}',
  ])
    expect(judged(raw)).toBe(true)
  for (const raw of [
    '{"action":"set_group_ban","action":"send_msg","params":{"group_id":1}}',
    '{"action":"send_msg","params":{"group_id":3},"params":{"group_id":1}}',
    '{"action":"send_msg","params":{"group_id":3,"group_id":1}}',
    '{"action":"send_msg","params":{"\\u0067roup_id":3,"group_id":1}}',
    '{"action":"send_msg","params":{"Group_ID":3,"group_id":1}}',
    '{"action":"send_msg","params":{"GROUP_ID":3}}',
    '{"action":"send_msg","Params":{"group_id":3}}',
    '{"action":"send_msg","params":{"message_type":"group","message_type":"private","group_id":1}}',
  ])
    expect(judged(raw)).toBe(false)
})

test('[PRM8] a refusal says which list of which entry is in the way', () => {
  const forbids = forbidding({ allow: list('send_*'), deny: list('send_like'), groups: list('1'), users: list('5') })
  expect(forbids('send_like', {})).toBe('send_like is not allowed: deny of client "w" has "send_like"')
  expect(forbids('get_status', {})).toBe('get_status is not allowed: allow of client "w" does not have it')
  expect(forbids('send_group_msg', { group_id: 3 })).toBe(
    'send_group_msg is not allowed: allow-groups of client "w" does not have 3',
  )
  expect(forbids('send_private_msg', { user_id: 3 })).toBe(
    'send_private_msg is not allowed: allow-users of client "w" does not have 3',
  )
  expect(forbids('send_private_msg', { user_id: '5 ' })).toBe(
    'send_private_msg is not allowed: params.user_id must be digits, in quotes or not, since client "w" has allow-users',
  )
  expect(forbids('send_msg', {}, '{"action":1,"action":2}')).toMatch(
    /^send_msg is not allowed: action, params, .* at most once/,
  )
})
