// For whoever minds the process: whether it runs, whether a bot is online, and the metrics.

import type { Bots } from '../broker/bots.ts'
import { object, type Route, whole } from './route.ts'

export interface HealthPort {
  readonly bots: Bots
  /** Whether nobody needs a token for them. */
  readonly open: () => boolean
  readonly metrics: () => Promise<{ readonly contentType: string; text(): Promise<string> }>
}

export function healthRoutes({ bots, open, metrics }: HealthPort): Route[] {
  const counted = () => {
    const all = bots.all()
    return { bots: all.length, online: all.filter(({ online }) => online).length }
  }
  return [
    {
      method: 'get',
      path: '/healthz',
      summary: 'The process runs',
      answer: object({ status: { const: 'ok' }, service: { const: 'perpetua' } }),
      open: () => true,
      handle: (c) => c.json({ status: 'ok', service: 'perpetua' }),
    },
    {
      method: 'get',
      path: '/readyz',
      summary: 'A bot is online: 200, else 503',
      answer: object({ status: { enum: ['ok', 'waiting'] }, bots: whole, online: whole }),
      open: () => true,
      handle(c) {
        const { online, bots: all } = counted()
        return c.json({ status: online > 0 ? 'ok' : 'waiting', bots: all, online }, online > 0 ? 200 : 503)
      },
    },
    {
      method: 'get',
      path: '/metrics',
      summary: 'The metrics in the text format of Prometheus; open to everybody where metrics.open is true',
      answer: { media: 'text/plain', means: 'Prometheus text format' },
      open,
      async handle() {
        const { contentType, text } = await metrics()
        return new Response(await text(), { headers: { 'Content-Type': contentType } })
      },
    },
  ]
}
