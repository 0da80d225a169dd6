// What is wrong now, and whether messages about it would arrive.

import { list, nullable, object, type Route, text, whole } from './route.ts'

export interface AlertsPort {
  /** What people have been told of and is not over. */
  readonly incidents: () => readonly object[]
  /** Sends a message to everybody who would be told, once. */
  readonly test: () => Promise<readonly object[]>
}

const INCIDENT = object(
  {
    id: text,
    kind: text,
    bot: text,
    client: text,
    detail: text,
    since: { ...whole, description: 'seconds since 1970' },
  },
  ['bot', 'client', 'detail'],
)

export const alertRoutes = ({ incidents, test }: AlertsPort): Route[] => [
  {
    method: 'get',
    path: '/api/alerts',
    summary: 'What is wrong now, as far as people are told of it',
    answer: object({ incidents: list(INCIDENT) }),
    handle: (c) => c.json({ incidents: incidents() }),
  },
  {
    method: 'post',
    path: '/api/alerts/test',
    summary: 'Sends everybody in alerts.to a message that says that it is a test',
    answer: object({ sent: list(object({ target: text, kind: text, problem: nullable(text) })) }),
    async handle(c) {
      c.env.keepOpen()
      return c.json({ sent: await test() })
    },
  },
]
