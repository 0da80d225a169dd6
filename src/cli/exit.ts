// Exit codes, and what each means.

export const EXIT = {
  ok: { code: 0, means: 'all went well; also an orderly stop by a signal' },
  failed: { code: 1, means: 'the config is invalid, or something failed at run time' },
  usage: { code: 2, means: 'unknown command or option' },
  portInUse: { code: 3, means: 'the port (http.port, --port) is in use' },
  locked: { code: 4, means: 'a running gateway uses the data folder (data-dir)' },
} as const satisfies Record<string, { code: number; means: string }>
