// The flags of requests: all that accepting or rejecting one needs, as a text that clients give back.

/** `joins`: somebody wants in. `invited`: a member wants somebody else in. `invitation`: the account itself is asked. */
export type Flag =
  | { readonly kind: 'friend'; readonly uid: string; readonly filtered: boolean }
  | { readonly kind: 'joins'; readonly group: number; readonly seq: number; readonly filtered: boolean }
  | { readonly kind: 'invited' | 'invitation'; readonly group: number; readonly seq: number }

const LETTERS = { friend: 'f', joins: 'j', invited: 'i', invitation: 'v' } as const

export function flagText(flag: Flag): string {
  if (flag.kind === 'friend') return `f|${flag.uid}|${bit(flag.filtered)}`
  const place = `${LETTERS[flag.kind]}|${flag.group}|${flag.seq}`
  return flag.kind === 'joins' ? `${place}|${bit(flag.filtered)}` : place
}

/** Undefined: it is none of ours. */
export function readFlag(text: string): Flag | undefined {
  const friend = /^f\|(.*)\|([01])$/s.exec(text)
  if (friend !== null) return { kind: 'friend', uid: friend[1] ?? '', filtered: friend[2] === '1' }
  const [, letter, groupText, seqText, filtered] = /^([jiv])\|(\d{1,15})\|(\d{1,15})(?:\|([01]))?$/.exec(text) ?? []
  const [group, seq] = [Number(groupText), Number(seqText)]
  if (letter === 'j') return { kind: 'joins', group, seq, filtered: filtered === '1' }
  if (letter === undefined || filtered !== undefined) return undefined
  return { kind: letter === 'i' ? 'invited' : 'invitation', group, seq }
}

const bit = (value: boolean) => (value ? '1' : '0')
