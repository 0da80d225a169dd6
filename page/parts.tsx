// Small parts of both pages: sections, buttons that ask twice, messages that go away by themselves, how the stream fares.

import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { act } from './api.ts'
import type { StreamState } from './stream.ts'
import { t } from './words.ts'

export function Section(props: { id: string; title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  const { id, title, aside, children } = props
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  )
}

/** How long a button waits to be pressed again (ms). */
const SURE = 4_000

/** What cannot be undone takes two presses, which costs no window and works with a keyboard. */
export function Twice({ label, sure, act }: { label: string; sure: string; act: () => void }) {
  const [asking, setAsking] = useState(false)
  useEffect(() => {
    if (!asking) return
    const timer = setTimeout(() => setAsking(false), SURE)
    return () => clearTimeout(timer)
  }, [asking])
  const press = () => {
    setAsking(!asking)
    if (asking) act()
  }
  return (
    <button type="button" class={asking ? 'danger' : ''} onClick={press}>
      {asking ? sure : label}
    </button>
  )
}

export function Badge({ tone, children }: { tone: 'good' | 'bad' | 'warn' | 'plain'; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>
}

export function Check({ label, checked, check }: { label: string; checked: boolean; check: (on: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={({ currentTarget }) => check(currentTarget.checked)} />
      {label}
    </label>
  )
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}

/** A text to be taken elsewhere. */
export function Snippet({ title, text }: { title: string; text: string }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 2_000)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <figure class="snippet">
      <figcaption>
        <span>{title}</span>
        <button type="button" onClick={() => void copy(text).then(setCopied)}>
          {copied ? t('copied') : t('copy')}
        </button>
      </figcaption>
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </figure>
  )
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Without TLS a browser has no clipboard for us, unless the gateway is on this machine.
    return false
  }
}

type Notice = { readonly id: number; readonly text: string; readonly bad: boolean }
let notices: readonly Notice[] = []
let count = 0
const watchers = new Set<() => void>()
const LASTS = 6_000

/** Says something in passing, to eyes and to screen readers. */
export function tell(text: string, bad = false): void {
  const notice = { id: ++count, text, bad }
  set([...notices.slice(-3), notice])
  setTimeout(() => set(notices.filter((one) => one !== notice)), LASTS)
}

/** The same for what went wrong. */
export const tellError = (error: unknown): void => tell(error instanceof Error ? error.message : String(error), true)

/** Does something, and says what came of it. */
export function doing(path: string, done: string, body?: object): void {
  act(path, body).then(() => tell(done), tellError)
}

function set(next: readonly Notice[]): void {
  notices = next
  for (const watcher of watchers) watcher()
}

export function Notices() {
  const [, redraw] = useState(0)
  // Nothing that is said may come before somebody listens.
  useLayoutEffect(() => {
    const watcher = () => redraw((n) => n + 1)
    watchers.add(watcher)
    return () => void watchers.delete(watcher)
  }, [])
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.map(({ id, text, bad }) => (
        <p key={id} class={bad ? 'bad' : ''}>
          {text}
        </p>
      ))}
    </div>
  )
}

/** Nobody is told what a page shows that nobody sees. */
export function useVisible(): boolean {
  const [visible, setVisible] = useState(!document.hidden)
  useLayoutEffect(() => {
    const changed = () => setVisible(!document.hidden)
    changed()
    document.addEventListener('visibilitychange', changed)
    return () => document.removeEventListener('visibilitychange', changed)
  }, [])
  return visible
}

/** Said only of a stream that stays away. */
export function Connection({ state, why }: { state: StreamState; why?: string | undefined }) {
  const lost = state === 'lost' || state === 'connecting'
  const [late, setLate] = useState(false)
  useEffect(() => {
    setLate(false)
    if (!lost) return
    const timer = setTimeout(() => setLate(true), 1_500)
    return () => clearTimeout(timer)
  }, [lost])
  return (
    <div role="status">
      {lost && late && (
        <p class="lost">
          {t('lost')}
          {why && <small> {why}</small>}
        </p>
      )}
    </div>
  )
}
