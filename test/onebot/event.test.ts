import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { broadcast, broadcastCallback, clientStatus, heartbeat, lifecycle } from '../../src/onebot/event.ts'
import { readUpstream } from '../../src/onebot/frame.ts'

const [LIFECYCLE = '', HEARTBEAT = ''] = readFileSync(new URL('../fixtures/meta.jsonl', import.meta.url), 'utf8').split(
  '\n',
)
const CLIENT = { app_id: '7d1c', client_name: 'a "b"', transport: 'forward', self_id: 10001, since: 5 }
const WORD = { selfId: '10001', time: 9, client: CLIENT, uuid: 'u1', data: '{"echo":1}\n' }
const beat = { selfId: '10001', time: 9, online: true, interval: 5000 }

test('[OBV1] a lifecycle of ours is a connect with the account and the time of now', () => {
  expect(lifecycle('7672696335120716277', 1763870400.9)).toBe(
    '{"time":1763870400,"self_id":7672696335120716277,"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"connect"}',
  )
})

test("[OBV1] the implementation's lifecycle keeps its other fields", () => {
  expect(lifecycle('10001', 9, LIFECYCLE)).toBe(LIFECYCLE.replace('1763870400', '9'))
  expect(lifecycle('1', 9, '{ "x": 1.0, "sub_type":"enable", "time":1, "echo":null, "self_id":1 }')).toBe(
    '{ "x": 1.0, "sub_type":"connect", "time":9, "self_id":1 }',
  )
  expect(lifecycle('1', 9, '{"time":1,"self_id":1}')).toBe('{"sub_type":"connect","time":9,"self_id":1}')
})

test("[OBV2] a heartbeat is the implementation's latest with the time of now", () => {
  expect(heartbeat(HEARTBEAT, { ...beat, interval: 30_000 })).toBe(HEARTBEAT.replace('1763870400', '9'))
  expect(heartbeat(undefined, beat)).toBe(
    '{"time":9,"self_id":10001,"post_type":"meta_event","meta_event_type":"heartbeat","status":{"online":true,"good":true},"interval":5000}',
  )
})

test('[OBV3] while the upstream is away, a heartbeat says offline and not good, and keeps the rest', () => {
  const away = { ...beat, online: false }
  const said = HEARTBEAT.replace('1763870400', '9').replace('"online":true,"good":true', '"online":false,"good":false')
  expect(heartbeat(HEARTBEAT, away)).toBe(said)
  expect(heartbeat('{"time":1,"status":{ "x": 1, "good": null }}', away)).toBe(
    '{"time":9,"status":{"online":false, "x": 1, "good": false }}',
  )
  expect(heartbeat('{"time":1}', away)).toBe('{"status":{"online":false,"good":false},"time":9}')
  expect(heartbeat('{"time":1,"status":null}', away)).toBe('{"time":9,"status":{"online":false,"good":false}}')
  expect(heartbeat(undefined, away)).toContain('"status":{"online":false,"good":false}')
})

test('[OBV4] clients learn who comes and goes, and what others send them', () => {
  const client = JSON.stringify(CLIENT)
  expect(clientStatus({ selfId: '10001', time: 9, client: CLIENT, online: true, selfClient: false })).toBe(
    `{"time":9,"self_id":10001,"post_type":"notice","notice_type":"client_status","client":${client},"online":true,"self_client":false}`,
  )
  const rest = `"client":${client},"uuid":"u1","data":"{\\"echo\\":1}\\n"}`
  expect(broadcast(WORD)).toBe(
    `{"time":9,"self_id":10001,"post_type":"distributed","distributed_type":"broadcast",${rest}`,
  )
  expect(broadcastCallback(WORD)).toBe(
    `{"time":9,"self_id":10001,"post_type":"distributed","distributed_type":"broadcast_callback",${rest}`,
  )
})

test('[OBV5] no event of ours has an echo, and all of them read as events in whole seconds', () => {
  const events = [
    lifecycle('1', 9.9, '{"post_type":"meta_event","echo":null}'),
    heartbeat('{"post_type":"meta_event","echo":1,"status":{}}', { ...beat, time: 9.9, online: false }),
    clientStatus({ selfId: '1', time: 9.9, client: { app_id: 'x' }, online: true, selfClient: true }),
    broadcast({ ...WORD, time: 9.9 }),
    broadcastCallback({ ...WORD, time: 9.9 }),
  ]
  for (const raw of events) {
    const frame = readUpstream(raw)
    if (frame.kind !== 'event' && frame.kind !== 'meta') throw new Error(`${raw}: read as ${frame.kind}`)
    expect(frame.event['time']).toBe(9)
    expect(Object.hasOwn(frame.event, 'echo')).toBe(false)
  }
})
