// Actions about files of groups and of friends.

import type { Fields } from '../onebot/object.ts'
import { BAD_REQUEST, MilkyError } from './api.ts'
import { type Actions, list, row, steps } from './mapping.ts'
import { nameIn, uriOf } from './media.ts'
import { given, text, textOr, whole } from './params.ts'
import type { GroupFileEntity, GroupFolderEntity } from './shapes.ts'
import type { Stage } from './stage.ts'

/** What Milky calls a group's own folder. */
const ROOT = '/'

const group = (params: Fields) => ({ group_id: whole(params, 'group_id') })
const groupFile = (params: Fields) => ({ ...group(params), file_id: text(params, 'file_id') })

export const fileActions: Actions = {
  upload_group_file: row(
    'upload_group_file',
    async (params, it) => ({
      ...group(params),
      parent_folder_id: textOr(params, ROOT, 'folder', 'folder_id', 'parent_id'),
      ...(await file(params, it)),
    }),
    ({ file_id }) => ({ file_id }),
  ),
  upload_private_file: row(
    'upload_private_file',
    async (params, it) => ({ user_id: whole(params, 'user_id'), ...(await file(params, it)) }),
    ({ file_id }) => ({ file_id }),
  ),
  get_group_root_files: row('get_group_files', (params) => ({ ...group(params), parent_folder_id: ROOT }), listing),
  get_group_files_by_folder: row(
    'get_group_files',
    (params) => ({ ...group(params), parent_folder_id: text(params, 'folder_id', 'folder') }),
    listing,
  ),
  get_group_file_url: row('get_group_file_download_url', groupFile, ({ download_url }) => ({ url: download_url })),
  get_private_file_url: row(
    'get_private_file_download_url',
    (params, it) => {
      const file_id = text(params, 'file_id')
      const file_hash = textOr(params, it.fileHash(file_id), 'file_hash')
      if (file_hash !== undefined) return { user_id: whole(params, 'user_id'), file_id, file_hash }
      throw new MilkyError(
        BAD_REQUEST,
        `params.file_hash: found nothing, and file ${file_id.slice(0, 60)} did not go by here: wanted its hash`,
      )
    },
    ({ download_url }) => ({ url: download_url }),
  ),
  get_file: steps(['get_resource_temp_url', 'get_group_file_download_url'], async (params, it) => {
    const id = text(params, 'file_id', 'file')
    const url =
      given(params, 'group_id') === undefined
        ? await uriOf({ file: id }, it)
        : (await it.call('get_group_file_download_url', { ...group(params), file_id: id })).download_url
    return { file: url, url, file_name: textOr(params, '', 'file_name') }
  }),
  delete_group_file: row('delete_group_file', groupFile),
  move_group_file: row('move_group_file', (params) => ({
    ...groupFile(params),
    parent_folder_id: textOr(params, ROOT, 'current_parent_directory', 'parent_directory', 'parent_folder_id'),
    target_folder_id: textOr(params, ROOT, 'target_parent_directory', 'target_directory', 'target_folder_id'),
  })),
  rename_group_file: row('rename_group_file', (params) => ({
    ...groupFile(params),
    parent_folder_id: textOr(params, ROOT, 'current_parent_directory', 'parent_directory', 'parent_folder_id'),
    new_file_name: text(params, 'new_name', 'new_file_name'),
  })),
  create_group_file_folder: row(
    'create_group_folder',
    (params) => ({ ...group(params), folder_name: text(params, 'folder_name', 'name') }),
    ({ folder_id }) => ({ folder_id }),
  ),
  rename_group_file_folder: row('rename_group_folder', (params) => ({
    ...group(params),
    folder_id: text(params, 'folder_id'),
    new_folder_name: text(params, 'new_folder_name', 'new_name'),
  })),
  delete_group_folder: row('delete_group_folder', (params) => ({
    ...group(params),
    folder_id: text(params, 'folder_id'),
  })),
}

async function file(params: Fields, it: Stage) {
  const file_uri = await uriOf(params, it)
  return { file_uri, file_name: textOr(params, nameIn(file_uri), 'name', 'file_name') }
}

function listing(found: { files: readonly GroupFileEntity[]; folders: readonly GroupFolderEntity[] }) {
  return { files: list(found.files).map(fileInfo), folders: list(found.folders).map(folderInfo) }
}

const fileInfo = (one: GroupFileEntity) => ({
  group_id: one.group_id,
  file_id: one.file_id,
  file_name: one.file_name,
  busid: 0,
  file_size: one.file_size,
  upload_time: one.uploaded_time,
  dead_time: one.expire_time ?? 0,
  modify_time: one.uploaded_time,
  download_times: one.downloaded_times,
  uploader: one.uploader_id,
  uploader_name: '',
})

const folderInfo = (one: GroupFolderEntity) => ({
  group_id: one.group_id,
  folder_id: one.folder_id,
  folder_name: one.folder_name,
  create_time: one.created_time,
  creator: one.creator_id,
  creator_name: '',
  total_file_count: one.file_count,
})
