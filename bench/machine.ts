/** What the numbers were measured on: the machine without its name, and the versions of the programs. */
import { cpus, release, type } from 'node:os'
import { Command } from '../test/lab/command.ts'

export async function machineText(date: Date): Promise<string> {
  const processors = cpus()
  const model = processors[0]?.model.trim().replaceAll(/\s+/g, ' ') || 'unknown processor'
  const cores = `${processors.length} core${processors.length === 1 ? '' : 's'}`
  // Nobody listens on port 1, so upnpc prints its banner and ends. With -u it does not search.
  const upnpc = await versionOf(/version ([\d.]+\d)/, 'upnpc', '-u', 'http://127.0.0.1:1/', '-s')
  const miniupnpd = await versionOf(/miniupnpd ([\d.]+\d)/, 'miniupnpd', '--version')
  const programs = [`Node ${process.versions.node}`, `upnpc ${upnpc}`, `miniupnpd ${miniupnpd}`]
  return `${model}, ${cores}, ${type()} ${release()}, ${programs.join(', ')}; ${date.toISOString().slice(0, 10)}`
}

async function versionOf(pattern: RegExp, ...argv: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await new Command(argv).ends()
    return pattern.exec(stdout + stderr)?.[1] ?? '(unknown version)'
  } catch {
    return '(not installed)'
  }
}
