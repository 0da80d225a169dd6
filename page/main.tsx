// The entry of both pages: the path says which one.

import { render } from 'preact'
import { Chat } from './chat.tsx'
import { Dashboard } from './dashboard.tsx'
import { Shell } from './shell.tsx'
import { tokenFromAddress } from './token.ts'

tokenFromAddress()
const sandbox = /\/sandbox\/?$/.test(location.pathname)
const root = document.getElementById('page')
if (root !== null)
  render(
    <Shell sandbox={sandbox}>{(lock) => (sandbox ? <Chat lock={lock} /> : <Dashboard lock={lock} />)}</Shell>,
    root,
  )
