// A table that is laid out as cards on a phone: browsers would take it for no table then, hence the roles.

import type { ComponentChildren } from 'preact'
import { t } from './words.ts'

/** @param heads words of the dictionary. @param listed drawn closer. */
export function Table(props: { heads: readonly string[]; listed?: boolean; children: ComponentChildren }) {
  const { heads, listed = false, children } = props
  return (
    <table role="table" class={listed ? 'clients listed' : 'clients'}>
      <thead role="rowgroup">
        <tr role="row">
          {heads.map((head) => (
            <th key={head} role="columnheader" scope="col">
              {t(head)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">{children}</tbody>
    </table>
  )
}

/** What stands under each head, which is said with it where there is room for one column only. */
export type Cell = readonly [head: string, ComponentChildren]

export function Row({ cells }: { cells: readonly Cell[] }) {
  return (
    <tr role="row">
      {cells.map(([head, cell]) => (
        <td key={head} role="cell" data-label={t(head)}>
          <div>{cell}</div>
        </td>
      ))}
    </tr>
  )
}
