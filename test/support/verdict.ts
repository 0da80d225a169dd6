// What everybody has noted in the story of the mortals, and what is wrong with it.

/** A numbered event: the link of the implementation that it came by, and its number there. */
export interface Heard {
  text: string
  life: number
  count: number
}

export interface Notes {
  name: string
  events: Heard[]
  /** Notes that are no events, each with how many events stand before it. */
  marks: { at: number; what: string; rest: string }[]
  /** Calls on the link of the end that have no reply yet. */
  open: Set<string>
  /** Calls, with their replies. */
  replies: Map<string, string[]>
  /** Durable calls that were accepted, and their ids. */
  durable: Map<string, string>
}

export interface Told {
  clients: Notes[]
  hook: Notes
  /** What the implementation carried out, by the echo that asked for it. */
  did: string[]
  /** Links of the implementation by which it told events. */
  links: Set<number>
  /** How long (ms) the gateway was there while everybody spoke. */
  up: number
  /** Ids of durable calls whose outcome is unknown, by the gateway's log. */
  unknown: string[]
}

export interface Verdict {
  events: number
  /** Events, and calls, a second while the gateway was there. */
  rate: number
  callRate: number
  /** Heard once more; by kind of client. */
  again: Record<string, number>
  calls: number
  durable: number
  unknown: number
  /** Each a sentence; none: all is well. */
  wrong: string[]
}

/** The gateway's crash may cost so many events that were not on disk yet. */
const UNWRITTEN = 512
/** Positions are on disk within two rounds of asking for them: what the third last one confirmed is not sent again. */
const CONFIRMATIONS = 3
/** The same for a web hook, which is never asked (ms). */
const NOTED = 3_000
/** As many posts as are wanted in that time: a machine that does other things takes longer for both. */
const POSTED = 6_000

const heardOf = (text: string): Heard => {
  const [life = 0, count = 0] = text.split('.').map(Number)
  return { text, life, count }
}
const isAfter = (one: Heard, other: Heard) =>
  one.life > other.life || (one.life === other.life && one.count > other.count)

export function notesOf(name: string, text: string): Notes {
  const notes: Notes = { name, events: [], marks: [], open: new Set(), replies: new Map(), durable: new Map() }
  // The last line may be half a line.
  for (const line of text.split('\n').slice(0, -1)) {
    const [what = '', rest = ''] = split(line)
    if (what === 'event') notes.events.push(heardOf(rest))
    else if (what === 'asked') {
      notes.open.add(rest)
      notes.replies.set(rest, [])
    } else if (what === 'reply') reply(notes, rest)
    else {
      // Calls end with their link.
      if (what === 'open' || what === 'born') notes.open.clear()
      notes.marks.push({ at: notes.events.length, what, rest })
    }
  }
  return notes
}

function reply(notes: Notes, text: string): void {
  const [echo = '', retcode = '', id = ''] = text.split(' ')
  notes.open.delete(echo)
  notes.replies.get(echo)?.push(retcode)
  if (id !== '') notes.durable.set(echo, id)
}

function split(line: string): [string, string] {
  const at = line.indexOf(' ')
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
}

export function judge({ clients, hook, did, links, unknown, up }: Told): Verdict {
  const wrong: string[] = []
  const everybody = [...clients, hook]
  const most = new Map<number, number>()
  for (const { events } of everybody)
    for (const { life, count } of events) most.set(life, Math.max(most.get(life) ?? 0, count))
  const again: Record<string, number> = {}
  for (const notes of everybody) {
    const { news, repeated } = firstTimes(notes)
    again[notes.name] = repeated.length
    wrong.push(...unordered(notes.name, news), ...lost(notes.name, news, { most, links }))
    wrong.push(...(notes === hook ? postedTwice(notes, repeated) : heardTwice(notes, repeated)))
    wrong.push(...badReplies(notes))
  }
  wrong.push(...badWrites(clients, did, new Set(unknown)))
  const total = (of: (notes: Notes) => number) => clients.reduce((sum, notes) => sum + of(notes), 0)
  const events = [...most.values()].reduce((sum, count) => sum + count, 0)
  const calls = total(({ replies }) => replies.size)
  return {
    events,
    calls,
    rate: Math.round((events * 1_000) / up),
    callRate: Math.round((calls * 1_000) / up),
    again,
    durable: total(({ durable }) => durable.size),
    unknown: unknown.length,
    wrong,
  }
}

