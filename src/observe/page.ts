// What a browser sees at `/`: that the gateway runs, and how a client connects. Nothing secret, nothing that steers.

import type { Bots } from '../broker/bots.ts'

const escaped = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

export function page(bots: Bots): string {
  const rows = bots
    .all()
    .map(({ online, sessions }, index) => {
      const state = online ? 'online · 在线' : 'waiting for the implementation · 等待 OneBot 实现'
      return `<li>bot ${index + 1}: ${escaped(state)}, ${sessions.size} clients</li>`
    })
    .join('')
  return `<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>perpetua</title><style>body{font:16px/1.6 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}
code{background:#8882;padding:.1em .3em;border-radius:.2em}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}</style>
<h1>perpetua</h1><p>One QQ account, many clients · 一个 QQ 号，多个客户端</p><ul>${rows}</ul>
<p>WebSocket: <code>/onebot/v11/ws</code> · HTTP: <code>/onebot/v11/get_login_info</code> ·
<a href="/api/get_online_clients"><code>/api/get_online_clients</code></a></p></html>`
}
