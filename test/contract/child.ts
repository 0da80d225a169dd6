// A process for the contract of processes, run by the runtime that starts it; its first argument says what it does.

import { spawn } from 'node:child_process'
import { fstatSync, readFileSync, writeSync } from 'node:fs'

const [deed, ...rest] = process.argv.slice(2)

/** Everything, whatever the pipe takes at once. */
function write(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

switch (deed) {
  case 'speak': // arbitrary bytes, and one line on the other stream
    write(
      1,
      Uint8Array.from({ length: 512 }, (_, i) => i),
    )
    write(2, Buffer.from('é 群'))
    process.exit(7)
    break
  case 'tell': {
    const stdin = fstatSync(0)
    const { CONTRACT = null, HOME = null } = process.env
    process.stdout.write(
      JSON.stringify({
        rest,
        cwd: process.cwd(),
        CONTRACT,
        HOME,
        stdin: [stdin.dev, stdin.ino],
        read: rest[0] === 'read' && readFileSync(0, 'utf8'),
      }),
    )
    break
  }
  case 'flood':
    for (let i = 0; i < Number(rest[0]); i++) write(1, new Uint8Array(1024 * 1024).fill(i))
    break
  case 'stay':
    setInterval(() => {}, 60_000)
    process.stdout.write('here')
    break
  case 'stubborn':
    process.on('SIGTERM', () => process.stdout.write('no'))
    setInterval(() => {}, 60_000)
    process.stdout.write('here')
    break
  case 'bequeath': {
    // Another one that keeps our pipes, and lives on.
    const heir = spawn(process.execPath, [...process.execArgv, ...rest], { stdio: 'inherit', detached: true })
    heir.unref()
    process.stdout.write(`${heir.pid}`, () => process.exit(0))
    break
  }
}
