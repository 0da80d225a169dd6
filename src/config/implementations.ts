// Which implementations a config asks for: the one of ntqq-impl first, then those of upstreams.

export interface Implementation {
  /** `ntqq-impl` for the first; '' for others that have no name. */
  name: string
  /** forward: we dial `url` | reverse: it dials us | milky: it speaks Milky at `url` | embedded: we run it */
  kind: 'forward' | 'reverse' | 'milky' | 'embedded'
  url: string
  /** For milky: how its events come. */
  events: 'websocket' | 'sse' | 'webhook'
  'access-token': string
  /** '' when it may be any. */
  'self-id': string
  ca: string
  insecure: boolean
  /** Reads may go to it while another of the same account is active. */
  spread: boolean
}

/** The part of the config that says so; spelled out, since the schema's own rules need it before Config is known. */
export interface Declaring {
  'ntqq-impl': {
    'external-web-socket': string
    'external-access-token': string
    mode: 'auto' | 'external' | 'reverse' | 'milky' | 'embedded'
    milky: { url: string; events: Implementation['events'] }
  }
  upstreams: Implementation[]
}

export function implementations(config: Declaring): Implementation[] {
  const own = config['ntqq-impl']
  const kind = kindOf(config)
  if (kind === undefined) return config.upstreams
  const first = {
    name: 'ntqq-impl',
    kind,
    url: kind === 'forward' ? own['external-web-socket'] : kind === 'milky' ? own.milky.url : '',
    events: own.milky.events,
    'access-token': own['external-access-token'],
    'self-id': '',
    ca: '',
    insecure: false,
    spread: false,
  }
  return [first, ...config.upstreams]
}

/** Undefined: ntqq-impl stands for nothing, since only upstreams are meant. */
function kindOf({ 'ntqq-impl': own, upstreams }: Declaring): Implementation['kind'] | undefined {
  switch (own.mode) {
    case 'external':
      return 'forward'
    case 'reverse':
    case 'milky':
    case 'embedded':
      return own.mode
    case 'auto':
      if (own['external-web-socket'] !== '') return 'forward'
      return upstreams.length === 0 ? 'embedded' : undefined
    default:
      return own.mode satisfies never
  }
}

/** The implementations of one account: the first that is well is active, the others stand by. */
export interface Account {
  /** '' when it may be any; then there is one entry. */
  readonly selfId: string
  readonly entries: readonly [Implementation, ...Implementation[]]
}

interface Embedding extends Declaring {
  'ntqq-impl': Declaring['ntqq-impl'] & { account: string }
}

/** Entries with the same account are one bot, in the order of the config; others are a bot each. */
export function accounts(config: Embedding): Account[] {
  const found: { selfId: string; entries: [Implementation, ...Implementation[]] }[] = []
  for (const entry of implementations(config)) {
    // It logs in as the account that it is told to.
    const selfId = entry.kind === 'embedded' ? config['ntqq-impl'].account : entry['self-id']
    const known = selfId === '' ? undefined : found.find((account) => account.selfId === selfId)
    if (known === undefined) found.push({ selfId, entries: [entry] })
    else known.entries.push(entry)
  }
  return found
}
