// One OneBot action as a row of a table: which APIs it needs, what it asks them, what it makes of their answers.

import type { Fields } from '../onebot/object.ts'
import type { Api, Input, Output } from './shapes.ts'
import type { Stage } from './stage.ts'

export interface Action {
  /** What it asks the implementation for; none: it is answered here. */
  readonly apis: readonly Api[]
  /** Calls of one conversation keep their order: which one it is. Absent: calls do not wait for each other. */
  readonly line?: (params: Fields) => string
  /** Resolves with the reply's data. Rejects with MilkyError. */
  readonly run: (params: Fields, it: Stage) => unknown
}

export type Actions = Readonly<Record<string, Action>>

/** An action that is one API under another name. Without `result`: there is nothing to tell. */
export function row<A extends Api>(
  api: A,
  params: (params: Fields, it: Stage) => Input<A> | Promise<Input<A>>,
  result: (data: Output<A>, it: Stage, params: Fields) => unknown = () => null,
): Action {
  return { apis: [api], run: async (given, it) => result(await it.call(api, await params(given, it)), it, given) }
}

/** An action that takes several steps. */
export const steps = (apis: readonly Api[], run: Action['run']): Action => ({ apis, run })

/** The value, where it is a list; else none: nobody has checked it. */
export const list = <T>(value: readonly T[] | null | undefined): readonly T[] => (Array.isArray(value) ? value : [])
