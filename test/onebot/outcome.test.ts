// What the replies of implementations say about themselves.

import { expect, test } from 'bun:test'
import { outcomeOf } from '../../src/onebot/action.ts'

const KERNEL =
  'NTEvent serviceAndMethod:NodeIKernelMsgService/sendMsg ListenerName:NodeIKernelMsgListener/onMsgInfoListUpdate'
const failed = (retcode: number, message?: string) => ({
  status: 'failed',
  retcode,
  data: null,
  ...(message !== undefined && { message, wording: message }),
})

test('[BRK10] what worked, and what is under way, is ok', () => {
  for (const reply of [{ status: 'ok', retcode: 0, data: null }, { status: 'async', retcode: 1 }, {}])
    expect(outcomeOf(reply)).toBe('ok')
})

test('[BRK10] an implementation that got stuck says so by its words or by its retcode', () => {
  for (const reply of [
    failed(1200, `Timeout: ${KERNEL} EventRet:\n{}\n`),
    failed(200, `Error: Timeout: ${KERNEL} EventRet:\n{\n    "result": 0,\n    "errMsg": ""\n}\n`),
    failed(200, 'Error: NTEvent EventName:NodeIKernelMsgService/sendMsg ListenerName:x timeout'),
    failed(1200, 'invoke timeout, wrapperSession.getMsgService().sendMsg, [ ... ]'),
    failed(1200, '发送超时'),
    failed(100, 'request timed out'),
    { status: 'failed', retcode: 100, msg: '操作超时' },
    { status: 'failed', retcode: 1200, wording: 'Timeout' },
    failed(500),
    failed(1500, 'internal error'),
    failed(1503),
  ])
    expect([reply, outcomeOf(reply)]).toEqual([reply, 'failed'])
})

test('[BRK10] anything else that did not work was refused', () => {
  for (const reply of [
    failed(1200),
    failed(200),
    failed(1400, 'params.group_id: missing'),
    failed(1404, 'no such action'),
    failed(1403),
    failed(100, 'SEND_MSG_API_ERROR'),
    { status: 'failed', retcode: 1200, message: 5, wording: null },
    failed(1200, '发送失败，你已被移出该群，请重新加群。'),
    // It did answer: that the group does not exist for it any more, that it is no friend.
    failed(1200, `EventChecker Failed: ${KERNEL} EventRet:\n{\n    "result": 110,\n    "errMsg": "x"\n}`),
    failed(1200, `Timeout: ${KERNEL} EventRet:\n{\n    "result": 1,\n    "errMsg": ""\n}`),
    // A server elsewhere, and a guess.
    failed(1200, 'timeout of 5000ms exceeded: https://example.com/a.png'),
    failed(1200, '下载超时'),
    failed(1200, '超时: 下载 a.png'),
    failed(1200, '未知错误，可能操作超时'),
    // What somebody wrote.
    failed(1200, 'message rejected: "timeout"'),
    failed(1200, `message rejected: ${'x'.repeat(1_000_000)} timeout`),
  ])
    expect([JSON.stringify(reply).slice(0, 200), outcomeOf(reply)]).toEqual([
      JSON.stringify(reply).slice(0, 200),
      'refused',
    ])
})
