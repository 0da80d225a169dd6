// What the entries of a list in the configuration are called.

/** By name, else by address; the same once more by its turn, so that each is called in a way of its own. */
export function keyed<T extends { name: string; url: string }>(section: string, entries: readonly T[]): Map<string, T> {
  const keys = new Map<string, T>()
  for (const entry of entries) {
    const key = `${section} ${entry.name || entry.url}`
    let unique = key
    for (let turn = 2; keys.has(unique); turn++) unique = `${key} ${turn}`
    keys.set(unique, entry)
  }
  return keys
}
