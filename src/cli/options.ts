// Options that several commands share.

import type { StringArgDef } from 'citty'

export const DEFAULT_CONFIG = 'config/config.yml'

export const configOption = {
  type: 'string',
  alias: 'c',
  valueHint: 'file',
  description: 'The config file',
  default: DEFAULT_CONFIG,
} as const satisfies StringArgDef
