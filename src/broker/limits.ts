// The bounds the core keeps, each with its reason; bytes count as JavaScript characters of the frames.

export const LIMITS = {
  /** A socket with more than this unread reads from the journal instead of its lane. */
  highWater: 1024 * 1024,
  /** Beyond this a frame is sent link by link: a publish would copy it into every socket at once. */
  bigFrame: 256 * 1024,
  /** Big frames on their way to sockets, all bots together. */
  bigFramesInFlight: 64 * 1024 * 1024,
  /** A holder of that room whose socket took nothing for this long (ms) gives it back by being closed. */
  roomPatience: 10_000,
  /** A lane looks at its sockets at the latest after publishing this much ... */
  lookAfter: 256 * 1024,
  /** ... and under pressure after this much. */
  lookUnderPressure: 64 * 1024,
  /** Clients of one bot that are away and waited for: names cost nothing, and whoever comes in may make them up. */
  away: 20_000,
  /** Replies a link may leave unread. */
  repliesUnread: 16 * 1024 * 1024,
  /** Calls in flight per caller: by count, and by the bytes of their frames. */
  callsOpen: 4096,
  callBytesOpen: 128 * 1024 * 1024,
  /** Characters of one caller's calls that wait to be sent: these are texts that we keep, and nobody has taken yet. */
  waitingBytes: 64 * 1024 * 1024,
  /** All that waits for a bot: half an hour of an ordinary crowd's calls, or a few hundred pictures. */
  waitingInAll: 131_072,
  waitingBytesInAll: 256 * 1024 * 1024,
  /** Calls that leave in one turn of the loop: some milliseconds of work, so that events are not held up by a backlog. */
  sentAtOnce: 512,
  /** Replies to reads that are kept for the next one, and their characters. */
  repliesKept: 1024,
  replyBytesKept: 16 * 1024 * 1024,
  /** A read with longer params shares nothing: to compare them costs more than it saves. */
  sharedParams: 4096,
  /** Longer params are forgotten once their call was sent: a policy is told how it ended without them. */
  paramsKept: 16 * 1024,
  /** Calls of a bot that failed, kept for its operator, the characters of their frames, and of one frame; ... */
  failedCalls: 200,
  failedCharacters: 1024 * 1024,
  failedFrame: 16 * 1024,
  /** ... and of all such frames in flight that may yet fail: a crowd that gets no answers must not fill our memory. */
  failedInFlight: 16 * 1024 * 1024,
  /** Events that are remembered for their twins from another implementation, each for a minute at most ... */
  twinsKnown: 32_768,
  /** ... and characters of those among them that wait for one. */
  twinsHeld: 16 * 1024 * 1024,
  /** Heartbeats go out at least this often (ms), whatever the implementation does: some clients leave after 30 s of silence. */
  slowestHeartbeat: 20_000,
  /** A broken implementation could ask for a beat per millisecond. */
  fastestHeartbeat: 200,
} as const
