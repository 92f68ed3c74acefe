/** The programs that are measured on loopback; those in the lab's hosts are test/lab/lab.ts's. */
import { Command, type Finished } from '../test/lab/command.ts'
import { upnpTsCommand } from '../test/lab/lab.ts'

/** A listing of 10 000 entries takes a while. */
export const LONG_DEADLINE_MS = 120_000

/** From its start to its end. What does not end well, or does not say what it should, is no measurement. */
export function wallMs({ exit, stdout, stderr, wallMs }: Finished, says: RegExp): number {
  if (exit !== 0 || !says.test(stdout)) {
    throw new Error(`exit ${exit}, without ${says}: ${`${stdout}${stderr}`.trim().slice(-400)}`)
  }
  return wallMs
}

/** From now, which is its start, to the line that matches; it is awaited to its end. */
export async function saidMs(command: Command, line: RegExp): Promise<number> {
  const startMs = performance.now()
  await command.says(line)
  const ms = performance.now() - startMs
  wallMs(await command.ends(), line)
  return ms
}

export async function nodeMs(): Promise<number> {
  return wallMs(await new Command([process.execPath, '-e', '0']).ends(), /^$/)
}

export async function upnpTsMs(says: RegExp, ...argv: string[]): Promise<number> {
  return wallMs(await new Command(upnpTsCommand(...argv)).ends(LONG_DEADLINE_MS), says)
}

export async function upnpcMs(says: RegExp, ...argv: string[]): Promise<number> {
  return wallMs(await new Command(['upnpc', ...argv]).ends(LONG_DEADLINE_MS), says)
}

export async function isInstalled(program: string): Promise<boolean> {
  return (await new Command(['sh', '-c', `command -v ${program}`]).ends()).exit === 0
}
