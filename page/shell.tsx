// What stands around both pages: the door that asks for the token, languages, light and dark.

import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import { ask, BASE, Refused } from './api.ts'
import { Check, Notices } from './parts.tsx'
import { forgetToken, keepToken, token } from './token.ts'
import { language, setLanguage, t, watchLanguage } from './words.ts'

type Theme = 'auto' | 'light' | 'dark'
const THEMES: readonly Theme[] = ['auto', 'light', 'dark']

/** @param children what is shown to who may see it; `lock` sends back to the door. @param sandbox which page it is. */
export function Shell(props: { children: (lock: (why?: string) => void) => ComponentChildren; sandbox: boolean }) {
  const [, redraw] = useState(0)
  const [locked, setLocked] = useState<{ why?: string | undefined } | undefined>(token() === undefined ? {} : undefined)
  // Before anybody can press a button: an effect comes after the first picture.
  useLayoutEffect(() => watchLanguage(() => redraw((n) => n + 1)), [])
  const lock = (why?: string) => {
    forgetToken()
    setLocked({ why })
  }
  return (
    <>
      <a class="skip" href="#main">
        {t('skip')}
      </a>
      <Top sandbox={props.sandbox} leave={locked ? undefined : () => lock()} />
      {locked ? <Door why={locked.why} open={() => setLocked(undefined)} /> : props.children(lock)}
      <Notices />
    </>
  )
}

function Top({ sandbox, leave }: { sandbox: boolean; leave: (() => void) | undefined }) {
  const [theme, setTheme] = useState<Theme>(() => kept('perpetua-theme', THEMES) ?? 'auto')
  // Before anything is painted: nobody who chose the dark is to see a flash of light.
  useLayoutEffect(() => {
    document.documentElement.dataset['theme'] = theme
    keep('perpetua-theme', theme)
    dispatchEvent(new Event('perpetua-theme'))
  }, [theme])
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto'
  return (
    <header class="top">
      <a class="brand" href={BASE}>
        perpetua
      </a>
      <span class="what">{sandbox ? t('sandbox') : t('dashboard')}</span>
      <nav aria-label={t('settings')}>
        <button type="button" onClick={() => setLanguage(language() === 'zh' ? 'en' : 'zh')} lang={t('otherLang')}>
          {t('otherLanguage')}
        </button>
        <button type="button" onClick={() => setTheme(next)} aria-label={`${t('theme')}: ${t(`theme-${theme}`)}`}>
          {t(`theme-${theme}`)}
        </button>
        {leave && (
          <button type="button" onClick={leave}>
            {t('leave')}
          </button>
        )}
      </nav>
    </header>
  )
}

function Door({ why, open }: { why: string | undefined; open: () => void }) {
  const [value, setValue] = useState('')
  const [longer, setLonger] = useState(false)
  const [wrong, setWrong] = useState(why)
  const enter = async (event: Event) => {
    event.preventDefault()
    const shown = value.trim()
    if (shown === '') return setWrong(t('door-empty'))
    keepToken(shown, longer)
    try {
      await ask('api/status')
      open()
    } catch (error) {
      forgetToken()
      setWrong(error instanceof Refused && error.locked ? error.message : `${t('unreachable')} (${String(error)})`)
    }
  }
  return (
    <main id="main" class="door">
      <h1>{t('door-title')}</h1>
      <p>{t('door-why')}</p>
      <form onSubmit={(event) => void enter(event)}>
        <label>
          {t('door-token')}
          <input
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            value={value}
            aria-describedby="door-wrong"
            onInput={({ currentTarget }) => setValue(currentTarget.value)}
          />
        </label>
        <Check label={t('door-keep')} checked={longer} check={setLonger} />
        <p id="door-wrong" class="bad" role="alert">
          {wrong}
        </p>
        <button type="submit" class="primary">
          {t('door-enter')}
        </button>
      </form>
      <Where />
    </main>
  )
}

/** Where the token is to be found, and where who is no operator may go. */
function Where() {
  return (
    <>
      <h2>{t('door-where')}</h2>
      <ul>
        <li>{t('door-where-link')}</li>
        <li>
          {t('door-where-file')} <code>data/admin-token</code>
        </li>
        <li>
          {t('door-where-config')} <code>admin.token</code>
        </li>
      </ul>
      <h2>{t('door-clients')}</h2>
      <p>
        WebSocket: <code>{clientAddress()}</code>
      </p>
    </>
  )
}

/** Where clients connect, as this browser sees the gateway. */
export const clientAddress = (): string => `${location.origin.replace(/^http/, 'ws')}${BASE}onebot/v11/ws`

export function kept<T extends string>(key: string, known: readonly T[]): T | undefined {
  try {
    return known.find((one) => one === localStorage.getItem(key))
  } catch {
    return undefined
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // It is as it was the next time.
  }
}
