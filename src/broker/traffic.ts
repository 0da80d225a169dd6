// What has gone to clients and come from them, as plain numbers that only grow.

import { Buffer } from 'node:buffer'

export interface Traffic {
  /** Events handed to links, and their bytes. */
  events: number
  bytes: number
  /** Actions that came, and the characters of their frames. */
  calls: number
  callSize: number
}

export const noTraffic = (): Traffic => ({ events: 0, bytes: 0, calls: 0, callSize: 0 })

/** One event went to so many links. */
export function sent(traffic: Traffic, bytes: number, links = 1): void {
  traffic.events += links
  traffic.bytes += bytes * links
}

/** One action came, and counts here. */
export function called(raw: string, traffic: Traffic): void {
  traffic.calls += 1
  traffic.callSize += raw.length
}

export const bytesOf = (text: string): number => Buffer.byteLength(text)
