// What docsify is told of these pages. It is a file of its own: the page allows no script inside itself.
window.$docsify = {
  name: 'perpetua',
  logo: 'images/icon.svg',
  homepage: 'introduction.zh-CN.md',
  loadSidebar: true,
  // One sidebar for all.
  alias: { '/.*/_sidebar.md': '/_sidebar.md' },
  subMaxLevel: 2,
  relativePath: true,
  auto2top: true,
  // Pictures of emoji would come from elsewhere.
  noEmoji: true,
  search: { placeholder: '搜索 / Search', noData: '没有找到 / Nothing found', depth: 3, paths: 'auto' },
}
