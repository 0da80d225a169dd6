// Satori's resources as they stand on the wire: names in snake case, ids as text, times in milliseconds.

export interface User {
  readonly id: string
  readonly name?: string | undefined
  readonly nick?: string | undefined
  readonly avatar?: string | undefined
}

export interface Channel {
  readonly id: string
  /** 0: a group's. 1: with one person. */
  readonly type: 0 | 1
  readonly name?: string | undefined
}

export interface Guild {
  readonly id: string
  readonly name?: string | undefined
  readonly avatar?: string | undefined
}

export interface Role {
  readonly id: string
  readonly name?: string | undefined
}

export interface Member {
  readonly user: User
  readonly name?: string | undefined
  readonly nick?: string | undefined
  readonly avatar?: string | undefined
  readonly title?: string | undefined
  readonly joined_at?: number | undefined
  readonly roles?: readonly Role[] | undefined
}

export interface Message {
  readonly id: string
  readonly content: string
  readonly timestamp?: number | undefined
  readonly created_at?: number | undefined
}

/** A message with all that is told along with it. */
export interface Context {
  readonly channel?: Channel | undefined
  readonly guild?: Guild | undefined
  readonly user?: User | undefined
  readonly member?: Member | undefined
}

export interface Emoji {
  readonly id: string
}

/** 0 offline, 1 online, 4 away and being dialled again; 2 and 3 do not occur. */
export type Status = 0 | 1 | 4

/** Whose an event is. How the account fares is no matter of the event, which may be an old one. */
export interface Owner {
  readonly sn: number
  readonly platform: string
  readonly user: User
}

export interface Login extends Owner {
  readonly adapter: string
  /** For older clients. */
  readonly self_id: string
  readonly status: Status
  /** What it can do: Satori's methods. */
  readonly features: readonly string[]
}

/** What an event says beside its number, its time and whose it is. */
export interface Told extends Context {
  readonly type: string
  readonly message?: Message | undefined
  readonly operator?: User | undefined
  readonly emoji?: Emoji | undefined
}
