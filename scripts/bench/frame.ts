// What the bench sends, and how it finds its way in it again: events of one length with the time in them.

/** Milliseconds since 1970 with fractions, alike in all processes of a machine. */
export const clock = () => performance.timeOrigin + performance.now()

/** Keeps the number at one length. */
const SIXTEEN_DIGITS = 1e15

/** A group message as QQ has them: mostly Chinese, 0.4 KB. Its `message_id` is the microsecond it was sent at. */
export function event(sent = clock()): string {
  return `${HEAD}${stamp(sent)}${TAIL}`
}

/** Bytes of every event; nothing else that a client receives is so long. */
export const eventBytes = () => Buffer.byteLength(event())

/** Where the time stands in it. */
export const stampAt = () => HEAD.length

// A number holds no more than 53 bits: of the time since 1970, the part below 10^12 ms.
const stamp = (ms: number) => String(SIXTEEN_DIGITS + Math.round((ms % WRAP) * 1000))
const WRAP = 1e12

/** Milliseconds since the event was sent, its stamp starting at `at`; undefined when the chunk ends before. */
export function age(bytes: Uint8Array, at: number, now: number): number | undefined {
  if (at + 16 > bytes.length) return undefined
  let value = 0
  for (let index = at; index < at + 16; index++) value = value * 10 + ((bytes[index] ?? 48) - 48)
  return (now % WRAP) - (value - SIXTEEN_DIGITS) / 1000
}

const HEAD =
  '{"time":1753000000,"self_id":10001,"post_type":"message","message_type":"group","sub_type":"normal","message_id":'
const TAIL =
  ',"group_id":123456789,"user_id":2854196310,"anonymous":null,"message":[{"type":"text","data":{"text":"今天晚上八点开会，大家记得准时参加"}}],"raw_message":"今天晚上八点开会，大家记得准时参加","font":0,"sender":{"user_id":2854196310,"nickname":"小明","card":"","sex":"unknown","age":0,"area":"","level":"1","role":"member","title":""}}'
