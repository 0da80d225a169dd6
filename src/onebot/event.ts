// Writes the events that are ours: lifecycle and heartbeat for each link, who is there, what clients tell each other.

import { assign, locate, without } from './json-text.ts'

/** How clients see each other. */
export interface Client {
  readonly app_id: string
  readonly client_name?: string
  readonly transport?: string
  readonly self_id?: number
  /** Seconds since 1970. */
  readonly since?: number
  /** The pool whose events it shares. */
  readonly pool?: string
}

/** What all events say. */
interface Head {
  /** The account's number as JSON text: it may be more than a number of ours can hold. */
  readonly selfId: string
  /** Seconds since 1970; fractions are cut off. */
  readonly time: number
}

/** @param base the implementation's own lifecycle, whose further fields are kept. */
export function lifecycle(selfId: string, time: number, base?: string): string {
  const changes = { time: seconds(time), self_id: selfId, sub_type: '"connect"' }
  if (base !== undefined) return assign(without(base, 'echo'), changes)
  return `${head({ selfId, time })},"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"connect"}`
}

/**
 * @param base the implementation's latest heartbeat: all it says is kept, but for the time and, unless `online`, its
 * status. @param interval in milliseconds, for when there is no base.
 */
export function heartbeat(
  base: string | undefined,
  { selfId, time, online, interval }: Head & { readonly online: boolean; readonly interval: number },
): string {
  if (base === undefined) {
    const status = `{"online":${online},"good":${online}}`
    return `${head({ selfId, time })},"post_type":"meta_event","meta_event_type":"heartbeat","status":${status},"interval":${interval}}`
  }
  const changes = { time: seconds(time) }
  return assign(without(base, 'echo'), online ? changes : { ...changes, status: offline(base) })
}

export function clientStatus(
  event: Head & { readonly client: Client; readonly online: boolean; readonly selfClient: boolean },
): string {
  return `${head(event)},"post_type":"notice","notice_type":"client_status","client":${JSON.stringify(event.client)},"online":${event.online},"self_client":${event.selfClient}}`
}

/**
 * Tells a client that may come back how it stands. `secret`: with its name it opens the way back; told once.
 * `missed`: events since its last confirmed one; `lost`: those of them that nobody keeps any more.
 */
export function resume(
  event: Head & {
    readonly recovered: boolean
    readonly missed: number
    readonly lost: number
    readonly from: number
    readonly to: number
    readonly secret?: string | undefined
  },
): string {
  const { recovered, missed, lost, from, to } = event
  const secret = event.secret === undefined ? '' : `,"secret":${JSON.stringify(event.secret)}`
  return `${head(event)},"post_type":"meta_event","meta_event_type":"resume","recovered":${recovered},"missed":${missed},"lost":${lost},"from":${from},"to":${to}${secret}}`
}

/** What one client says to others; `uuid` names it in their answers. */
type Word = Head & { readonly client: Client; readonly uuid: string; readonly data: string }

export const broadcast = (word: Word): string => distributed('broadcast', word)

/** `client` is who answers, `uuid` the broadcast's. */
export const broadcastCallback = (word: Word): string => distributed('broadcast_callback', word)

const distributed = (type: string, word: Word): string =>
  `${head(word)},"post_type":"distributed","distributed_type":"${type}","client":${JSON.stringify(word.client)},"uuid":${JSON.stringify(word.uuid)},"data":${JSON.stringify(word.data)}}`

const head = ({ selfId, time }: Head) => `{"time":${seconds(time)},"self_id":${selfId}`

const seconds = (time: number) => String(Math.trunc(time))

/** The status of a heartbeat, saying that the account is away. */
function offline(base: string): string {
  const span = locate(base, ['status'])
  const status = span === undefined ? '' : base.slice(span.start, span.end)
  return assign(status.startsWith('{') ? status : '{}', { online: 'false', good: 'false' })
}
