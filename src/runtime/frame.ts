// What every runtime must do alike with addresses, close reasons and frame sizes.

/** The most a close frame holds beside its code (RFC 6455, 5.5). */
const REASON_BYTES = 123

const encoder = new TextEncoder()

/** Cut to the bytes a close frame holds, never inside a character. */
export function shortReason(reason: string): string {
  if (reason.length * 3 <= REASON_BYTES) return reason
  const { read } = encoder.encodeInto(reason, new Uint8Array(REASON_BYTES))
  return reason.slice(0, read)
}

/** Whether a frame is within `limit` bytes of UTF-8; texts that are surely short are not measured. */
export function fits(frame: string | Uint8Array, limit: number): boolean {
  if (typeof frame !== 'string') return frame.byteLength <= limit
  return frame.length * 3 <= limit || Buffer.byteLength(frame) <= limit
}

/** An IPv4 peer of a dual-stack socket shows as `::ffff:1.2.3.4`: the prefix goes. Empty when the peer has gone. */
export function plainAddress(address: string | undefined): string {
  return address?.replace(/^::ffff:(?=\d+\.)/i, '') ?? ''
}
