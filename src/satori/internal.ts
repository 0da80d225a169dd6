// What lies below /v1/internal and /v1/proxy: OneBot's actions as they are, and the files behind links of ours.

import type { Context } from 'hono'
import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { locate } from '../onebot/json-text.ts'
import { isObject, own, parse } from '../onebot/object.ts'
import { httpStatus } from '../onebot/retcode.ts'
import type { HostEnv } from '../runtime/host.ts'
import { bodyText, fileAnswer, jsonAnswer, READING, refuseMethod } from './answer.ts'
import { type Asker, type Calls, retryAfter, SatoriError } from './call.ts'
import { PLATFORM } from './qq.ts'
import type { Uploads } from './uploads.ts'

/** Whom a request means, and in whose name it is made. */
export interface Meant {
  readonly bot: () => Bot
  readonly asker: (bot: Bot) => Asker
}

/** Names the protocol whose actions these are. */
const ONEBOT = 'onebot11'

export class Internal {
  readonly #bots: Bots
  readonly #calls: Calls
  readonly #uploads: Uploads

  constructor(bots: Bots, calls: Calls, uploads: Uploads) {
    this.#bots = bots
    this.#calls = calls
    this.#uploads = uploads
  }

  /** @param url what is to be fetched through us. */
  proxy(method: string, url: string): Response {
    if (!READING.has(method)) return refuseMethod(method, 'GET, HEAD')
    if (!URL.canParse(url))
      throw new SatoriError(400, `url: found ${JSON.stringify(url.slice(0, 100))}, want an address`)
    if (url.startsWith('internal:')) return this.#link(url.slice('internal:'.length))
    throw new SatoriError(403, 'url: only internal: links are served; proxy_urls is empty')
  }

  async handle(c: Context<HostEnv>, path: string, meant: Meant): Promise<Response> {
    const [first = '', second = '', third = '', ...rest] = path.split('/')
    if (first === PLATFORM && third === '_api') return this.#native(c, second, rest.join('/'), meant)
    if (first === PLATFORM && third !== '')
      return READING.has(c.req.method) ? this.#link(path) : refuseMethod(c.req.method, 'GET, HEAD')
    const action = first === ONEBOT && third === '' ? second : second === '' ? first : ''
    if (!/^[\w.]+$/.test(action)) throw new SatoriError(404, `there is nothing at internal/${path}`)
    if (c.req.method !== 'POST') return refuseMethod(c.req.method)
    const text = await paramsText(c)
    const bot = meant.bot()
    return passed(await this.#calls.raw(bot, meant.asker(bot), action, text))
  }

  /** A file of ours, whichever account it was given for. */
  #link(path: string): Response {
    const [platform, account, ...rest] = path.split('/')
    if (!platform || !account || rest.length === 0)
      throw new SatoriError(400, `internal:${path}: want internal:PLATFORM/ACCOUNT/PATH`)
    const upload = platform === PLATFORM ? this.#uploads.get(rest.join('/').replace(/\?.*$/s, '')) : undefined
    if (upload === undefined)
      throw new SatoriError(404, `internal:${path} leads nowhere: uploads are kept for ten minutes`)
    return fileAnswer(upload)
  }

  /** Koishi's `bot.internal.getGroupInfo({ group_id })`: the arguments as an array, the data alone as the answer. */
  async #native(c: Context<HostEnv>, selfId: string, method: string, { asker }: Meant): Promise<Response> {
    if (c.req.method !== 'POST') return refuseMethod(c.req.method)
    const bot = this.#bots.choose(selfId)
    if (bot === undefined) throw new SatoriError(403, `no login ${PLATFORM} ${selfId} here`)
    const action = method.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    if (!/^[\w.]+$/.test(action)) throw new SatoriError(404, `there is no action ${action}`)
    const text = await bodyText(c)
    const args = text === undefined || text === '' ? [] : parse(text)
    const [params = {}]: unknown[] = Array.isArray(args) ? args : [undefined]
    if (!Array.isArray(args) || !isObject(params))
      throw new SatoriError(400, 'body: found something else, want [{ params of the action }]')
    const reply = await this.#calls.raw(bot, asker(bot), action, firstIn(text ?? ''))
    const parsed = parse(reply)
    if (!isObject(parsed) || own(parsed, 'status') === 'failed') return passed(reply, 500)
    const data = locate(reply, ['data'])
    return jsonAnswer(data === undefined ? 'null' : reply.slice(data.start, data.end))
  }
}

/** The text of a JSON object: its ids stay as they were written. */
async function paramsText(c: Context<HostEnv>): Promise<string> {
  const text = await bodyText(c)
  if (text === '') return '{}'
  if (text === undefined || !isObject(parse(text)))
    throw new SatoriError(400, 'body: found something else, want a JSON object')
  return text
}

/** The text of the first argument in an array's. */
function firstIn(array: string): string {
  const inner = array.slice(1, -1).trim()
  if (inner === '') return '{}'
  // As the value of a key it is found by who knows JSON.
  const object = `{"params":${inner}}`
  const span = locate(object, ['params'])
  return span === undefined ? '{}' : object.slice(span.start, span.end)
}

/** Replies that refuse are short: longer ones are not parsed for their retcode. */
const LONGEST_REFUSAL = 64 * 1024

/** OneBot's reply as it came. @param failure the status of a failed one, where OneBot has none. */
function passed(reply: string, failure = 200): Response {
  const parsed = reply.length > LONGEST_REFUSAL ? undefined : parse(reply)
  const retcode = isObject(parsed) ? own(parsed, 'retcode') : undefined
  const status = typeof retcode === 'number' ? httpStatus(retcode) : 200
  const after = isObject(parsed) ? retryAfter(parsed) : undefined
  return jsonAnswer(reply, status === 200 ? failure : status, after)
}
