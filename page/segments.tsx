// Draws the segments of a message. All of it is somebody else's: text stays text, links are followed by people only.

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { ask } from './api.ts'
import { pretty } from './format.ts'
import { tellError } from './parts.tsx'
import { t } from './words.ts'

export interface Segment {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface Around {
  /** What somebody is called; undefined: not known. */
  readonly nameOf: (id: string) => string | undefined
  /** The words of an earlier message. */
  readonly quoted: (id: string) => string | undefined
}

/** How deep messages may stand in each other before they are shown as code. */
const DEEPEST = 4

export function Segments(props: { segments: readonly Segment[]; around: Around; depth?: number }) {
  const { segments, around, depth = 0 } = props
  return (
    <>
      {segments.map((segment, at) => (
        <One key={at} segment={segment} around={around} depth={depth} />
      ))}
    </>
  )
}

/** One line of it, for quotes and lists. */
export function brief(segments: readonly Segment[]): string {
  return segments
    .map(({ type, data }) => (type === 'text' ? text(data, 'text') : `[${type}]`))
    .join('')
    .slice(0, 120)
}

function One({ segment: { type, data }, around, depth }: { segment: Segment; around: Around; depth: number }) {
  switch (type) {
    case 'text':
      return <span class="said">{text(data, 'text')}</span>
    case 'face':
      return <Chip title={`face ${text(data, 'id')}`}>{FACES[text(data, 'id')] ?? `🙂 ${text(data, 'id')}`}</Chip>
    case 'at':
      return (
        <span class="at">
          @{text(data, 'qq') === 'all' ? t('everybody') : (around.nameOf(text(data, 'qq')) ?? text(data, 'qq'))}
        </span>
      )
    case 'reply':
      return <blockquote>{around.quoted(text(data, 'id')) ?? `#${text(data, 'id')}`}</blockquote>
    case 'image':
    case 'record':
    case 'video':
      return <Media type={type} data={data} />
    case 'forward':
      return <Forward id={text(data, 'id')} around={around} depth={depth} />
    case 'node':
      return <Node data={data} around={around} depth={depth} />
    case 'json':
    case 'xml':
      return <Code title={type}>{type === 'json' ? indented(text(data, 'data')) : text(data, 'data')}</Code>
    case 'dice':
      return <Chip title="dice">🎲 {text(data, 'result')}</Chip>
    case 'rps':
      return <Chip title="rps">✊✋✌ {text(data, 'result')}</Chip>
    case 'shake':
    case 'poke':
      return <Chip title={type}>👋 {text(data, 'name')}</Chip>
    case 'share':
    case 'music':
      return <Card title={text(data, 'title') || type} about={text(data, 'content')} url={text(data, 'url')} />
    default:
      return <Code title={type}>{pretty(data)}</Code>
  }
}

function Media({ type, data }: { type: 'image' | 'record' | 'video'; data: Segment['data'] }) {
  const file = text(data, 'file')
  const inline = inlined(type, file)
  const label = t(`segment-${type}`)
  if (inline === undefined) return <Card title={label} about={shortened(file)} url={text(data, 'url') || file} />
  if (type === 'image') return <img class="picture" src={inline} alt={text(data, 'summary') || label} />
  if (type === 'record') return <audio controls src={inline} aria-label={label} />
  return <video class="picture" controls src={inline} aria-label={label} />
}

/** What begins like this in base64 is of this type; browsers look into it themselves, too. */
const MAGIC: readonly [string, string][] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
]
const DEFAULTS = { image: 'image/png', record: 'audio/mpeg', video: 'video/mp4' } as const

function inlined(type: keyof typeof DEFAULTS, file: string): string | undefined {
  if (!file.startsWith('base64://')) return undefined
  const base64 = file.slice('base64://'.length)
  if (!/^[A-Za-z0-9+/_=\s-]*$/.test(base64)) return undefined
  const known = type === 'image' ? MAGIC.find(([magic]) => base64.startsWith(magic))?.[1] : undefined
  return `data:${known ?? DEFAULTS[type]};base64,${base64}`
}

/** Nothing is fetched from elsewhere by itself: what the bot sends may be anybody's. */
function Card({ title, about, url }: { title: string; about: string; url: string }) {
  const safe = webAddress(url)
  return (
    <span class="chip">
      <b>{title}</b> {about}{' '}
      {safe ? (
        <a href={safe} target="_blank" rel="noopener noreferrer nofollow">
          {t('open-link')} ({new URL(safe).host})
        </a>
      ) : (
        url !== about && shortened(url)
      )}
    </span>
  )
}

