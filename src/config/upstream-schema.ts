// The part of the schema about OneBot implementations: the one of ntqq-impl, and those of upstreams.

import * as v from 'valibot'
import { about, certificates, key, name, rare, secret, shownToken, webSocket } from './fields.ts'
import { account, address, choice, flag, place, text, whole } from './leaf.ts'
import { embedded, milky, milkyUpstream, signServerToken } from './milky-schema.ts'
import { uniqueNames } from './rules.ts'

const update = v.pipe(
  v.strictObject({
    enable: key(flag(), false, about('look for a newer version when it is started', '启动时检查更新')),
    id: key(whole({ wanted: 'a whole number', min: 0 }), 0, about('written by the program', '由程序写入')),
    platform: key(text(), '', about('written by the program', '由程序写入')),
    'updated-at': key(text(), '0001-01-01T00:00:00Z', about('written by the program', '由程序写入')),
  }),
  v.metadata(about('of the implementation that perpetua runs itself', '内置实现的更新')),
)

const download = v.pipe(
  v.strictObject({
    base: key(
      address('http', 'https'),
      '',
      about(
        'a server that answers as GitHub and its API do; empty: GitHub itself',
        '与 GitHub 及其 API 兼容的服务器，留空则为 GitHub',
      ),
    ),
    mirror: key(
      address('http', 'https'),
      '',
      about('put before the whole address of a file, as download mirrors want it', '加在文件完整地址之前的镜像前缀'),
    ),
  }),
  v.metadata(about('where the embedded implementation is downloaded from', '内置实现的下载来源')),
)

export const implementation = v.pipe(
  v.strictObject({
    'external-web-socket': key(
      webSocket(),
      'ws://127.0.0.1:5700/onebot/v11/ws',
      about("the implementation's forward WebSocket", 'OneBot 实现的正向 WebSocket 地址'),
    ),
    'external-access-token': shownToken(secret('the token it asks for', '连接它所用的 token')),
    update: v.optional(update, {}),
    mode: key(
      choice('auto', 'external', 'reverse', 'milky', 'embedded'),
      'auto',
      about(
        'auto: external if an address is set, else embedded | external: dial it | reverse: it dials us | milky: one that speaks Milky | embedded: perpetua runs Lagrange itself',
        'auto：填写了地址即 external，否则 embedded | external：连接它 | reverse：由它连接本程序 | milky：使用 Milky 协议的实现 | embedded：由 perpetua 自行运行 Lagrange',
      ),
    ),
    milky: v.optional(milky, {}),
    embedded,
    path: key(
      place(),
      '',
      about(
        'for embedded: its program, or a folder with it in; empty: looked for beside the config file, else downloaded',
        'embedded：程序文件或其所在文件夹，留空则在配置文件旁查找，找不到时下载',
      ),
    ),
    archive: key(
      place(),
      '',
      about(
        'for embedded: a .zip or .tar.gz with the program, instead of a download',
        'embedded：包含程序的 .zip 或 .tar.gz，用以代替下载',
      ),
    ),
    download: v.optional(download, {}),
    account: key(
      account(),
      '',
      about('for embedded: the QQ number to log in as; empty: any', 'embedded：要登录的 QQ 号，留空为不限'),
    ),
    'sign-server-url': key(
      address('http', 'https'),
      '',
      about(
        'for embedded: the sign server it asks; empty: as it is set there',
        'embedded：签名服务器地址，留空则不改动其设置',
      ),
    ),
    'sign-server-token': signServerToken,
  }),
  v.metadata(about("the first bot's OneBot implementation", '第一个机器人的 OneBot 实现')),
)

const upstream = v.strictObject({
  name: name(),
  kind: key(
    choice('forward', 'reverse', 'milky', 'embedded'),
    'forward',
    about(
      'forward: we dial it | reverse: it dials us | milky: it speaks Milky | embedded: only as ntqq-impl',
      'forward：连接它 | reverse：由它连接本程序 | milky：使用 Milky 协议 | embedded：仅可用于 ntqq-impl',
    ),
  ),
  url: key(
    address('ws', 'wss', 'http', 'https'),
    '',
    about('its address: ws:// for forward, http:// for milky', '地址：forward 为 ws://，milky 为 http://'),
  ),
  ...milkyUpstream,
  'access-token': shownToken(secret('its token', '它的 token')),
  'self-id': key(
    account(),
    '',
    about('the QQ number it is logged in to; empty or 0: any', '登录的 QQ 号，留空或 0 为不限'),
  ),
  ...certificates,
  spread: key(
    flag(),
    false,
    rare(
      'reads of groups and people may go to this one too, while another of the same self-id is active',
      '同一 self-id 的另一项在用时，查询群和用户的读取类动作也可发给它',
    ),
  ),
})

export const upstreams = v.pipe(
  v.array(upstream),
  uniqueNames(),
  v.metadata(
    about(
      'more implementations, beside ntqq-impl; those with the same self-id are one bot: the first that is well is active',
      '除 ntqq-impl 外的更多实现；self-id 相同的各项是同一个机器人，使用其中第一个正常的',
    ),
  ),
)
