// Who lives in the simulated QQ: friends, groups and their members, the same ones for the same seed.

export type Sex = 'male' | 'female' | 'unknown'
export type Role = 'owner' | 'admin' | 'member'

export interface Person {
  readonly user_id: number
  readonly nickname: string
  readonly sex: Sex
  readonly age: number
  readonly area: string
}

export interface Friend extends Person {
  remark: string
}

export interface Member extends Person {
  card: string
  role: Role
  title: string
  /** A number in words, as OneBot has it. */
  readonly level: string
  /** Seconds since 1970, as are the next two. */
  readonly join_time: number
  last_sent_time: number
  /** Until when the member may not speak; 0: it may. */
  shut_up_timestamp: number
}

export interface Group {
  readonly group_id: number
  group_name: string
  readonly max_member_count: number
  readonly members: Map<number, Member>
  /** Nobody but owner and admins may speak. */
  muted: boolean
  anonymous: boolean
}

export interface Population {
  readonly self: Person
  readonly friends: Map<number, Friend>
  readonly groups: Map<number, Group>
}

/** Numbers in [0, 1), the same ones for the same seed. */
export type Chance = () => number

/** The generator known as mulberry32: small, and good enough for names and ages. */
export function chance(seed: number): Chance {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The account is owner of the first group, admin in the second, and a plain member of the third. */
export function populate(selfId: number, random: Chance, now: number): Population {
  const self: Person = { user_id: selfId, nickname: '小佩', sex: 'unknown', age: 3, area: '' }
  const others = NAMES.map((name, index) => person(FIRST_FRIEND - index * 7_654_321, name, random))
  const friends = others.slice(0, FRIENDS).map((one, index): Friend => ({ ...one, remark: REMARKS[index] ?? '' }))
  const groups = GROUPS.map(({ id, name, role }, index): Group => {
    const join = (one: Person, part: Role) => member(one, part, now - Math.floor(random() * 1e8))
    const members = [join(self, role)]
    // Each group has half of the friends, and strangers of its own.
    for (const [place, one] of others.entries())
      if (place < FRIENDS ? place % 2 === index % 2 : place % GROUPS.length === index) members.push(join(one, 'member'))
    promote(members, role)
    return {
      group_id: id,
      group_name: name,
      max_member_count: 200,
      members: byId(members),
      muted: false,
      anonymous: true,
    }
  })
  return { self, friends: byId(friends), groups: new Map(groups.map((group) => [group.group_id, group])) }
}

export function person(user_id: number, nickname: string, random: Chance): Person {
  const age = 16 + Math.floor(random() * 30)
  return { user_id, nickname, sex: random() < 0.5 ? 'female' : 'male', age, area: '' }
}

export function member(one: Person, role: Role, join_time: number): Member {
  const { user_id, nickname, sex, age, area } = one
  const fresh = { card: '', role, title: '', level: '1', join_time, last_sent_time: join_time, shut_up_timestamp: 0 }
  return { user_id, nickname, sex, age, area, ...fresh }
}

/** Every group has an owner and an admin, whatever part the account plays. */
function promote([, first, second]: Member[], own: Role): void {
  if (first) first.role = own === 'owner' ? 'admin' : 'owner'
  if (second && own === 'member') second.role = 'admin'
}

const byId = <T extends Person>(people: T[]) => new Map(people.map((one) => [one.user_id, one]))

const FRIENDS = 10
const FIRST_FRIEND = 2_854_196_310
const REMARKS = ['', '老同学', '', '二楼邻居']

const GROUPS: readonly { id: number; name: string; role: Role }[] = [
  { id: 123_456_789, name: '机器人测试群', role: 'owner' },
  { id: 234_567_890, name: '周末爬山小分队', role: 'admin' },
  { id: 987_654_321, name: '摸鱼交流群', role: 'member' },
]

// The first ten are friends.
const NAMES = `小冰 青柠不酸 山有木兮 阿哲 雨落长安 橘子汽水 North 夜航船 小熊软糖 十里桃花
  半糖主义 墨染 风起 Lily 一只咸鱼 云淡风轻 老王 初夏 星河入梦 鹿鸣 大鱼 白日梦想家 柒 不吃香菜`.split(/\s+/)
