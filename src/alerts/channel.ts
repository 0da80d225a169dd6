// The ways to people: a web hook, Bark, ServerChan, Telegram, mail; one try each.

import type { AlertTarget } from '../config/schema.ts'
import { maskText } from '../lib/mask.ts'
import { postJson } from '../lib/post-json.ts'
import { fieldsOf, own } from '../onebot/object.ts'
import type { Message } from './incident.ts'

const TIMEOUT = 15_000

/** Resolves with why it was not taken; undefined: it was. Never rejects. */
export async function deliver(target: AlertTarget, message: Message, signal: AbortSignal): Promise<string | undefined> {
  if (target.kind === 'email') return mail(target, message)
  const { url, body, secret } = request(target, message)
  const posted = await postJson({ url, body: JSON.stringify(body), secret, timeout: TIMEOUT, signal })
  if (posted.kind === 'failed') return hidden(posted.reason, target)
  if (posted.status >= 300) return hidden(`HTTP ${posted.status}${said(posted.text)}`, target)
  const refused = refusedInside(posted.text)
  return refused && hidden(refused, target)
}

/** What it is called in logs. */
export const targetName = ({ name, kind }: AlertTarget): string => name || kind

interface Request {
  readonly url: string
  readonly body: object
  readonly secret: string
}

function request(target: AlertTarget, message: Message): Request {
  const { url, key, chat, secret } = target
  const { title, text } = message
  switch (target.kind) {
    case 'bark':
      return {
        url: at(url || 'https://api.day.app', 'push'),
        body: {
          device_key: key,
          title,
          body: text,
          group: 'perpetua',
          level: message.state === 'open' ? 'timeSensitive' : 'active',
        },
        secret: '',
      }
    case 'serverchan':
      return { url: at(url || serverChan(key), `${key}.send`), body: { title, desp: text }, secret: '' }
    case 'telegram':
      return {
        url: at(url || 'https://api.telegram.org', `bot${key}/sendMessage`),
        body: { chat_id: chat, text: `${title}\n${text}`, disable_web_page_preview: true },
        secret: '',
      }
    default:
      return { url, body: { ...message, source: 'perpetua' }, secret }
  }
}

/** Keys of its third edition tell their server. */
function serverChan(key: string): string {
  const server = /^sctp(\d+)t/i.exec(key)?.[1]
  return server === undefined ? 'https://sctapi.ftqq.com' : `https://${server}.push.ft07.com/send`
}

const at = (base: string, path: string) => `${base.replace(/\/+$/, '')}/${path}`

/** Some answer 200 to what they do not take: ServerChan and Bark have a code, Telegram says ok. */
function refusedInside(answer: string | undefined): string | undefined {
  const fields = fieldsOf(answer ?? '')
  const code = own(fields, 'code')
  const refused = (typeof code === 'number' && code !== 0 && code !== 200) || own(fields, 'ok') === false
  return refused ? `refused${said(answer)}` : undefined
}

const said = (answer: string | undefined) => (answer ? `: ${answer.slice(0, 200)}` : '')

/** Errors may quote the address, of which the key is a part. */
function hidden(reason: string, { key }: AlertTarget): string {
  const masked = maskText(reason)
  return key === '' ? masked : masked.replaceAll(key, '***')
}

async function mail({ url, from, to }: AlertTarget, { title, text }: Message): Promise<string | undefined> {
  try {
    // Loaded by whoever has mail to send.
    const { createTransport } = await import('nodemailer')
    const limits = { connectionTimeout: TIMEOUT, greetingTimeout: TIMEOUT, socketTimeout: TIMEOUT }
    const transport = createTransport({ url, ...limits })
    await transport.sendMail({ from, to, subject: title, text })
    return undefined
  } catch (error) {
    return maskText(error instanceof Error ? error.message : String(error))
  }
}
