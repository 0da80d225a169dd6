// What stand-ins for programs in other languages share: frames as they are on the wire, and JSON as those write it.

import { createHash } from 'node:crypto'
import { OPCODE, type RawPeer, type WireFrame } from '../contract/raw.ts'

export type Fields = Record<string, unknown>

/** The next frame, or why none will come; `within`: the longest silence borne (ms). */
export async function nextFrame(peer: RawPeer, within?: number): Promise<WireFrame | 'gone' | 'silent'> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const ends: Promise<'gone' | 'silent'>[] = [peer.closed.then(() => 'gone')]
  if (within !== undefined)
    ends.push(
      new Promise((resolve) => {
        timer = setTimeout(() => resolve('silent'), within)
      }),
    )
  try {
    return await Promise.race([peer.frames.take(), ...ends])
  } finally {
    clearTimeout(timer)
  }
}

export const isText = ({ opcode }: WireFrame) => opcode === OPCODE.text

/** What a server answers to a key, and a client insists on. */
export const acceptOf = (key: string) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

/** A header of a handshake, whatever the case of its name. */
export const headerOf = (head: string, name: string): string | undefined =>
  new RegExp(`^${name}: *(.*?) *$`, 'im').exec(head)?.[1]

/** `json.dumps`: a space after commas and colons, and nothing beyond ASCII. */
export const pythonJson = (value: unknown): string => ascii(spaced(value))

/** `ujson.dumps`: no spaces, nothing beyond ASCII, slashes escaped. */
export const ujson = (value: unknown): string => ascii(JSON.stringify(value)).replaceAll('/', '\\/')

function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${spaced(item)}`)
    .join(', ')}}`
}

const ascii = (json: string) =>
  json.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
