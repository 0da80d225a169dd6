// A place for durable calls that outlives the gateway, as a disk does, and may be full as one.

import type { DurableCall, DurableStore } from '../../src/broker/ports.ts'

export class FakeDisk implements DurableStore {
  readonly calls = new Map<string, DurableCall>()
  full = false
  #count = 0

  add(call: Omit<DurableCall, 'id' | 'state'>): string {
    this.#write()
    const id = `d${++this.#count}`
    this.calls.set(id, { ...call, id, state: 'queued' })
    return id
  }
  sent(id: string): void {
    this.#write()
    const call = this.calls.get(id)
    if (call !== undefined) this.calls.set(id, { ...call, state: 'sent' })
  }
  done(id: string): void {
    this.calls.delete(id)
  }
  waiting(): DurableCall[] {
    return [...this.calls.values()]
  }
  get states(): string[] {
    return this.waiting().map(({ id, state }) => `${id} ${state}`)
  }
  #write(): void {
    if (this.full) throw new Error('the disk is full')
  }
}
