import { expect, test } from 'bun:test'
import { freePort, whyNoPort } from '../../src/embedded/port.ts'

test('[LGR23] a free port is none that the system gives to outgoing connections, and can be listened on', async () => {
  const drawn = await Promise.all(Array.from({ length: 100 }, freePort))
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(10_000)
  expect(Math.max(...drawn)).toBeLessThan(20_000)
  expect(new Set(drawn).size).toBeGreaterThan(50)
  const [port = 0] = drawn
  using taken = Bun.listen({ hostname: '127.0.0.1', port, exclusive: true, socket: { data() {} } })
  expect(await whyNoPort('127.0.0.1', taken.port)).toBe('another program has it')
})
