// Numbers, sizes, times and durations as people read them, in the language of the page.

import { language } from './words.ts'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

export function bytes(count: number): string {
  let value = count
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** `3 d 4 h`, `2 min 5 s`: the two largest units. */
export function duration(seconds: number): string {
  const [d, h, m, s] = language() === 'zh' ? ['天', '小时', '分', '秒'] : ['d', 'h', 'min', 's']
  const whole = Math.max(0, Math.floor(seconds))
  const parts: [number, string | undefined][] = [
    [Math.floor(whole / 86_400), d],
    [Math.floor(whole / 3_600) % 24, h],
    [Math.floor(whole / 60) % 60, m],
    [whole % 60, s],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  const shown = parts.slice(first === -1 ? 3 : first).slice(0, 2)
  return shown
    .filter(([count], at) => count > 0 || at === 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString(language() === 'zh' ? 'zh-CN' : 'en', { maximumFractionDigits: digits })
}

export const rate = (value: number): string => number(value, value < 10 ? 1 : 0)

/** @param ms since 1970. */
export const clock = (ms: number): string => new Date(ms).toLocaleTimeString('sv')

export const pretty = (value: unknown): string => JSON.stringify(value, null, 2) ?? ''
