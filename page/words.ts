// The words of both pages, in both languages.

export type Language = 'en' | 'zh'

/** English, Chinese. {0}, {1}: what is put in. */
const WORDS: Readonly<Record<string, readonly [string, string]>> = {
  skip: ['Skip to the content', '跳到内容'],
  dashboard: ['Dashboard', '控制台'],
  sandbox: ['Sandbox chat', '沙盒聊天'],
  settings: ['Settings', '设置'],
  otherLang: ['zh', 'en'],
  otherLanguage: ['中文', 'English'],
  theme: ['Theme', '主题'],
  'theme-auto': ['Auto', '自动'],
  'theme-light': ['Light', '浅色'],
  'theme-dark': ['Dark', '深色'],
  leave: ['Log out', '退出'],
  unreachable: ['The gateway cannot be reached.', '无法连接网关。'],
  'door-title': ['Admin token needed', '需要管理 token'],
  'door-why': [
    'This page shows and steers the gateway. It needs the admin token, which stays in this tab.',
    '此页面用于查看和操作网关，需要管理 token。token 只保存在当前标签页中。',
  ],
  'door-token': ['Admin token', '管理 token'],
  'door-keep': ['Remember it in this browser', '在此浏览器中记住'],
  'door-enter': ['Enter', '进入'],
  'door-empty': ['Paste the token first.', '请先粘贴 token。'],
  'door-where': ['Where is it?', '在哪里找到？'],
  'door-where-link': [
    'In the link that perpetua prints when it starts: opened, it asks for nothing.',
    'perpetua 启动时打印的链接中：直接打开链接即可，无需输入。',
  ],
  'door-where-file': ['In the file', '文件：'],
  'door-where-config': ['Or in the config, as', '或配置项：'],
  'door-clients': ['Where clients connect', '客户端连接地址'],
  loading: ['Loading…', '加载中…'],
  lost: [
    'The gateway does not answer. Trying again; what you see is from before.',
    '网关没有响应，正在重试。当前显示的是之前的数据。',
  ],
  version: ['version', '版本'],
  uptime: ['running for', '已运行'],
  links: ['links', '连接数'],
  memory: ['memory', '内存'],
  'event-loop-lag': ['timer delay', '定时器延迟'],
  'to-sandbox': ['Open the sandbox chat', '打开沙盒聊天'],
  'to-dashboard': ['Open the dashboard', '打开控制台'],
  incidents: ['What is wrong now', '当前问题'],
  bots: ['Bots', '机器人'],
  bot: ['bot', '机器人'],
  'no-bots': ['No bot is configured.', '没有配置机器人。'],
  online: ['online', '在线'],
  offline: ['offline', '离线'],
  account: ['account', '账号'],
  implementation: ['implementation', 'OneBot 实现'],
  peer: ['address', '地址'],
  'online-for': ['online for', '在线时长'],
  'offline-for': ['offline for', '离线时长'],
  heartbeat: ['heartbeat', '心跳'],
  ago: ['{0} ago', '{0}前'],
  journal: ['journal', '事件日志'],
  delivered: ['delivered', '已分发'],
  embedded: ['run by perpetua', '由 perpetua 运行'],
  redial: ['Reconnect', '重新连接'],
  restart: ['Restart', '重启'],
  sure: ['Sure?', '确定？'],
  done: ['Done.', '已完成。'],
  scan: ['Login needed: scan this code with QQ on the phone.', '需要登录：请用手机 QQ 扫描此二维码。'],
  qr: ['QR code to log in', '登录二维码'],
  clients: ['Clients', '客户端'],
  client: ['client', '客户端'],
  'no-clients': ['No client is connected.', '没有客户端连接。'],
  transport: ['transport', '方式'],
  state: ['state', '状态'],
  pool: ['pool', '分组'],
  'rate-out': ['events out', '推送事件'],
  'rate-in': ['calls in', '收到调用'],
  pending: ['pending', '待发送'],
  lag: ['behind', '落后'],
  breaker: ['breaker', '熔断'],
  actions: ['actions', '操作'],
  'calls-only': ['calls only', '仅调用'],
  'state-live': ['live', '正常'],
  'state-waiting': ['waiting', '等待'],
  'state-catching-up': ['catching up', '追赶中'],
  'state-paused': ['paused', '已暂停'],
  'state-away': ['away', '已离开'],
  'state-gone': ['gone', '已断开'],
  kick: ['Kick', '断开'],
  kicked: ['{0} was disconnected.', '已断开 {0}。'],
  pause: ['Pause', '暂停'],
  paused: ['Its events are held back.', '已暂停推送事件。'],
  resume: ['Resume', '恢复'],
  resumed: ['Its events go on.', '已恢复推送事件。'],
  drop: ['Drop backlog', '丢弃积压'],
  rename: ['Rename', '重命名'],
  renamed: ['It is called {0} now.', '已重命名为 {0}。'],
  'new-name': ['New name', '新名称'],
  cancel: ['Cancel', '取消'],
  charts: ['The last hour', '最近一小时'],
  span: ['Show', '显示'],
  'chart-events': ['Events', '事件'],
  'chart-calls': ['Calls', '调用'],
  'chart-latency': ['Latency of calls', '调用延迟'],
  'chart-errors': ['Failed calls', '失败的调用'],
  calls: ['Calls', '调用'],
  'in-flight': ['in flight', '等待回复'],
  waiting: ['waiting', '排队'],
  paced: ['paced', '限速中'],
  held: ['held: the implementation is away', '暂存：实现端不在线'],
  failed: ['Failed since this page was opened', '打开此页面以来失败的调用'],
  'no-failed': ['None.', '无。'],
  time: ['time', '时间'],
  action: ['Action', '动作'],
  params: ['Params (JSON)', '参数（JSON）'],
  'try-call': ['Call an action', '调用一个动作'],
  call: ['Call', '调用'],
  tap: ['Live tap', '实时查看'],
  'tap-pause': ['Pause', '暂停'],
  'tap-go-on': ['Go on', '继续'],
  clear: ['Clear', '清空'],
  filter: ['What is shown', '显示内容'],
  'kind-event': ['events', '事件'],
  'kind-action': ['actions', '动作'],
  'kind-reply': ['replies', '回复'],
  'kind-fact': ['facts', '其他'],
  'tap-texts': ['texts of messages', '消息内容'],
  'filter-bot': ['Bot', '机器人'],
  'filter-type': ['Type', '类型'],
  'filter-action': ['Action', '动作'],
  'filter-client': ['Client', '客户端'],
  'filter-group': ['Group', '群'],
  'filter-user': ['User', '用户'],
  'filter-text': ['Text', '文本'],
  skipped: ['{0} were left out: there are too many to be shown.', '数量过多，省略了 {0} 条。'],
  'tap-empty': [
    'Nothing yet. Events and actions appear here as they happen.',
    '暂无内容。事件和动作会实时显示在这里。',
  ],
  log: ['Log', '日志'],
  level: ['Level', '级别'],
  contains: ['Contains', '包含'],
  'no-lines': ['No such lines.', '没有符合的日志。'],
  config: ['Configuration', '配置'],
  'config-none': ['This gateway was started without a config file.', '此网关启动时没有配置文件。'],
  'config-how': [
    'Secrets are shown as ***. Try a change here: it is checked as you type, and nothing is saved. To apply it, edit the file itself.',
    '敏感信息显示为 ***。可以在这里试改：输入时即时检查，不会保存。要生效请修改文件本身。',
  ],
  'config-ok': ['This could be the file.', '格式正确，可以使用。'],
  'config-restart': ['Takes effect at the next start only:', '重启后才生效：'],
  'config-reload': ['Reload the file', '重新加载文件'],
  'config-applied': ['The file was read and applied.', '已重新加载并生效。'],
  'config-in-force': ['What is in force, defaults included', '当前生效的配置（含默认值）'],
  'config-masked': ['Secrets are ***', '敏感信息显示为 ***'],
  copy: ['Copy', '复制'],
  copied: ['Copied', '已复制'],
  show: ['Show', '展开'],
  everybody: ['everybody', '全体成员'],
  'segment-image': ['picture', '图片'],
  'segment-record': ['voice', '语音'],
  'segment-video': ['video', '视频'],
  'segment-forward': ['Forwarded messages', '合并转发'],
  'open-link': ['open', '打开'],
  conversation: ['Conversation', '会话'],
  conversations: ['Conversations', '会话列表'],
  groups: ['Groups', '群'],
  friends: ['Friends', '好友'],
  'nobody-here': ['Nobody else is here.', '这里没有其他人。'],
  messages: ['Messages', '消息'],
  'say-something': [
    'Nothing was said here yet. Write something below: the bot hears it.',
    '还没有消息。在下面发一条，机器人会收到。',
  ],
  recalled: ['Recalled', '已撤回'],
  reply: ['Reply', '回复'],
  recall: ['Recall', '撤回'],
  called: ['What the bot calls', '机器人的调用'],
  'no-calls': ['Nothing yet.', '暂无。'],
  'speak-as': ['Speak as', '发言者'],
  'role-owner': ['owner', '群主'],
  'role-admin': ['admin', '管理员'],
  'at-bot': ['@ the bot', '@机器人'],
  'cq-codes': ['with CQ codes', '解析 CQ 码'],
  message: ['Message', '消息'],
  'message-hint': ['Enter sends, Shift+Enter breaks the line', 'Enter 发送，Shift+Enter 换行'],
  picture: ['Picture', '图片'],
  remove: ['Remove', '移除'],
  'too-big': ['The picture is bigger than {0}.', '图片超过 {0}。'],
  send: ['Send', '发送'],
  deeds: ['What people do', '模拟操作'],
  'let-me-in': ['Let me in', '请通过'],
  'deed-poke': ['{0} pokes the bot', '{0} 戳一戳机器人'],
  'deed-join': ['Somebody joins', '新成员入群'],
  'deed-ask-join': ['Somebody asks to join', '有人申请入群'],
  'deed-leave': ['{0} leaves', '{0} 退群'],
  'deed-ask-friend': ['Somebody asks to be a friend', '有人申请加好友'],
  'deed-befriend': ['Somebody becomes a friend', '直接添加好友'],
  'deed-invite': ['Invite the bot to a group', '邀请机器人入群'],
  requests: ['Requests that the bot has not answered:', '机器人尚未处理的请求：'],
  faults: ['What goes wrong', '故障模拟'],
  'faults-why': [
    'Real implementations fail like this. See what your bot does.',
    '真实的实现端会出现这些问题，看看你的机器人如何应对。',
  ],
  'fault-slow': ['Slow', '缓慢'],
  'fault-slow-why': ['each reply takes 3 s', '每次回复延迟 3 秒'],
  'fault-lost': ['No replies', '不回复'],
  'fault-lost-why': ['calls are never answered', '调用得不到回复'],
  'fault-silent': ['Silent', '沉默'],
  'fault-silent-why': ['no events, no heartbeats', '没有事件和心跳'],
  'fault-drop': ['Disconnect now', '立即断开'],
  'fault-away': ['disconnected', '已断开'],
  dropped: ['{0} connections dropped; perpetua dials again.', '断开了 {0} 个连接，perpetua 会重连。'],
  start: ['Getting started', '开始'],
  'start-what': [
    "A simulated QQ: {0} ({1}) is your bot's account. Nothing here leaves this machine.",
    '模拟的 QQ：{0}（{1}）是机器人的账号。这里的一切都不会离开本机。',
  ],
  'start-none': ['no bot program is connected yet', '还没有机器人程序连接'],
  'start-connected': ['connected: {0}', '已连接：{0}'],
  'start-how': ['How to connect a bot', '如何连接机器人'],
  'start-connect': [
    'Connect your bot program by OneBot 11 WebSocket to',
    '让你的机器人程序通过 OneBot 11 WebSocket 连接',
  ],
  'start-talk': ['Choose a group or a friend, and write something.', '选择一个群或好友，发一条消息。'],
  'start-answer': ['See here what the bot answers, and what it calls.', '在这里查看机器人的回复和调用。'],
  'snippet-script': ['A script of your own: node echo.mjs', '自己的脚本：node echo.mjs'],
}

