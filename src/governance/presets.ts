// Limits for those who do not want to choose: what keeps an account out of the trouble that QQ makes for robots.

import type { BucketSettings } from './limits.ts'

export type Preset = 'gentle' | 'normal' | 'none'

export interface PresetBucket extends BucketSettings {
  /** What it is for: a class of actions. */
  readonly on: string
}

/**
 * QQ publishes no numbers. What it is known to punish, from a message that is swallowed to a frozen account: messages
 * that come faster than somebody types, many in one group, the same pause each time, and kicks, likes and approvals in
 * series. New accounts, and such as were punished before, are watched more closely.
 */
export const PRESETS: Record<Preset, readonly PresetBucket[]> = {
  // For an account that must last. About as fast as a person who does nothing else.
  gentle: [
    // A second for each message is what an account may keep up; two at once, since an answer is often a text and a picture.
    { on: 'send', per: 'bot', rate: 1, burst: 2, 'min-interval': 500, jitter: 500, 'max-wait': 60_000 },
    // Twenty a minute in one group is a lively talker; no two pauses are alike.
    { on: 'send', per: 'group', rate: 20 / 60, burst: 3, 'min-interval': 1_500, jitter: 1_500, 'max-wait': 60_000 },
    // Between two people a message a second is a chat; more is spam.
    { on: 'send', per: 'user', rate: 30 / 60, burst: 3, 'min-interval': 1_000, jitter: 1_000, 'max-wait': 60_000 },
    // Nobody kicks, bans or approves two people in a second by hand.
    { on: 'manage', per: 'bot', rate: 0.5, burst: 3, 'min-interval': 1_000, jitter: 1_000, 'max-wait': 60_000 },
    // Each upload is a message, too, and costs QQ more.
    { on: 'file', per: 'bot', rate: 0.2, burst: 2, 'min-interval': 2_000, jitter: 2_000, 'max-wait': 120_000 },
    // Most reads are answered by the implementation itself; lists of members and histories are asked of QQ.
    { on: 'read', per: 'bot', rate: 10, burst: 30, 'max-wait': 30_000 },
  ],
  // For an account of good standing in busy groups: cuts the peaks, and is not felt otherwise.
  normal: [
    { on: 'send', per: 'bot', rate: 3, burst: 10, 'max-wait': 30_000 },
    { on: 'send', per: 'group', rate: 1, burst: 5, jitter: 300, 'max-wait': 30_000 },
    { on: 'send', per: 'user', rate: 1, burst: 5, jitter: 300, 'max-wait': 30_000 },
    { on: 'manage', per: 'bot', rate: 2, burst: 10, 'max-wait': 30_000 },
    { on: 'file', per: 'bot', rate: 0.5, burst: 4, 'max-wait': 60_000 },
    { on: 'read', per: 'bot', rate: 50, burst: 100, 'max-wait': 30_000 },
  ],
  none: [],
}
