// Numbers of messages, packed: what goes into rows comes out of them.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { addTo, type MessageRow, messagesOf, ROW, rowWith } from '../../src/broker/message-rows.ts'
import type { NumberedMessage } from '../../src/broker/ports.ts'

const message = fc.record<NumberedMessage>({
  id: fc.nat(4 * ROW),
  scene: fc.constantFrom('friend', 'group', 'temp'),
  peer: fc.nat(2),
  seq: fc.nat(4 * ROW),
})

test('[MLI8] rows say of each message where it stands, whatever stands beside it', () => {
  const some = fc.uniqueArray(message, { selector: ({ id }) => id, maxLength: 100 })
  fc.assert(
    fc.property(some, fc.nat(4 * ROW), (messages, id) => {
      const rows: MessageRow[] = []
      const fresh = messages.filter((one) => addTo(rows, one) !== undefined)
      expect(rows).toHaveLength(fresh.length)
      const told = rows.flatMap((row) => [...messagesOf(row)])
      const byId = (a: NumberedMessage, b: NumberedMessage) => a.id - b.id
      expect(told.toSorted(byId)).toEqual(messages.toSorted(byId))
      const wanted = messages.find((one) => one.id === id)
      const row = rowWith(rows, id)
      expect(row && { id, scene: row.scene, peer: row.peer, seq: row.seq + (id % ROW) }).toEqual(wanted)
    }),
  )
})

test('[MLI8] what is said one after the other takes one row for each 32', () => {
  const rows: MessageRow[] = []
  for (let at = 0; at < 320; at++) addTo(rows, { id: 640 + at, scene: 'group', peer: 1, seq: 320 + at })
  expect(rows).toHaveLength(10)
  expect(addTo(rows, { id: 640, scene: 'group', peer: 1, seq: 320 })).toBeUndefined()
})