const KEY = 'perpetua-language'
const watchers = new Set<() => void>()
let current: Language = chosen() ?? preferred()
say()

export const language = (): Language => current

export function setLanguage(next: Language): void {
  current = next
  try {
    localStorage.setItem(KEY, next)
  } catch {
    // It is the browser's again the next time.
  }
  say()
  for (const watcher of watchers) watcher()
}

/** Returns what ends it. */
export function watchLanguage(watcher: () => void): () => void {
  watchers.add(watcher)
  return () => void watchers.delete(watcher)
}

/** A name that nobody has words for is shown as it is. */
export function t(name: string, ...values: string[]): string {
  const words = (Object.hasOwn(WORDS, name) && WORDS[name]?.[current === 'zh' ? 1 : 0]) || name
  // All at once: what is put in may hold braces of its own.
  return words.replace(/\{(\d)\}/g, (_, at: string) => values[Number(at)] ?? '')
}

function chosen(): Language | undefined {
  try {
    const kept = localStorage.getItem(KEY)
    return kept === 'zh' || kept === 'en' ? kept : undefined
  } catch {
    return undefined
  }
}

/** The first of the browser's languages that we have. */
function preferred(): Language {
  const first = navigator.languages.find((one) => /^(?:zh|en)\b/i.test(one))
  return first !== undefined && /^zh/i.test(first) ? 'zh' : 'en'
}

function say(): void {
  document.documentElement.lang = current === 'zh' ? 'zh-CN' : 'en'
}