/** Events that were heard for the first time, and where in the notes others stand. */
function firstTimes({ events }: Notes): { news: Heard[]; repeated: number[] } {
  const known = new Set<string>()
  const news: Heard[] = []
  const repeated: number[] = []
  events.forEach((event, index) => {
    if (known.has(event.text)) repeated.push(index)
    else news.push(event)
    known.add(event.text)
  })
  return { news, repeated }
}

function unordered(name: string, news: Heard[]): string[] {
  return news.flatMap((event, index) => {
    const before = news[index - 1]
    return before === undefined || isAfter(event, before) ? [] : [`${name}: ${event.text} came after ${before.text}`]
  })
}

/** Nothing may be missing but the end of a life that the gateway did not survive: so much of it was not on disk. */
function lost(
  name: string,
  news: Heard[],
  { most, links }: { most: Map<number, number>; links: Set<number> },
): string[] {
  const found = Map.groupBy(news, ({ life }) => life)
  return [...most].flatMap(([life, count]) => {
    const mine = found.get(life) ?? []
    const holes = mine.filter((event, index) => event.count !== index + 1)
    if (holes.length > 0) return [`${name}: of life ${life} something is missing before ${holes[0]?.text}`]
    const missing = count - mine.length
    // Lives of one process that follow each other: the gateway went. Else the implementation did, and all got the same.
    const may = links.has(life + 1) ? UNWRITTEN : 0
    return missing > may ? [`${name}: the last ${missing} of life ${life} are missing`] : []
  })
}

/** Those that the gateway has surely heard of: on one link it asks again only once it was answered. */
export function confirmations(marks: Notes['marks']): Notes['marks'] {
  const steps = marks.filter(({ what }) => what === 'confirmed' || what === 'open')
  return steps.filter(
    ({ what, rest }, at) => what === 'confirmed' && rest !== 'nothing' && steps[at + 1]?.what === 'confirmed',
  )
}

function heardTwice({ name, events, marks }: Notes, repeated: number[]): string[] {
  const confirmed = confirmations(marks)
  if (confirmed.length <= CONFIRMATIONS) return [`${name}: it confirmed only ${confirmed.length} times`]
  const wrong: string[] = []
  for (const index of repeated) {
    const event = events[index]
    const until = confirmed.findLastIndex(({ at }) => at <= index)
    const floor = confirmed[until + 1 - CONFIRMATIONS]?.rest
    if (event !== undefined && floor !== undefined && !isAfter(event, heardOf(floor)))
      wrong.push(`${name}: ${event.text} came again after ${floor} had been confirmed`)
  }
  return wrong.slice(0, 3)
}

/** Only after the gateway's death, and no further back than what was posted a moment before. */
function postedTwice({ name, events, marks }: Notes, repeated: number[]): string[] {
  const deaths = marks.filter(({ what }) => what === 'killed')
  const times = marks.filter(({ what }) => what === 'at').map(({ rest }) => Number(rest))
  const before = lastTimes(events)
  const wrong = repeated.filter((index) => {
    const last = before[index] ?? -1
    const meant = deaths.filter(({ at }) => last < at && at <= index)
    return !meant.some(({ at, rest }) => Number(rest) - (times[last] ?? 0) <= NOTED || at - last <= POSTED)
  })
  return wrong.slice(0, 3).map((index) => `${name}: ${events[index]?.text} was posted twice without a reason`)
}

/** For each event where the same one stands before it. */
function lastTimes(events: Heard[]): (number | undefined)[] {
  const last = new Map<string, number>()
  return events.map(({ text }, index) => {
    const before = last.get(text)
    last.set(text, index)
    return before
  })
}

function badReplies({ name, open, replies }: Notes): string[] {
  const twice = [...replies].filter(([, codes]) => codes.length > 1).map(([echo]) => `${name}: two replies to ${echo}`)
  return [...twice, ...[...open].map((echo) => `${name}: no reply to ${echo}`)].slice(0, 3)
}

function badWrites(clients: Notes[], did: string[], unknown: Set<string>): string[] {
  const times = new Map<string, number>()
  for (const what of did) times.set(what, (times.get(what) ?? 0) + 1)
  const twice = [...times].filter(([, count]) => count > 1).map(([what]) => `${what} was carried out twice`)
  const never = clients.flatMap(({ durable }) =>
    [...durable]
      .filter(([echo, id]) => !times.has(echo) && !unknown.has(id))
      .map(([echo, id]) => `${echo} (${id}) was accepted, and neither carried out nor named as unknown`),
  )
  return [...twice, ...never].slice(0, 5)
}
