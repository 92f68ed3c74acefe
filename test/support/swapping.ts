/** Another process that puts a link in the place of a directory, and the directory back, as fast as it can. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const PROGRAM = `
  const { renameSync } = require('node:fs')
  const [directory, link] = process.argv.slice(1)
  let times = 0
  const swap = () => {
    for (let turn = 0; turn < 50; turn++, times++) {
      renameSync(directory, directory + '-aside')
      renameSync(link, directory)
      renameSync(directory, link)
      renameSync(directory + '-aside', directory)
    }
    if (times === 50) process.stdout.write('.')
    setImmediate(swap)
  }
  process.stdin.on('end', () => { process.stdout.write(String(times)); process.exit() }).resume()
  swap()
`

/** Runs `work` while the two are swapped by that user, and returns how often they were. */
export async function whileSwapping(
  { directory, link, uid }: { readonly directory: string; readonly link: string; readonly uid: number | undefined },
  work: () => Promise<void>,
): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, ['--eval', PROGRAM, directory, link], {
    cwd: '/', // that user may not see the one that this process has
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  let said = ''
  child.stdout?.on('data', (chunk) => {
    said += String(chunk)
  })
  if (child.stdout !== null) await once(child.stdout, 'data')
  try {
    await work()
  } finally {
    child.stdin?.end()
    await once(child, 'close')
  }
  return Number(said.slice(1))
}
