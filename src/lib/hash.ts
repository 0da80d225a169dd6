// Turns texts into well-mixed numbers, for spreading and comparing them; no good for secrets.

/** 32 bits of a text: FNV-1a over its characters, mixed at the end. The same on every machine and in every run. */
export function hash32(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mix32(hash)
}

/** Each bit of `value` has a say in each bit of what comes out: from 0 to 2^32 - 1. */
export function mix32(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
