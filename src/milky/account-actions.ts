// Actions about the account itself and the implementation.

import { FAILED, MilkyError } from './api.ts'
import { type Actions, list, row, steps } from './mapping.ts'
import { uriOf } from './media.ts'
import { given, text, textOr, words } from './params.ts'
import type { Stage } from './stage.ts'

export const accountActions: Actions = {
  get_login_info: row(
    'get_login_info',
    () => ({}),
    ({ uin, nickname }) => ({ user_id: uin, nickname }),
  ),
  get_version_info: row(
    'get_impl_info',
    () => ({}),
    ({ impl_name, impl_version, qq_protocol_version, qq_protocol_type, milky_version }) => ({
      app_name: impl_name,
      app_version: impl_version,
      protocol_version: 'v11',
      app_full_name: `${impl_name} ${impl_version}`,
      nt_protocol: `${qq_protocol_type} ${qq_protocol_version}`,
      milky_version,
    }),
  ),
  // What is known of QQ is known here; whether it still answers, only the implementation can show.
  get_status: steps(['get_login_info'], async (_params, it) => {
    await it.call('get_login_info', {})
    return { online: it.online, good: it.online }
  }),
  clean_cache: steps(['get_friend_list', 'get_group_list'], async (_params, it) => {
    await it.call('get_friend_list', { no_cache: true })
    await it.call('get_group_list', { no_cache: true })
    return null
  }),
  get_cookies: row(
    'get_cookies',
    (params) => ({ domain: textOr(params, 'qun.qq.com', 'domain') }),
    ({ cookies }) => ({ cookies }),
  ),
  get_csrf_token: row(
    'get_csrf_token',
    () => ({}),
    ({ csrf_token }) => ({ token: tokenOf(csrf_token) }),
  ),
  get_credentials: steps(['get_cookies', 'get_csrf_token'], async (params, it) => {
    const { cookies } = await it.call('get_cookies', { domain: textOr(params, 'qun.qq.com', 'domain') })
    const { csrf_token } = await it.call('get_csrf_token', {})
    return { cookies, csrf_token: tokenOf(csrf_token), token: tokenOf(csrf_token) }
  }),
  set_qq_avatar: row('set_avatar', async (params, it) => ({ uri: await uriOf(params, it) })),
  set_qq_profile: steps(['set_nickname', 'set_bio'], async (params, it) => {
    const bio = given(params, 'personal_note')
    if (given(params, 'nickname') === undefined && bio === undefined) text(params, 'nickname')
    if (given(params, 'nickname') !== undefined)
      await it.call('set_nickname', { new_nickname: text(params, 'nickname') })
    if (bio !== undefined) await setBio(text(params, 'personal_note'), it)
    return { result: 0, errMsg: '' }
  }),
  set_self_longnick: row('set_bio', (params) => ({ new_bio: words(params, 'longNick', 'long_nick') })),
  fetch_custom_face: row(
    'get_custom_face_url_list',
    () => ({}),
    ({ urls }) => list(urls),
  ),
}

const setBio = (new_bio: string, it: Stage) => it.call('set_bio', { new_bio })

/** A number, as OneBot has it. @throws MilkyError */
function tokenOf(text: string): number {
  const token = Number(text)
  if (Number.isSafeInteger(token)) return token
  throw new MilkyError(FAILED, 'get_csrf_token: found something else than a number')
}
