// What docsify is told of these pages. It is a file of its own: the page allows no script inside itself.
window.$docsify = {
  // Opened as a file, the page may not read the others: then what stands in it stays, and says so.
  el: location.protocol === 'file:' ? '#nowhere' : '#app',
  name: 'perpetua',
  logo: 'images/icon.svg',
  homepage: 'introduction.zh-CN.md',
  notFoundPage: '_404.md',
  loadSidebar: true,
  // One sidebar for all.
  alias: { '/.*/_sidebar.md': '/_sidebar.md' },
  subMaxLevel: 2,
  relativePath: true,
  auto2top: true,
  // Pictures of emoji would come from elsewhere.
  noEmoji: true,
  search: { placeholder: '搜索 / Search', noData: '没有找到 / Nothing found', depth: 3, paths: 'auto' },
  plugins: [(hook, vm) => hook.doneEach(() => dress(vm.route.file))],
}

/** What a page gets when it stands: its language, a way to the other one, buttons that copy, pictures by their middle. */
function dress(file) {
  const chinese = file.endsWith('.zh-CN.md') || file.startsWith('_')
  document.documentElement.lang = chinese ? 'zh-CN' : 'en'
  const twin = [...document.querySelectorAll('.markdown-section > p a')].find(({ textContent }) =>
    ['English', '简体中文'].includes(textContent),
  )
  const heads = document.querySelectorAll('.sidebar-nav > ul > li > :is(strong, p > strong, a.language)')
  for (const [at, head] of heads.entries()) {
    const here = (at === 0) === chinese
    const link = Object.assign(document.createElement(here ? 'strong' : 'a'), { textContent: head.textContent })
    link.className = 'language'
    if (!here) link.href = twin?.getAttribute('href') ?? (chinese ? '#/introduction' : '#/')
    head.replaceWith(link)
  }
  for (const block of document.querySelectorAll('.markdown-section pre')) block.append(copyButton(block, chinese))
  for (const { parentElement: frame } of document.querySelectorAll('.markdown-section p > img'))
    frame.scrollLeft = (frame.scrollWidth - frame.clientWidth) / 2
  document.documentElement.dataset.page = `/${file.replace(/\.md$/, '')}`
}

function copyButton(block, chinese) {
  const button = Object.assign(document.createElement('button'), { className: 'copy', type: 'button' })
  button.textContent = chinese ? '复制' : 'Copy'
  button.addEventListener('click', async () => {
    const done = await copied(block.querySelector('code'))
    button.textContent = chinese ? (done ? '已复制' : '请按 Ctrl-C') : done ? 'Copied' : 'Press Ctrl-C'
  })
  return button
}

/** Where the browser allows no copying, which it does with plain HTTP from another machine, the text is selected. */
async function copied(code) {
  try {
    await navigator.clipboard.writeText(code.textContent)
    return true
  } catch {
    getSelection().selectAllChildren(code)
    return false
  }
}
