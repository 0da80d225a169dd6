// The part of the schema that limits what goes up: rates of actions, and when failing ones are no longer tried.

import * as v from 'valibot'
import { limitName } from './action-names.ts'
import { about, key, rare, TIMER, unsaid } from './fields.ts'
import { limitsSomething } from './governance-rules.ts'
import { choice, duration, rate, whole } from './leaf.ts'

function limit<const T extends string>(first: T, ...others: T[]) {
  const per = v.optional(
    v.pipe(choice(first, ...others), v.metadata(about('who has one of its own', '按什么分别计算'))),
    () => first as never, // one of its own options
  )
  return v.pipe(
    v.strictObject({
      rate: unsaid(
        rate(),
        about('how often, in the long run; left out: as min-interval allows', '长期速率，不填则只受 min-interval 限制'),
      ),
      burst: unsaid(
        whole({ wanted: 'a whole number 1-100000', min: 1, max: 100_000 }),
        about(
          'how many at one time; left out: what comes in a second, at least 1',
          '突发上限，不填则为一秒的量，至少为 1',
        ),
      ),
      'min-interval': key(
        duration({ max: TIMER.max }),
        '0s',
        about('at least this long between two', '两次之间的最小间隔'),
      ),
      jitter: key(duration({ max: TIMER.max }), '0s', about('up to this much longer, at random', '随机增加的间隔上限')),
      per,
      mode: key(
        choice('queue', 'reject'),
        'queue',
        about('queue: wait for its turn | reject: 1429 at once', 'queue：排队等待 | reject：立即返回 1429'),
      ),
      'max-wait': key(
        duration({ max: TIMER.max }),
        '30s',
        about('who would wait longer gets 1429', '等待上限，超过则返回 1429'),
      ),
    }),
    limitsSomething(),
  )
}

const limits = <const T extends string>(first: T, ...others: T[]) =>
  v.pipe(v.record(v.string(), limit(first, ...others)), limitName())

export const clientLimits = () => limits('client', 'group', 'user')

export const rateLimit = v.pipe(
  v.strictObject({
    bot: v.optional(
      v.pipe(
        limits('bot', 'group', 'user'),
        v.metadata(
          rare(
            'limits of a bot, whoever calls: {send: {rate: 2/s, burst: 10}}',
            '机器人的限流，不论由谁调用：{send: {rate: 2/s, burst: 10}}',
          ),
        ),
      ),
      {},
    ),
    preset: key(
      choice('none', 'normal', 'gentle'),
      'none',
      rare(
        'limits that are known to keep accounts out of trouble, where bot says nothing',
        '预设的风控限流，bot 中另有设置的除外',
      ),
    ),
  }),
  v.metadata(rare('how often actions may go up', '动作限流')),
)

export const breaker = v.pipe(
  v.strictObject({
    failures: key(
      whole({ wanted: 'a whole number 0-1000', min: 0, max: 1_000 }),
      5,
      rare(
        'so many failures in a row, and calls are no longer tried; 0: always tried',
        '连续失败多少次后不再尝试，0 为始终尝试',
      ),
    ),
    'cool-down': key(duration(TIMER), '10s', rare('until one is tried again', '多久后再次尝试')),
  }),
  v.metadata(rare('what keeps failing is left alone for a while', '熔断：不断失败的，先停一会儿再试')),
)
