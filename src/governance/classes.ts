// What kind of work each action is: those that are known by name, all others by what their names say.

import type { ActionClass } from '../broker/policy.ts'
import { isRead } from '../onebot/action.ts'

export const CLASSES = ['send', 'manage', 'read', 'file'] as const satisfies readonly ActionClass[]

/** Actions of OneBot 11 and of the implementations in use, without suffixes. */
export const ACTIONS: Record<ActionClass, readonly string[]> = {
  // What people see as a message of the bot: this is what QQ counts first.
  send: [
    ...['send_msg', 'send_private_msg', 'send_group_msg', 'send_guild_channel_msg', 'send_msg_with_group'],
    ...['send_forward_msg', 'send_private_forward_msg', 'send_group_forward_msg'],
    ...['forward_friend_single_msg', 'forward_group_single_msg', 'send_group_ai_record', 'send_group_bot_callback'],
    ...['send_poke', 'friend_poke', 'group_poke', 'send_ark_share', 'send_group_ark_share'],
    '.handle_quick_operation',
  ],
  // What changes something else.
  manage: [
    ...['delete_msg', 'send_like', 'set_msg_emoji_like', 'unset_msg_emoji_like', 'set_group_reaction'],
    ...['set_group_kick', 'set_group_kick_members', 'batch_delete_group_member', 'set_group_ban'],
    ...['set_group_anonymous_ban', 'set_group_whole_ban', 'set_group_admin', 'set_group_anonymous', 'set_group_card'],
    ...['set_group_name', 'set_group_leave', 'set_group_special_title', 'set_group_portrait', 'set_group_remark'],
    ...['set_group_sign', 'send_group_sign', 'set_group_todo', 'set_group_search', 'set_group_add_option'],
    ...['set_group_robot_add_option', 'set_group_bot_status', 'set_group_msg_mask', 'set_guild_member_role'],
    ...['set_friend_add_request', 'set_group_add_request', 'set_doubt_friends_add_request'],
    ...['delete_friend', 'delete_unidirectional_friend', 'set_friend_remark', 'set_friend_category'],
    ...['set_essence_msg', 'delete_essence_msg', '_send_group_notice', '_del_group_notice', '_delete_group_notice'],
    ...['create_group_file_folder', 'delete_group_folder', 'delete_group_file_folder', 'rename_group_file_folder'],
    ...['delete_group_file', 'move_group_file', 'trans_group_file', 'rename_group_file', 'set_group_file_forever'],
    ...['create_group_album', 'delete_group_album', 'del_group_album_media', 'do_group_album_comment'],
    ...['set_group_album_media_like', 'cancel_group_album_media_like', 'create_collection', 'reshare_flash_file'],
    ...['create_flash_task', 'delete_qzone_msg', 'clean_stream_temp_file'],
    ...['set_qq_profile', 'set_qq_avatar', 'set_self_profile', 'set_self_longnick', 'set_online_status'],
    ...['set_diy_online_status', 'set_input_status', '_set_model_show', 'click_inline_keyboard_button'],
    ...['.join_friend_emoji_chain', '.join_group_emoji_chain', 'send_packet', 'send_pb', 'scan_qrcode'],
    ...['set_restart', 'clean_cache', 'bot_exit', 'set_config', 'reload_event_filter', 'llonebot_debug'],
  ],
  // What only tells something, or is seen by nobody else.
  read: [
    ...['get_msg', 'get_forward_msg', 'get_login_info', 'get_stranger_info', 'get_friend_list', 'get_group_info'],
    ...['get_group_list', 'get_group_member_info', 'get_group_member_list', 'get_group_honor_info', 'get_cookies'],
    ...['get_csrf_token', 'get_credentials', 'can_send_image', 'can_send_record', 'get_status', 'get_version_info'],
    ...['get_group_msg_history', 'get_friend_msg_history', 'get_group_system_msg', 'get_essence_msg_list'],
    ...['get_group_at_all_remain', '_get_group_notice', '_get_group_notice_acklist', '_get_vip_info'],
    ...['get_group_file_system_info', 'get_group_root_files', 'get_group_files_by_folder', 'get_group_file_url'],
    ...['get_private_file_url', 'get_unidirectional_friend_list', 'get_friends_with_category', '_get_model_show'],
    ...['get_guild_list', 'get_guild_service_profile', 'get_guild_meta_by_guest', 'get_guild_channel_list'],
    ...['get_guild_member_list', 'get_guild_member_profile', 'get_recent_contact', 'get_profile_like'],
    ...['get_profile_like_me', 'get_profile_like_count', 'get_qq_avatar', 'get_robot_uin_range', 'get_group_shut_list'],
    ...['get_group_signed_list', 'get_group_info_ex', 'get_group_detail_info', 'get_group_ignore_add_request'],
    ...['get_group_ignored_notifies', 'get_doubt_friends_add_request', 'get_collection_list', 'get_ai_characters'],
    ...['get_ai_record', 'get_mini_app_ark', 'get_music_ark', 'ArkSharePeer', 'ArkShareGroup', 'get_recommend_face'],
    ...['get_qun_album_list', 'get_group_album_list', 'get_group_album_media_list', 'get_flash_file_info'],
    ...['get_flash_file_download_urls', 'get_rkey', 'get_rkey_server', 'get_clientkey', 'get_config', 'get_event'],
    ...['nc_get_packet_status', 'nc_get_user_status', 'nc_get_rkey', 'fetch_custom_face', 'fetch_emoji_like'],
    ...['fetch_mface_key', 'get_word_slices', '.get_word_slices', 'ocr_image', '.ocr_image', 'translate_en2zh'],
    ...['voice_msg_to_text', 'check_url_safely', 'get_online_clients', 'qidian_get_account_info'],
    ...['qidian_get_login_info', 'get_guild_msg', 'get_emoji_likes', 'get_fileset_id', 'get_fileset_info'],
    ...['get_flash_file_list', 'get_flash_file_url'],
    ...['mark_msg_as_read', 'mark_private_msg_as_read', 'mark_group_msg_as_read', '_mark_all_as_read'],
  ],
  // What moves bytes, and takes minutes rather than seconds.
  file: [
    ...['upload_group_file', 'upload_private_file', 'upload_image', 'upload_forward_msg', 'upload_group_album'],
    ...['upload_image_to_qun_album', 'upload_flash_file', 'upload_file_stream', 'download_file'],
    ...['download_flash_file', 'download_file_stream', 'download_file_image_stream', 'download_file_record_stream'],
    ...['get_file', 'get_image', 'get_record'],
  ],
}

const KNOWN = new Map<string, ActionClass>(
  CLASSES.flatMap((kind) => ACTIONS[kind].map((action): [string, ActionClass] => [action, kind])),
)

const FILE = /^[._]?(?:upload|download)_/
const SEND = /^[._]?(?:send|forward)_|_poke$/

/** Whoever is known by nothing changes something, as far as anybody knows: such actions are handled with care. */
export function classOf(action: string): ActionClass {
  const known = KNOWN.get(action)
  if (known !== undefined) return known
  if (FILE.test(action)) return 'file'
  if (isRead(action)) return 'read'
  return SEND.test(action) ? 'send' : 'manage'
}
