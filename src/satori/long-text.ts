// Cuts messages whose text is longer than QQ takes into several, where a reader would.

import type { Segment } from '../onebot/segment.ts'

/** QQ refuses somewhat longer texts; what counts there differs between its versions, so with room to spare. */
export const LONGEST_TEXT = 4_000

/** The segments of each message: those of one where its text is not long. */
export function cut(segments: readonly Segment[]): Segment[][] {
  const parts: Segment[][] = [[]]
  let room = LONGEST_TEXT
  const push = (segment: Segment) => parts.at(-1)?.push(segment)
  for (const segment of segments) {
    let rest = textOf(segment)
    if (rest === undefined) push(segment)
    else
      while (rest !== '') {
        const piece = pieceOf(rest, room)
        if (piece !== '') push({ type: 'text', data: { text: piece } })
        rest = rest.slice(piece.length)
        room -= piece.length
        if (rest === '') break
        parts.push([])
        room = LONGEST_TEXT
      }
  }
  return parts.filter((part) => part.length > 0)
}

function textOf({ type, data }: Segment): string | undefined {
  return type === 'text' ? `${data['text']}` : undefined
}

/** As much as fits: up to a line break or a space, where there is one not far from the end; never half a character. */
function pieceOf(text: string, room: number): string {
  if (text.length <= room) return text
  const fits = text.slice(0, room)
  const half = fits.length / 2
  for (const mark of ['\n', ' ']) {
    const at = fits.lastIndexOf(mark)
    if (at >= half) return fits.slice(0, at + 1)
  }
  const last = fits.charCodeAt(fits.length - 1)
  return last >= 0xd8_00 && last <= 0xdb_ff ? fits.slice(0, -1) : fits
}
