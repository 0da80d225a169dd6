// The configuration: what is in force without secrets, and whether a text could take its place, as it is typed.

import { useEffect, useState } from 'preact/hooks'
import { act, ask } from './api.ts'
import { pretty } from './format.ts'
import { Empty, Section, Snippet, tell, tellError } from './parts.tsx'
import { t } from './words.ts'

interface Shown {
  readonly file: string | null
  readonly text: string | null
  readonly config: object
}

interface Judged {
  readonly ok: boolean
  readonly problems: readonly { readonly line?: number; readonly column?: number; readonly text: string }[]
  readonly notices: readonly string[]
  readonly restart: readonly string[]
}

const TYPING = 300

export function ConfigFile() {
  const [shown, setShown] = useState<Shown>()
  const [text, setText] = useState<string>()
  const look = () =>
    ask<Shown>('api/config').then((found) => {
      setShown(found)
      setText(found.text ?? '')
    }, tellError)
  useEffect(() => void look(), [])
  const changed = text !== undefined && text !== (shown?.text ?? '')
  const judged = useJudged(text, changed)
  const reload = () =>
    act<{ applied: boolean; problems: string[] }>('api/config/reload').then(({ applied, problems }) => {
      if (applied) tell(t('config-applied'))
      else for (const problem of problems) tell(problem, true)
      void look()
    }, tellError)
  if (shown === undefined) return null
  return (
    <Section
      id="config"
      title={t('config')}
      aside={
        shown.file !== null && (
          <button type="button" onClick={() => void reload()}>
            {t('config-reload')}
          </button>
        )
      }
    >
      {shown.file === null ? (
        <Empty>{t('config-none')}</Empty>
      ) : (
        <>
          <p>
            <code>{shown.file}</code> {t('config-how')}
          </p>
          <textarea
            aria-label={shown.file}
            aria-describedby="config-judged"
            class="code"
            rows={14}
            spellcheck={false}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
          <Judgement judged={judged} changed={changed} />
        </>
      )}
      <details>
        <summary>{t('config-in-force')}</summary>
        <Snippet title={t('config-masked')} text={pretty(shown.config)} />
      </details>
    </Section>
  )
}

/** What the gateway thinks of a text, once nobody has typed for a moment; undefined of one that has not changed. */
function useJudged(text: string | undefined, changed: boolean): Judged | undefined {
  const [judged, setJudged] = useState<Judged>()
  useEffect(() => {
    if (!changed) return setJudged(undefined)
    const stopped = new AbortController()
    const timer = setTimeout(() => {
      ask<Judged>('api/config/validate', { text }, stopped.signal).then(
        setJudged,
        (error) => stopped.signal.aborted || tellError(error),
      )
    }, TYPING)
    return () => {
      clearTimeout(timer)
      stopped.abort()
    }
  }, [text, changed])
  return judged
}

function Judgement({ judged, changed }: { judged: Judged | undefined; changed: boolean }) {
  return (
    <div id="config-judged" role="status">
      {changed && judged?.ok === true && <p class="good">{t('config-ok')}</p>}
      {changed && judged !== undefined && (
        <ul>
          {judged.problems.map(({ text }) => (
            <li key={text} class="bad">
              {text}
            </li>
          ))}
          {judged.notices.map((notice) => (
            <li key={notice} class="warn">
              {notice}
            </li>
          ))}
          {judged.restart.length > 0 && (
            <li class="warn">
              {t('config-restart')} {judged.restart.join(', ')}
            </li>
          )}
        </ul>
      )}
    </div>
  )
}
