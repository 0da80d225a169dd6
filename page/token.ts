// The admin token: where it comes from, and where it is kept. Never in the address bar longer than it takes to read it.

const KEY = 'perpetua-token'

/** Storage may be forbidden to us: then the token lives as long as the page. */
let inMemory: string | undefined

/** Takes the token out of the address, where a link brought it, and leaves none there or in the history. */
export function tokenFromAddress(): void {
  const url = new URL(location.href)
  const fragment = new URLSearchParams(url.hash.slice(1))
  const brought = fragment.get('token') || url.searchParams.get('token')
  if (brought === null && !fragment.has('token')) return
  url.searchParams.delete('token')
  url.hash = ''
  history.replaceState(null, '', url.pathname + url.search)
  if (brought) keepToken(brought, false)
}

export function token(): string | undefined {
  return stored(() => sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY)) ?? inMemory
}

/** @param longer beyond this tab: only where somebody asked for it. */
export function keepToken(value: string, longer: boolean): void {
  inMemory = value
  stored(() => sessionStorage.setItem(KEY, value))
  stored(() => (longer ? localStorage.setItem(KEY, value) : localStorage.removeItem(KEY)))
}

export function forgetToken(): void {
  inMemory = undefined
  stored(() => sessionStorage.removeItem(KEY))
  stored(() => localStorage.removeItem(KEY))
}

function stored<T>(work: () => T): T | undefined {
  try {
    return work() ?? undefined
  } catch {
    return undefined
  }
}
