// Tells what the file system refuses from other errors.

// The network's errors have other codes.
const CODES =
  /^E(NOSPC|DQUOT|FBIG|IO|ACCES|PERM|ROFS|NOENT|NOTDIR|ISDIR|MFILE|NFILE|BUSY|EXIST|NAMETOOLONG|NOTEMPTY|XDEV)$/

export function isOfFiles(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && CODES.test(error.code)
}

/** In words, with what the system said. */
export function fileProblem(error: NodeJS.ErrnoException): string {
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT'
  return `${full ? 'the disk is full' : 'a file cannot be written or read'}: ${error.message}`
}
