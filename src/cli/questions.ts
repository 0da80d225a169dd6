// Asks the few things a first config cannot guess.

import { createInterface } from 'node:readline'
import { createConsola } from 'consola'
import { implementations } from '../config/implementations.ts'
import { parseConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { isLoopback } from '../config/rules.ts'
import { configOf } from '../config/schema.ts'
import { type Answers, template } from '../config/template.ts'
import { complain, say } from './say.ts'

const EMBEDDED = 'embedded'

// Where each listens unless told otherwise.
const ADDRESSES = [
  { label: 'NapCat', value: 'ws://127.0.0.1:3001' },
  { label: 'LLBot (LLOneBot)', value: 'ws://127.0.0.1:3001/' },
  { label: 'Lagrange.OneBot', value: 'ws://127.0.0.1:8081' },
  { label: 'go-cqhttp', value: 'ws://127.0.0.1:8080/' },
  { label: 'another / 其他', value: implementations(configOf())[0]?.url ?? '' },
  // Last: what it takes to log in with it is hard to come by, see docs/lagrange.md.
  { label: 'none: run Lagrange here / 没有，由 perpetua 运行 Lagrange', value: EMBEDDED },
]

const HOSTS = [
  { label: 'this machine only / 仅本机 (127.0.0.1)', value: '127.0.0.1' },
  { label: 'other machines too / 允许其他机器 (0.0.0.0)', value: '0.0.0.0' },
]

/** The answers, or undefined when the person would rather not (Ctrl-C). */
export async function ask(): Promise<Answers | undefined> {
  const answers: Answers = {}
  // Between two questions the terminal sends Ctrl-C as a signal.
  const cancel = new AbortController()
  const onSignal = () => cancel.abort()
  process.on('SIGINT', onSignal)
  try {
    for (const question of QUESTIONS) if (!(await question(answers, cancel.signal))) return undefined
    return answers
  } finally {
    process.off('SIGINT', onSignal)
  }
}

type Question = (answers: Answers, cancelled: AbortSignal) => Promise<boolean>

const QUESTIONS: Question[] = [
  async (answers, cancelled) => {
    const address = await choose('Which OneBot implementation do you use? / 使用哪个 OneBot 实现？', ADDRESSES)
    if (address === undefined) return false
    if (address === EMBEDDED) return embedded(answers, cancelled)
    const message = 'Its forward WebSocket address / 它的正向 WebSocket 地址'
    const token = 'Its access token, empty for none / 它的 token，没有则留空'
    return (
      (await fill(answers, cancelled, { key: 'ntqq-impl.external-web-socket', message, suggestion: address })) &&
      (await fill(answers, cancelled, { key: 'ntqq-impl.external-access-token', message: token, suggestion: '' }))
    )
  },
  async (answers, cancelled) => {
    const host = await choose('Who may connect to perpetua? / 谁可以连接 perpetua？', HOSTS)
    if (host === undefined) return false
    answers['http.host'] = host
    if (isLoopback(host) || (answers['ntqq-impl.external-access-token'] ?? '') !== '') return true
    const suggestion = Buffer.from(crypto.getRandomValues(new Uint8Array(18))).toString('base64url')
    const message = 'The token that clients must show / 客户端必须使用的 token'
    return fill(answers, cancelled, { key: 'http.access-token', message, suggestion })
  },
  (answers, cancelled) => {
    const message = 'Port for clients / 客户端连接的端口'
    return fill(answers, cancelled, { key: PORT, message, suggestion: String(freePort(answers)) })
  },
]

/** What it needs for its login, as far as it is known. */
async function embedded(answers: Answers, cancelled: AbortSignal): Promise<boolean> {
  answers['ntqq-impl.mode'] = EMBEDDED
  answers['ntqq-impl.external-web-socket'] = ''
  const account = 'The QQ number to log in as, empty for any / 要登录的 QQ 号，可留空'
  const signServer = 'Its sign server, empty if you have none yet / 签名服务器地址，没有则留空'
  return (
    (await fill(answers, cancelled, { key: 'ntqq-impl.account', message: account, suggestion: '' })) &&
    (await fill(answers, cancelled, { key: 'ntqq-impl.sign-server-url', message: signServer, suggestion: '' }))
  )
}

const PORT = 'http.port'

/** A port for clients where the implementation is not: go-cqhttp listens on 8080 itself. */
const freePort = (answers: Answers): number =>
  /:8080(?:\/|$)/.test(String(answers['ntqq-impl.external-web-socket'])) ? 8090 : 8080

interface Blank {
  key: string
  message: string
  /** What Enter alone means. */
  suggestion: string
}

/** Asks until the config accepts the answer. False: cancelled. */
async function fill(answers: Answers, cancelled: AbortSignal, { key, message, suggestion }: Blank): Promise<boolean> {
  for (;;) {
    // A prompt longer than the line would be drawn anew with every key.
    say(message)
    const text = await line(suggestion === '' ? '> ' : `(${suggestion}) > `, cancelled)
    if (text === undefined) return false
    const value = text.trim() || suggestion
    answers[key] = key.endsWith('.port') && /^\d+$/.test(value) ? Number(value) : value
    const wrong = problemsAt(key, { [PORT]: freePort(answers), ...answers })
    if (wrong === '') return true
    complain(wrong)
  }
}

/** One line of text; undefined at Ctrl-C or Ctrl-D. consola's own text prompt loses what is typed under Bun. */
async function line(message: string, cancelled: AbortSignal): Promise<string | undefined> {
  if (cancelled.aborted) return undefined
  const reader = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return await new Promise<string | undefined>((resolve) => {
      const stop = () => resolve(undefined)
      reader.on('close', stop).on('SIGINT', stop)
      cancelled.addEventListener('abort', stop)
      reader.question(message, resolve)
    })
  } finally {
    reader.close()
  }
}

async function choose(message: string, options: { label: string; value: string }[]): Promise<string | undefined> {
  // A prompt longer than the line would leave a piece of itself with every key.
  say(message)
  const keys = '↑ ↓, Enter / 回车'
  const picked: unknown = await createConsola().prompt(keys, { type: 'select', options, cancel: 'symbol' })
  return typeof picked === 'string' ? picked : undefined
}

function problemsAt(key: string, answers: Answers): string {
  try {
    parseConfig(template(answers), { file: '' })
    return ''
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // The port is asked for last: whatever is wrong then is its doing.
    const own = error.problems.filter(({ path }) => path === key || key === PORT)
    return own.map(({ wanted, hint }) => `wanted ${wanted}${hint === undefined ? '' : ` (${hint})`}`).join('\n')
  }
}