/** Only what leads to the web: no script, no file. */
export function webAddress(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { protocol, href } = new URL(url)
  return protocol === 'https:' || protocol === 'http:' ? href : undefined
}

interface ForwardedNode {
  readonly user_id?: number | string
  readonly nickname?: string
  readonly segments: readonly Segment[]
}

function Forward({ id, around, depth }: { id: string; around: Around; depth: number }) {
  const [nodes, setNodes] = useState<readonly ForwardedNode[]>()
  const look = () =>
    ask<{ nodes: ForwardedNode[] }>(`api/sandbox/forward?id=${encodeURIComponent(id)}`).then(
      (found) => setNodes(found.nodes),
      tellError,
    )
  return (
    <div class="forward">
      <b>{t('segment-forward')}</b>{' '}
      {nodes === undefined ? (
        depth < DEEPEST && (
          <button type="button" onClick={() => void look()}>
            {t('show')}
          </button>
        )
      ) : (
        <ol>
          {nodes.map(({ user_id, nickname, segments }, at) => (
            <li key={at}>
              <small>{nickname ?? String(user_id)}</small>{' '}
              <Segments segments={segments} around={around} depth={depth + 1} />
            </li>
          ))}
        </ol>
      )}
    </div>
  )
}

function Node({ data, around, depth }: { data: Segment['data']; around: Around; depth: number }) {
  const { content } = data
  if (!Array.isArray(content) || depth >= DEEPEST) return <Code title="node">{pretty(data)}</Code>
  const inner = content.filter(isSegment)
  return (
    <div class="forward">
      <small>{text(data, 'nickname') || text(data, 'name')}</small>{' '}
      <Segments segments={inner} around={around} depth={depth + 1} />
    </div>
  )
}

function isSegment(value: unknown): value is Segment {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('data' in value)) return false
  return typeof value.type === 'string' && typeof value.data === 'object' && value.data !== null
}

const Chip = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <span class="chip" title={title}>
    {children}
  </span>
)

const Code = ({ title, children }: { title: string; children: string }) => (
  <figure class="code">
    <figcaption>{title}</figcaption>
    <pre>{children.length > 4_000 ? `${children.slice(0, 4_000)}…` : children}</pre>
  </figure>
)

function text(data: Segment['data'], key: string): string {
  const value = Object.hasOwn(data, key) ? data[key] : undefined
  return value === undefined || value === null ? '' : typeof value === 'object' ? pretty(value) : String(value)
}

function indented(json: string): string {
  try {
    return pretty(JSON.parse(json))
  } catch {
    return json
  }
}

const shortened = (long: string) => (long.length > 80 ? `${long.slice(0, 80)}…` : long)

/** The best known of QQ's faces. */
const FACES: Readonly<Record<string, string>> = {
  0: '😮',
  1: '😖',
  2: '😍',
  3: '😳',
  4: '😎',
  5: '😭',
  6: '😊',
  7: '🤐',
  8: '😴',
  9: '😢',
  10: '😅',
  11: '😠',
  12: '😜',
  13: '😁',
  14: '🙂',
  15: '🙁',
  16: '😎',
  18: '😫',
  19: '🤮',
  20: '🤭',
  21: '☺️',
  22: '🙄',
  23: '😤',
  24: '😋',
  25: '🥱',
  26: '😱',
  27: '😓',
  28: '😄',
  29: '🤠',
  30: '💪',
  31: '🤬',
  32: '❓',
  33: '🤫',
  34: '😵',
  36: '😞',
  37: '💀',
  39: '👋',
  49: '🤗',
  53: '🎂',
  59: '💩',
  60: '☕',
  63: '🌹',
  64: '🥀',
  66: '❤️',
  67: '💔',
  74: '☀️',
  75: '🌙',
  76: '👍',
  77: '👎',
  78: '🤝',
  79: '✌️',
  89: '🍉',
  96: '😰',
  97: '😥',
  98: '🤧',
  99: '👏',
  100: '😬',
  101: '😏',
  104: '🥱',
  106: '🥺',
  109: '😚',
  116: '😘',
  118: '🙏',
  120: '✊',
  123: '🚫',
  124: '👌',
  144: '🎉',
  171: '🍵',
  175: '🥺',
  176: '😂',
  178: '🤣',
  179: '🐶',
  182: '😂',
  212: '🤔',
  277: '🐶',
  285: '🐟',
}
