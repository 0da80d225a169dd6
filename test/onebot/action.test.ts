import { expect, test } from 'bun:test'
import { carriesFiles, failed, isRead, isReadAnywhere, streaming, suffix } from '../../src/onebot/action.ts'
import { ActionError, httpStatus, RETCODE, refuse } from '../../src/onebot/retcode.ts'

test('[OBV16] actions that only read are known, and no other is taken for one', () => {
  for (const action of [
    'get_status',
    'can_send_image',
    '_get_vip_info',
    '.get_word_slices',
    'nc_get_rkey',
    'fetch_emoji_like',
    'ocr_image',
  ])
    expect(isRead(action)).toBe(true)
  for (const action of [
    'send_msg',
    'set_group_card',
    'delete_msg',
    '.handle_quick_operation',
    'download_file',
    'forget_me',
    'constructor',
    '',
  ])
    expect(isRead(action)).toBe(false)
})

test('[OBV16] reads that any implementation may be asked name no ids of its own, and tell none', () => {
  for (const action of ['get_login_info', 'get_group_list', 'get_group_member_info', '_get_vip_info'])
    expect([action, isRead(action), isReadAnywhere(action)]).toEqual([action, true, true])
  for (const action of [
    ...['get_msg', 'get_forward_msg', 'get_group_msg_history', 'get_essence_msg_list', 'get_recent_contact'],
    ...['get_image', 'get_record', 'get_file', 'get_group_root_files', 'get_group_file_url', 'ocr_image'],
    ...['get_group_system_msg', 'get_doubt_friends_add_request', 'get_status', 'get_version_info', 'can_send_image'],
    ...['get_cookies', 'get_rkey', 'send_msg', 'constructor'],
  ])
    expect([action, isReadAnywhere(action)]).toEqual([action, false])
})

test("[OBV17] the standard's suffixes are taken off once", () => {
  for (const [action, base, mode] of [
    ['get_status', 'get_status', 'plain'],
    ['get_group_list_async', 'get_group_list', 'async'],
    ['send_private_msg_rate_limited', 'send_private_msg', 'rate-limited'],
    ['x_rate_limited_async', 'x_rate_limited', 'async'],
    ['_async', '_async', 'plain'],
  ] as const)
    expect(suffix(action)).toEqual({ base, mode })
})

test('[OBV18] actions that carry files are told from those that do not', () => {
  const image = { type: 'image', data: { file: 'base64://AAAA' } }
  const node = (content: unknown) => ({ type: 'node', data: { content } })
  for (const [action, params] of [
    ['upload_group_file', {}],
    ['download_file', { url: 'https://e.com' }],
    ['send_msg', { message: [{ type: 'text', data: { text: 'x' } }, image] }],
    ['send_msg', { message: image }],
    ['send_group_msg', { message: 'hi [CQ:record,file=http://e.com/a]' }],
    ['send_group_msg', { message: 'x'.repeat(100_000) }],
    ['send_group_forward_msg', { messages: [node([image])] }],
    ['send_forward_msg', { messages: [node('[CQ:video,file=file:///a]')] }],
    ['_send_group_notice', { image: 'base64://AAAA' }],
  ] as const)
    expect(carriesFiles(action, params)).toBe(true)
  let deep: unknown = image
  for (let n = 0; n < 100_000; n++) deep = node([deep])
  for (const [action, params] of [
    ['send_msg', { message: 'hi [CQ:face,id=1]' }],
    ['send_msg', { message: [{ type: 'text', data: { text: '[CQ:image,file=x]' } }] }],
    ['send_msg', { message: [null, 5, {}, { type: 'node', data: null }] }],
    ['send_group_forward_msg', { messages: [deep] }],
    ['send_like', { user_id: 1 }],
    ['get_msg', { message: image }],
  ] as const)
    expect(carriesFiles(action, params)).toBe(false)
})

test('[OBV19] a reply failed when its status or its retcode says so', () => {
  for (const reply of [
    { status: 'failed' },
    { status: 'failed', retcode: 0 },
    { status: 'ok', retcode: 1200 },
    { retcode: -1 },
  ])
    expect(failed(reply)).toBe(true)
  for (const reply of [
    { status: 'ok', retcode: 0 },
    { status: 'async', retcode: 1 },
    { status: 'ok' },
    { retcode: null },
    {},
  ])
    expect(failed(reply)).toBe(false)
})

test('[OBV20] a streamed download goes on until its response or error, and nothing else goes on', () => {
  const piece = (data: unknown) => ({ status: 'ok', retcode: 0, stream: 'stream-action', data })
  expect(streaming(piece({ type: 'stream', data_type: 'file_chunk', index: 0 }))).toBe('more')
  for (const type of ['response', 'error', 'reset', undefined]) expect(streaming(piece({ type }))).toBe('end')
  // The answer to one piece of an upload is the only one.
  expect(streaming(piece({ type: 'stream', stream_id: 'u1', status: 'chunk_received' }))).toBe('end')
  expect(streaming(piece(null))).toBe('end')
  expect(streaming({ stream: 'normal-action', data: { type: 'stream' } })).toBe('end')
  expect(streaming({})).toBe('end')
})

test('[OBV21] a refusal carries its retcode, and HTTP has a status for it', () => {
  expect(() => refuse('conflict', 'name: taken')).toThrow(new ActionError('conflict', 'name: taken'))
  expect(new ActionError('no-port', 'x')).toMatchObject({ retcode: 10001, name: 'ActionError', message: 'x' })
  const statuses = Object.values(RETCODE).map(({ code }) => [code, httpStatus(code)])
  expect(Object.fromEntries(statuses)).toEqual({
    1400: 400,
    1401: 401,
    1403: 403,
    1404: 404,
    1409: 200,
    1413: 200,
    1429: 200,
    1503: 200,
    1504: 200,
    10001: 200,
  })
  expect(httpStatus(0)).toBe(200)
  expect(httpStatus(1200)).toBe(200)
})
