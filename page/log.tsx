// The lines of the log, as important as wanted.

import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Line } from '../src/observe/recent.ts'
import { clock } from './format.ts'
import { Empty, Section } from './parts.tsx'
import { t } from './words.ts'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
const SHOWN = 300

export function Log({ lines }: { lines: readonly Line[] }) {
  const [level, setLevel] = useState<Line['level']>('info')
  const [text, setText] = useState('')
  const place = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const wanted = lines
    .filter((line) => LEVELS.indexOf(line.level) >= LEVELS.indexOf(level) && line.text.includes(text))
    .slice(-SHOWN)
  useLayoutEffect(() => {
    const { current } = place
    // Who has scrolled up reads there.
    if (current !== null && atEnd.current) current.scrollTop = current.scrollHeight
  })
  const scrolled = ({ currentTarget: { scrollTop, clientHeight, scrollHeight } }: { currentTarget: HTMLElement }) => {
    atEnd.current = scrollTop + clientHeight >= scrollHeight - 8
  }
  return (
    <Section
      id="log"
      title={t('log')}
      aside={
        <span class="row">
          <label>
            {t('level')}{' '}
            <select value={level} onChange={({ currentTarget }) => setLevel(levelOf(currentTarget.value))}>
              {LEVELS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          <label>
            {t('contains')} <input value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
          </label>
        </span>
      }
    >
      {wanted.length === 0 ? (
        <Empty>{t('no-lines')}</Empty>
      ) : (
        <div
          class="scroll tall lines"
          ref={place}
          onScroll={scrolled}
          tabIndex={0}
          role="log"
          aria-label={t('log')}
          aria-live="off"
        >
          {wanted.map((line, at) => (
            <p key={at} class={line.level}>
              <time>{clock(line.time)}</time> <b>{line.level}</b> {line.text}
            </p>
          ))}
        </div>
      )}
    </Section>
  )
}

const levelOf = (text: string): Line['level'] => LEVELS.find((one) => one === text) ?? 'info'
