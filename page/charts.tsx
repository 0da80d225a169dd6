// The last hour as curves.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import UPlot from 'uplot'
import { number } from './format.ts'
import { Section } from './parts.tsx'
import type { State } from './state.ts'
import { t } from './words.ts'

type Name = 'events' | 'calls' | 'errors' | 'p50' | 'p99'

/** Colours are those of the style sheet, by number. */
const CHARTS: readonly { title: string; unit: string; series: readonly { name: Name; colour: number }[] }[] = [
  { title: 'chart-events', unit: '/s', series: [{ name: 'events', colour: 1 }] },
  { title: 'chart-calls', unit: '/s', series: [{ name: 'calls', colour: 2 }] },
  {
    title: 'chart-latency',
    unit: ' ms',
    series: [
      { name: 'p50', colour: 1 },
      { name: 'p99', colour: 3 },
    ],
  },
  { title: 'chart-errors', unit: '/s', series: [{ name: 'errors', colour: 4 }] },
]
const SPANS = [300, 900, 3_600] as const
const HEIGHT = 150

export function Charts({ state }: { state: State }) {
  const [span, setSpan] = useState<number>(900)
  return (
    <Section
      id="charts"
      title={t('charts')}
      aside={
        <label>
          {t('span')}{' '}
          <select value={span} onChange={({ currentTarget }) => setSpan(Number(currentTarget.value))}>
            {SPANS.map((seconds) => (
              <option key={seconds} value={seconds}>
                {seconds / 60} min
              </option>
            ))}
          </select>
        </label>
      }
    >
      <div class="charts">
        {CHARTS.map((chart) => (
          <Curve key={chart.title} state={state} span={span} {...chart} />
        ))}
      </div>
    </Section>
  )
}

function Curve(props: { state: State; span: number } & (typeof CHARTS)[number]) {
  const { state, span, title, unit, series } = props
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(undefined)
  const [palette, setPalette] = useState(0)
  // Before anybody can press a button: what was chosen before an effect would be missed.
  useLayoutEffect(() => {
    const changed = () => setPalette((n) => n + 1)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', changed)
    addEventListener('perpetua-theme', changed)
    return () => {
      dark.removeEventListener('change', changed)
      removeEventListener('perpetua-theme', changed)
    }
  }, [])
  useEffect(() => {
    const { current } = place
    if (current === null) return
    plot.current = new UPlot(options(current.clientWidth, series), [[]], current)
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: current.clientWidth, height: HEIGHT }))
    resized.observe(current)
    return () => {
      resized.disconnect()
      plot.current?.destroy()
    }
  }, [palette])
  const { time, ...values } = state.chart
  const last = time.at(-1)
  useEffect(() => {
    const now = last ?? Date.now() / 1000
    const first = time.findIndex((one) => (one ?? 0) >= now - span)
    const from = first === -1 ? time.length : first
    // The cast: uPlot's types do not know nulls in lists of numbers that are no times.
    const data = [time, ...series.map(({ name }) => values[name])].map((list) => list.slice(from))
    plot.current?.setData(data as UPlot.AlignedData, false)
    plot.current?.setScale('x', { min: now - span, max: now })
  }, [last, span, palette, time.length])
  const said = series
    .map(({ name }) => `${series.length > 1 ? `${name} ` : ''}${shown(values[name].at(-1), unit)}`)
    .join(' · ')
  return (
    <figure class="chart">
      <figcaption>
        {t(title)} <b>{said}</b>
      </figcaption>
      <div ref={place} role="img" aria-label={`${t(title)}: ${said}`} />
    </figure>
  )
}

const shown = (value: number | null | undefined, unit: string) =>
  value === null || value === undefined ? '–' : `${number(value, 1)}${unit}`

function options(width: number, series: (typeof CHARTS)[number]['series']): UPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis = { stroke: colour('--dim'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } }
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { sync: { key: 'hour' }, drag: { setScale: false }, y: false },
    scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(1, (max ?? 0) * 1.1)] } },
    axes: [
      { ...axis, values: '{HH}:{mm}', space: 70, size: 30 },
      { ...axis, size: 44 },
    ],
    series: [
      {},
      ...series.map(({ name, colour: n }) => ({
        label: name,
        stroke: colour(`--curve${n}`),
        width: 1.5,
        points: { show: false },
        spanGaps: true,
      })),
    ],
  }
}
