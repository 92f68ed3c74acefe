/** Runs programs on loopback and measures them. test/lab/lab.ts runs those on the lab's hosts. */
import { Command, type Finished } from '../test/lab/command.ts'
import { upnpTsCommand } from '../test/lab/lab.ts'

/** A listing of 10 000 entries takes a while. */
export const LONG_DEADLINE_MS = 120_000

/** The time from its start to its end. @throws Error if it failed, or did not print what it should */
export function wallMs({ exit, stdout, stderr, wallMs }: Finished, says: RegExp): number {
  if (exit !== 0 || !says.test(stdout)) {
    throw new Error(`exit ${exit}, without ${says}: ${`${stdout}${stderr}`.trim().slice(-400)}`)
  }
  return wallMs
}

/** The time from now, the start of the command, to the line that matches. Waits for the end of the command. */
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
