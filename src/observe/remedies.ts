// What to do about what goes wrong with links, as the log says it.

/** An implementation is where clients are. */
export const MISPLACED = {
  dialling: 'let it dial /onebot/v11/implementation (ntqq-impl.mode: reverse), or give us its forward WebSocket',
  dialled: 'reverse-web-socket is for clients: its address belongs to ntqq-impl.external-web-socket',
}

/** About what a client that we dial answers. */
export function remedyOf(reason: string): { remedy?: string } {
  const status = /: the peer answered (\d+)$/.exec(reason)?.[1]
  if (status === '401' || status === '403')
    return { remedy: 'set access-token of its reverse-web-socket entry to the token that is set there' }
  return status === '404' ? { remedy: 'correct the path in the url of its reverse-web-socket entry' } : {}
}
