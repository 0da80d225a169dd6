// A server that does nothing but say that it is there: what starts are compared with.

const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('') })
console.log(server.port)
