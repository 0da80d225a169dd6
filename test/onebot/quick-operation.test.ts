import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { actionText, readAction } from '../../src/onebot/frame.ts'
import { quickOperation } from '../../src/onebot/quick-operation.ts'

const events = readFileSync(new URL('../fixtures/events.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const the = (...words: string[]) => events.find((event) => words.every((word) => event.includes(`"${word}"`))) ?? ''
const GROUP = the('message', 'group')
const PRIVATE = the('message', 'private')
const BIG = events.find((event) => event.includes('"message_id":7672696335120716277')) ?? ''
const HIDDEN =
  '{"post_type":"message","message_type":"group","sub_type":"anonymous","group_id":1,"user_id":80000000,"message_id":2,"anonymous":{"id":9007199254740993,"name":"x","flag":"f|1"}}'

/** As `action params` lines. */
const steps = (event: string, operation: unknown) =>
  quickOperation(event, typeof operation === 'string' ? operation : JSON.stringify(operation)).map(
    ({ action, params }) => `${action} ${params}`,
  )

test('[OBV10] a reply goes where the message came from', () => {
  expect(steps(PRIVATE, { reply: 'hi', at_sender: true })).toEqual([
    'send_private_msg {"user_id":2854196310,"message":"hi"}',
  ])
  expect(steps(GROUP, { reply: 'hi', at_sender: false })).toEqual([
    'send_group_msg {"group_id":123456789,"message":"hi"}',
  ])
  expect(steps(GROUP, '{"at_sender":false,"reply":[{"type":"reply","data":{"id":7672696335120716277 }}]}')).toEqual([
    'send_group_msg {"group_id":123456789,"message":[{"type":"reply","data":{"id":7672696335120716277 }}]}',
  ])
})

test('[OBV10] a temporary conversation is answered through its group', () => {
  const temporary = (group: string) =>
    `{"post_type":"message","message_type":"private","sub_type":"group","user_id":1,${group}}`
  const wanted = ['send_private_msg {"user_id":1,"group_id":2,"message":"hi"}']
  expect(steps(temporary('"group_id":2'), { reply: 'hi' })).toEqual(wanted)
  expect(steps(temporary('"sender":{"group_id":2}'), { reply: 'hi' })).toEqual(wanted)
  expect(steps(temporary('"sender":null'), { reply: 'hi' })).toEqual(['send_private_msg {"user_id":1,"message":"hi"}'])
})

test('[OBV11] a reply in a group mentions its sender unless told not to, in every form of message', () => {
  const at = '{"type":"at","data":{"qq":"2854196310"}},{"type":"text","data":{"text":" '
  const to = 'send_group_msg {"group_id":123456789,"message":'
  for (const [reply, message] of [
    ['"\\u0068i [CQ:face,id=1]"', '"[CQ:at,qq=2854196310] \\u0068i [CQ:face,id=1]"'],
    ['[{"type":"shake"}]', `[${at}"}},{"type":"shake"}]`],
    ['{"type":"shake"}', `[${at}"}},{"type":"shake"}]`],
  ])
    expect(steps(GROUP, `{"reply":${reply}}`)).toEqual([`${to}${message}}`])
  expect(steps(GROUP, { reply: '[CQ:x]', auto_escape: true })).toEqual([`${to}[${at}[CQ:x]"}}]}`])
  expect(steps(HIDDEN, { reply: 'hi' })).toEqual(['send_group_msg {"group_id":1,"message":"hi"}'])
  expect(
    steps('{"post_type":"message","message_type":"group","group_id":"1","user_id":"a,1"}', { reply: 'x' }),
  ).toEqual(['send_group_msg {"group_id":"1","message":"[CQ:at,qq=a&#44;1] x"}'])
})

test('[OBV11] text to be sent as written is sent so', () => {
  const wanted = ['send_private_msg {"user_id":2854196310,"message":"[CQ:x]","auto_escape":true}']
  expect(steps(PRIVATE, { reply: '[CQ:x]', auto_escape: true })).toEqual(wanted)
})

test('[OBV12] delete, kick and ban act on message, sender and group', () => {
  expect(steps(GROUP, { delete: true, kick: true, ban: true, ban_duration: 60 })).toEqual([
    'delete_msg {"message_id":-1837465291}',
    'set_group_kick {"group_id":123456789,"user_id":2854196310,"reject_add_request":false}',
    'set_group_ban {"group_id":123456789,"user_id":2854196310,"duration":60}',
  ])
  expect(steps(GROUP, { ban: true, ban_duration: 'x' })[0]).toEndWith('"duration":1800}')
  expect(steps(PRIVATE, { delete: true, kick: true, ban: true })).toEqual([])
})

test('[OBV12] somebody anonymous is banned by that, and can be neither kicked nor mentioned', () => {
  expect(steps(HIDDEN, { kick: true, ban: true })).toEqual([
    'set_group_anonymous_ban {"group_id":1,"anonymous":{"id":9007199254740993,"name":"x","flag":"f|1"},"duration":1800}',
  ])
})

test('[OBV13] requests are approved or refused, with words where they are wanted', () => {
  expect(steps(the('request', 'friend'), { approve: true, remark: '小冰', reason: 'x' })).toEqual([
    'set_friend_add_request {"flag":"u_AbC|1700000000","approve":true,"remark":"小冰"}',
  ])
  expect(steps(the('request', 'add'), { approve: false, reason: 'no' })).toEqual([
    'set_group_add_request {"flag":"1700000000000001","approve":false,"sub_type":"add","reason":"no"}',
  ])
  expect(steps(the('request', 'add'), { reason: 'no', reply: 'x', kick: true })).toEqual([])
})

test('[OBV14] ids beyond 2^53 stay exact, and the params make a frame', () => {
  for (const { action, params } of quickOperation(BIG, '{"delete":true,"reply":"x"}')) {
    const frame = readAction(`{"action":"${action}","params":${params}}`)
    if (frame.kind !== 'action') throw new Error(frame.message)
    if (action === 'delete_msg') expect(actionText(frame, 't')).toContain('"message_id":7672696335120716277')
  }
})

test('[OBV15] what asks for nothing does nothing', () => {
  for (const operation of [
    '',
    'ok',
    'null',
    '[]',
    '{}',
    '{"reply":null}',
    '{"reply":""}',
    '{"reply":[]}',
    '{"reply":5}',
    '{"kick":"yes","ban":1}',
  ])
    expect(steps(GROUP, operation)).toEqual([])
  for (const event of [
    the('group_recall'),
    the('message_sent'),
    '',
    '[]',
    '{"post_type":"message","message_type":"group"}',
  ])
    expect(steps(event, { reply: 'x', delete: true, kick: true, ban: true, approve: true })).toEqual([])
  expect(steps(GROUP, '{"__proto__":{"kick":true}}')).toEqual([])
})
