// Describes the routes of the admin API as OpenAPI 3.1.

import type { Route, Shape } from './route.ts'

const REFUSAL: Shape = {
  type: 'object',
  properties: {
    status: { const: 'failed' },
    retcode: { type: 'integer' },
    message: { type: 'string' },
  },
  required: ['status', 'retcode', 'message'],
}

export function openApi(routes: readonly Route[], version: string): Shape {
  const paths: Record<string, Record<string, Shape>> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'perpetua admin API', version: version || '0' },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'admin.token' } },
      schemas: { Refusal: REFUSAL },
    },
    security: [{ token: [] }],
    paths,
  }
}

function operation({ path, summary, query = {}, body, answer, open }: Route): Shape {
  const inPath = Array.from(path.matchAll(/:(\w+)/g), ([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(query).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'string' },
  }))
  const parameters = [...inPath, ...inQuery]
  const [media, schema, description] =
    'media' in answer
      ? [String(answer['media']), {}, String(answer['means'])]
      : ['application/json', answer, 'all went well']
  return {
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    ...(open?.() && { security: [] }),
    responses: {
      200: { description, content: { [media]: { schema } } },
      default: {
        description: 'refused; the message says why',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Refusal' } } },
      },
    },
  }
}
