// Says which of two versions is the newer one.

/** Positive when `a` is newer, negative when `b` is, 0 when neither. A leading v and build data count for nothing. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parts(a), parts(b)]
  for (let i = 0; i < 3; i++) {
    const difference = (x.numbers[i] ?? 0) - (y.numbers[i] ?? 0)
    if (difference !== 0) return difference
  }
  // What is on its way to a version comes before it.
  if (x.pre === '' || y.pre === '') return Number(x.pre === '') - Number(y.pre === '')
  return x.pre.localeCompare(y.pre, 'en', { numeric: true })
}

function parts(version: string): { numbers: number[]; pre: string } {
  const [, core = '', pre = ''] = /^v?([\d.]+)(?:-([^+]*))?/.exec(version) ?? []
  return { numbers: core.split('.').map(Number), pre }
}
