// First in, first out, whatever the mixture.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Queue } from '../../src/lib/queue.ts'

test('[UPX14] a queue gives what it was given, in order, and counts what is left', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -60, max: 80 }), { maxLength: 40 }), (moves) => {
      const queue = new Queue<number>()
      const model: number[] = []
      let next = 0
      for (const move of moves) {
        for (let n = 0; n < move; n++) {
          queue.push(next)
          model.push(next++)
        }
        for (let n = 0; n > move; n--) expect(queue.shift()).toBe(model.shift() as number)
        expect([queue.size, queue.first, queue.at(3)]).toEqual([model.length, model[0], model[3]])
      }
      queue.clear()
      expect([queue.size, queue.first, queue.shift()]).toEqual([0, undefined, undefined])
    }),
  )
})
