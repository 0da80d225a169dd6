// Makes many group messages quickly: each is written once, and as many leave in one turn of the loop as do it good.

import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { messageEvent } from './events.ts'
import type { Format, Messages, Sender } from './messages.ts'
import { seconds } from './world.ts'

export interface BurstOptions {
  /** How many; Infinity goes on until aborted. */
  readonly count: number
  /** Messages per second. Default: as fast as the links take them. */
  readonly rate?: number | undefined
  /** Bytes of each message's text, at least enough for its number. */
  readonly size?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface BurstResult {
  readonly count: number
  /** Milliseconds from the first message to the last. */
  readonly ms: number
}

export interface Speaker {
  readonly selfId: number
  readonly groupId: number
  readonly sender: Sender
  readonly format: Format
  readonly messages: Messages
  emit(raw: string): void
  /** Resolves once no link is far behind. */
  room(signal?: AbortSignal): Promise<void>
}

/** What leaves in one turn of the loop. */
const TURN_EVENTS = 128
const TURN_CHARACTERS = 256 * 1024

/**
 * The text of message n is `#n`, filled up to `size`; `sent_at` (milliseconds since 1970, with fraction) is when its
 * turn began. Ids grow by one. These messages are not kept: nobody looks up a load.
 */
export async function burst(speaker: Speaker, { count, rate, size = 0, signal }: BurstOptions): Promise<BurstResult> {
  const start = performance.now()
  const elapsed = () => performance.now() - start
  let write = writer(speaker, size)
  let written = 0
  while (written < count && !signal?.aborted) {
    const due = rate === undefined ? count : Math.min(count, 1 + Math.floor((elapsed() * rate) / 1_000))
    if (written >= due) {
      await pause(Math.max(1, (written * 1_000) / (rate ?? 1) - elapsed()), signal)
      continue
    }
    if (write.time !== seconds()) write = writer(speaker, size)
    const sentAt = (performance.timeOrigin + performance.now()).toFixed(3)
    let characters = 0
    for (let left = TURN_EVENTS; left > 0 && written < due && characters < TURN_CHARACTERS; left--) {
      const raw = write.event(++written, sentAt)
      characters += raw.length
      speaker.emit(raw)
    }
    await speaker.room(signal)
    if (written < count) await turn()
  }
  return { count: written, ms: elapsed() }
}

/** Over early when aborted. */
const pause = (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal && { signal }).catch(() => {})

const ID = 918_273_645
const TEXT = '@text@'

/** Events of one second: everything but id, text and `sent_at` is written only once. */
function writer({ selfId, groupId, sender, format, messages }: Speaker, size: number) {
  const time = seconds()
  const segments = [{ type: 'text', data: { text: TEXT } }]
  const said = { message_id: ID, time, type: 'group', peer: groupId, sender, segments } as const
  const whole = JSON.stringify(messageEvent(selfId, said, format))
  const [head = '', rest = ''] = whole.slice(0, -1).split(String(ID))
  const [before = '', between = '', after = ''] = rest.split(TEXT)
  return {
    time,
    event(n: number, sentAt: string): string {
      const text = `#${n}`.padEnd(size, ' x')
      return `${head}${messages.nextId()}${before}${text}${between}${text}${after},"sent_at":${sentAt}}`
    },
  }
}
