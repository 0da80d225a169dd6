// An implementation that holds a conversation: answers what bot programs ask on their way in, and keeps what they say.

import { Inbox } from '../contract/witness.ts'
import { type Action, type ImplementationOptions, ok } from '../support/implementation.ts'

export const BOT = 10001
export const GROUP = 123456789
export const USER = 2854196310

export interface Talk {
  /** For the implementation of a testbed. */
  readonly answer: NonNullable<ImplementationOptions['answer']>
  /** What the programs say in the group, in the order in which it arrives. */
  readonly said: Inbox<Said>
  /** Everything asked, by action. */
  readonly asked: Action[]
}

export interface Said {
  text: string
  messageId: number
  params: Record<string, unknown>
}

const failed = ({ echo }: Action, retcode: number) => JSON.stringify({ status: 'failed', retcode, data: null, echo })

export function talk(): Talk {
  const said = new Inbox<Said>()
  const asked: Action[] = []
  // As NapCat's: near 2^31, either sign.
  let messageId = 2147480000
  const answer = (action: Action): string => {
    asked.push(action)
    const { params } = action
    switch (action.action) {
      case 'get_login_info':
        return ok(action, { user_id: BOT, nickname: '小助手' })
      case 'get_status':
        return ok(action, { online: true, good: true })
      case 'send_group_msg':
      case 'send_msg':
        messageId += 1
        said.push({ text: textOf(params['message']), messageId, params })
        return ok(action, { message_id: messageId })
      default:
        return failed(action, 1404)
    }
  }
  return { answer, said, asked }
}

/** The text of a message in either form. */
export function textOf(message: unknown): string {
  if (!Array.isArray(message)) return String(message)
  return message.map(({ type, data }) => (type === 'text' ? data.text : `[${type}]`)).join('')
}
