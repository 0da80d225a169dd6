// The config as a page of the user guide, in English or Chinese.

import { acceptsInChinese } from './accepts-zh.ts'
import { environmentName } from './env.ts'
import { SHAPE, type Shape } from './shape.ts'
import { written } from './template.ts'

export type Language = 'en' | 'zh'

const TEXT = {
  en: {
    head: `# Configuration

English | [简体中文](configuration.zh-CN.md)

perpetua reads \`config/config.yml\` in the working directory, or the file given with \`--config\`. Every key may be left
out. Most changes take effect as soon as the file is saved. An environment variable overrides a key: \`${environmentName(['http', 'port'])}\`
is \`http.port\`; a list may be given as YAML, \`[a, b]\`.`,
    columns: ['key', 'default', 'accepts', 'meaning'],
    entry: 'each entry',
    none: 'none',
    list: 'a list',
    map: 'keys and values',
    any: '<name>',
    as: (key: string) => `as \`clients[].${key}\``,
  },
  zh: {
    head: `# 配置

[English](configuration.md) | 简体中文

perpetua 读取工作目录下的 \`config/config.yml\`，或用 \`--config\` 指定的文件。所有键均可省略，大多数修改在保存后立即生效。
环境变量可以覆盖配置：\`${environmentName(['http', 'port'])}\` 即 \`http.port\`；列表可以写成 YAML，如 \`[a, b]\`。`,
    columns: ['键', '默认值', '可用的值', '说明'],
    entry: '每一项',
    none: '无',
    list: '列表',
    map: '键和值',
    any: '<名称>',
    as: (key: string) => `同 \`clients[].${key}\``,
  },
} as const

export function reference(language: Language): string {
  const sections = Object.entries(SHAPE.keys).map(([key, shape]) => {
    const meaning = shape[language] === undefined ? [] : [`${shape[language]}`, '']
    return [`## ${key}`, '', ...(shape.type === 'value' ? [] : meaning), ...table(rows(key, shape, language), language)]
  })
  return `${[TEXT[language].head, ...sections.map((lines) => lines.join('\n'))].join('\n\n')}\n`
}

function table(rows: string[][], language: Language): string[] {
  const columns = TEXT[language].columns
  return [columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`)
}

// A bar would end the cell.
const cell = (text: string) => text.replaceAll('|', '\\|')

function rows(path: string, shape: Shape, language: Language): string[][] {
  switch (shape.type) {
    case 'section':
      return Object.entries(shape.keys).flatMap(([key, child]) =>
        child.setting && path !== EXPLAINED ? [same(path, key, language)] : rows(`${path}.${key}`, child, language),
      )
    case 'list':
      if (shape.item.type === 'section') return rows(`${path}[]`, shape.item, language)
      return [row(path, shape, TEXT[language].list, language)]
    case 'map':
      if (shape.item.type === 'section') return rows(`${path}.${TEXT[language].any}`, shape.item, language)
      return [row(path, shape, TEXT[language].map, language)]
    case 'value':
      return [row(path, shape, language === 'en' ? shape.wanted : acceptsInChinese(shape.wanted), language)]
    default:
      return shape satisfies never
  }
}

/** Where the settings that several sections take are explained. */
const EXPLAINED = 'clients[]'

const same = (path: string, key: string, language: Language) => [
  `\`${path}.${key}\``,
  TEXT[language].none,
  TEXT[language].as(key),
  '',
]

function row(path: string, shape: Shape, accepted: string, language: Language): string[] {
  const fallback = shape.fallback === undefined ? TEXT[language].none : `\`${written(shape.fallback)}\``
  return [`\`${path}\``, fallback, accepted, shape[language] ?? '']
}
