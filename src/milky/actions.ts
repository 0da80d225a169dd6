// The form in which actions are declared, and the table of all of them: OneBot's name -> what is asked, and what it gives.

import { accountActions } from './account-actions.ts'
import { MilkyError, UNSUPPORTED } from './api.ts'
import { fileActions } from './file-actions.ts'
import { friendActions } from './friend-actions.ts'
import { groupActions } from './group-actions.ts'
import type { Action } from './mapping.ts'
import { messageActions } from './message-actions.ts'
import { sendActions } from './send-actions.ts'

const ACTIONS: ReadonlyMap<string, Action> = new Map(
  [sendActions, messageActions, friendActions, groupActions, fileActions, accountActions].flatMap((actions) =>
    Object.entries(actions),
  ),
)

/** All of them, for whoever describes them. */
export const ALL_ACTIONS: Iterable<readonly [name: string, action: Action]> = ACTIONS

/** @throws MilkyError where Milky has nothing for it. */
export function actionOf(name: string): Action {
  const found = ACTIONS.get(name)
  if (found !== undefined) return found
  throw new MilkyError(UNSUPPORTED, `action ${name}: Milky has nothing that does this`)
}
