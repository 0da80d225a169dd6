// What the page about Milky says between its tables, in two languages.

export const PROSE = {
  en: {
    start: `# Milky

English | [简体中文](milky.zh-CN.md)

Milky is a protocol for QQ bots that newer implementations speak: Lagrange V2 speaks nothing else, LLBot speaks it besides OneBot. perpetua turns it into OneBot 11, so that every client works with it as with any other implementation.

## LLBot

WebUI (\`http://localhost:3080\`), Milky: enabled, its HTTP port 3010, a token. Then:

\`\`\`yaml
# config/config.yml
ntqq-impl:
  mode: milky
  milky:
    url: "http://127.0.0.1:3010"
  external-access-token: "TOKEN"
\`\`\`

Where LLBot has a prefix, it belongs to the address: \`http://127.0.0.1:3010/prefix\`. Messages that the account sends by itself come only when LLBot is told to report them.

More accounts, or Milky beside OneBot:

\`\`\`yaml
# config/config.yml
upstreams:
  - name: second
    kind: milky
    url: "http://127.0.0.1:3011"
    access-token: "TOKEN"
\`\`\`

## How events come

\`ntqq-impl.milky.events\`, and \`upstreams[].events\`:

- \`websocket\`, which is the default, and \`sse\`: perpetua connects to \`/event\` there, and again when it is lost.
- \`webhook\`: the implementation posts its events to \`http://127.0.0.1:8080/milky/event\`, and shows \`access-token\` as its Bearer token. Use it only where nothing else works: what is posted while perpetua is not there is lost.

Calls always go over HTTP to \`/api\`. perpetua asks for the account every ten seconds; three times without an answer, and the link counts as lost. After \`bot_offline\`, heartbeats say that the account is not online, until QQ can be reached again.

## Lagrange.Milky

perpetua runs it for you, as it runs [Lagrange.OneBot](lagrange.md):

\`\`\`yaml
# config/config.yml
ntqq-impl:
  mode: embedded
  embedded: lagrange-milky
  account: "1234567890"
  sign-server-url: "https://sign.example.com/api/"
  archive: "Lagrange.Milky-linux-x64.zip"
\`\`\`

- **Where it comes from.** It is not released. Its builds are artifacts of the workflow \`milky-build\` of \`LagrangeDev/Lagrange.Core\` on GitHub; who is logged in there may download them. Name the file as \`ntqq-impl.archive\`, or the unpacked program as \`ntqq-impl.path\`. \`ntqq-impl.download.base\` may name a server of your own that has it at \`/LagrangeDev/Lagrange.Core/releases/download/milky/\`.
- **Which one is run.** With \`ntqq-impl.embedded\` at \`auto\` it is the one whose program is there already, and Lagrange.Milky where none is. Who runs Lagrange.OneBot goes on with it.
- **Settings.** perpetua writes what is missing into \`appsettings.json\` beside the config file: address, token, account, signer. What is there stays. \`ntqq-impl.sign-server-token\` is for sign servers that want a token.

## Log in

Lagrange.Milky must know the account: \`ntqq-impl.account\`. At the first start it shows a QR code. It is on the terminal, as an address in the log, and as a picture at \`/api/qrcode\` (see [Running Lagrange](lagrange.md#log-in)). Scan it with QQ on the phone that is logged in to the account. The login is kept in \`1234567890.ks\`, a secret; the next start needs no code.

- A code that expires ends the program; it is started again with a new one.
- A password in its \`appsettings.json\` may ask for a captcha or the verification of a new device: the log warns with the address to open. An SMS code is typed on the terminal; without one, log in there once by hand.
- When QQ ends the session, it is started again by itself.

## Numbers of messages

Milky numbers the messages of each conversation by themselves. perpetua makes the \`message_id\` of OneBot out of that: the same in every run, and kept in \`data-dir\`, so that replies, look-ups and recalls work after a restart. At least the last half million messages of the last 90 days are known, and far more where conversations are busy; older ones are 1404. \`real_id\` and \`message_seq\` are Milky's own number.`,
    events: `## Events

What Milky tells besides comes as a \`notice\` with \`notice_type\` \`milky\`, its name as \`sub_type\`, and its \`data\`.`,
    segments: `## Segments

A segment of an unknown kind stays as it is. Lagrange tells neither faces, files nor XML.`,
    actions: `## Actions

Everything else is 1404: Milky has no \`set_group_sign\`, \`set_group_anonymous\`, \`set_group_anonymous_ban\`, \`get_group_honor_info\`, \`get_group_at_all_remain\`, \`ocr_image\`, \`set_friend_remark\` and \`set_online_status\`. Lagrange lacks some of these APIs, too; then the reply is 1404 and names the API. No restart: perpetua answers \`set_restart\` and connects anew. Quick operations work.`,
    end: `Files: \`http://\`, \`https://\`, \`base64://\` and \`file://\` are passed on; a path is one on the implementation's machine. The \`file\` of a received picture, record or video may be sent again: its address is asked for at that moment.`,
  },
  zh: {
    start: `# Milky

[English](milky.md) | 简体中文

Milky 是较新的 QQ 机器人协议：Lagrange V2 只支持它，LLBot 同时支持它和 OneBot。perpetua 把它转换为 OneBot 11，所有客户端都能像使用其他实现一样使用它。

## LLBot

WebUI（\`http://localhost:3080\`）→ Milky：启用，HTTP 端口 3010，设置 token。然后：

\`\`\`yaml
# config/config.yml
ntqq-impl:
  mode: milky
  milky:
    url: "http://127.0.0.1:3010"
  external-access-token: "TOKEN"
\`\`\`

如果 LLBot 设置了前缀，请写进地址：\`http://127.0.0.1:3010/prefix\`。账号自己发送的消息，只有在 LLBot 开启上报后才会收到。

更多账号，或与 OneBot 并用：

\`\`\`yaml
# config/config.yml
upstreams:
  - name: second
    kind: milky
    url: "http://127.0.0.1:3011"
    access-token: "TOKEN"
\`\`\`

## 事件的获取方式

\`ntqq-impl.milky.events\` 和 \`upstreams[].events\`：

- \`websocket\`（默认）和 \`sse\`：perpetua 连接对方的 \`/event\`，断开后自动重连。
- \`webhook\`：实现端把事件上报到 \`http://127.0.0.1:8080/milky/event\`，并以 \`access-token\` 作为 Bearer token。仅在其他方式不可用时使用：perpetua 不在时上报的事件会丢失。

动作始终通过 HTTP 发往 \`/api\`。perpetua 每十秒查询一次账号，连续三次没有回答即视为断线。收到 \`bot_offline\` 后，心跳显示账号不在线，直到 QQ 恢复可用。

## Lagrange.Milky

perpetua 可以替你运行它，与 [Lagrange.OneBot](lagrange.zh-CN.md) 相同：

\`\`\`yaml
# config/config.yml
ntqq-impl:
  mode: embedded
  embedded: lagrange-milky
  account: "1234567890"
  sign-server-url: "https://sign.example.com/api/"
  archive: "Lagrange.Milky-linux-x64.zip"
\`\`\`

- **从哪里获取**：它没有发布版。构建产物在 GitHub 上 \`LagrangeDev/Lagrange.Core\` 的 \`milky-build\` 工作流里，登录后才能下载。把文件写入 \`ntqq-impl.archive\`，或把解压后的程序写入 \`ntqq-impl.path\`。也可以用 \`ntqq-impl.download.base\` 指定你自己的服务器，文件位于 \`/LagrangeDev/Lagrange.Core/releases/download/milky/\`。
- **运行哪一个**：\`ntqq-impl.embedded\` 为 \`auto\` 时，运行已存在的那一个，都没有则为 Lagrange.Milky。正在使用 Lagrange.OneBot 的用户不受影响。
- **设置**：perpetua 把缺少的内容写入配置文件旁的 \`appsettings.json\`：地址、token、账号、签名服务器。已有的内容不变。\`ntqq-impl.sign-server-token\` 用于需要 token 的签名服务器。

## 登录

Lagrange.Milky 必须知道账号：\`ntqq-impl.account\`。首次启动时会显示二维码：终端里、日志中的地址，以及 \`/api/qrcode\` 的图片（见[运行 Lagrange](lagrange.zh-CN.md#登录)）。请用已登录该账号的手机 QQ 扫描。登录信息保存在 \`1234567890.ks\`，请勿泄露；下次启动不再需要扫码。

- 二维码过期后程序会退出，随后自动重启并给出新的二维码。
- 如果在 \`appsettings.json\` 里设置了密码，可能需要验证码或新设备验证：日志会给出要打开的地址。短信验证码需在终端输入；没有终端时，请先手动登录一次。
- 会话被 QQ 结束后，程序会自动重新启动。

## 消息编号

Milky 的消息编号按会话计数。perpetua 据此生成 OneBot 的 \`message_id\`：每次运行都相同，并保存在 \`data-dir\`，因此重启后仍可回复、查询和撤回。至少记住最近 90 天内的最后五十万条消息，会话繁忙时远多于此；更早的返回 1404。\`real_id\` 和 \`message_seq\` 是 Milky 自己的编号。`,
    events: `## 事件

Milky 的其他事件以 \`notice\` 传递：\`notice_type\` 为 \`milky\`，\`sub_type\` 为事件名称，并带有 \`data\`。`,
    segments: `## 消息段

未知类型的消息段原样传递。Lagrange 不上报表情、文件和 XML。`,
    actions: `## 动作

其余动作返回 1404：Milky 没有 \`set_group_sign\`、\`set_group_anonymous\`、\`set_group_anonymous_ban\`、\`get_group_honor_info\`、\`get_group_at_all_remain\`、\`ocr_image\`、\`set_friend_remark\` 和 \`set_online_status\`。Lagrange 还缺少其中一些 API，此时返回 1404 并说明 API 名称。Milky 不能重启实现端：perpetua 自己回答 \`set_restart\` 并重新连接。快速操作可用。`,
    end: `文件：\`http://\`、\`https://\`、\`base64://\` 和 \`file://\` 原样传递；路径指实现端所在机器上的路径。收到的图片、语音和视频的 \`file\` 可以再次发送，届时会重新获取地址。`,
  },
} as const
