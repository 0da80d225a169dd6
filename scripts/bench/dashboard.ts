// What an open dashboard asks for, as page/ does it; a test compares it with what a browser asks.

/** What it reads all the time. */
export const STREAMS = ['/api/tap?kinds=status,second,log&level=trace', '/api/tap?kinds=event,action,reply']
/** What it asks once, when it is opened. */
export const ONCE = [
  '/api/history?step=1',
  '/api/log?level=trace&lines=500',
  '/api/bots',
  '/api/calls?limit=100',
  '/api/config',
]
/** What it asks each so many milliseconds. */
export const AGAIN = { path: '/api/alerts', every: 10_000 }
