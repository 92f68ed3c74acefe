/**
 * The port mappers on npm, each installed in a directory of its own while the bench runs. They are no dependencies of
 * this project, and those that cannot be installed are left out.
 */
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Finished } from '../test/lab/command.ts'
import { COMPUTER, type Lab } from '../test/lab/lab.ts'
import type { Surroundings } from './row.ts'

const NAMES = [
  'nat-upnp',
  'nat-api',
  '@silentbot1/nat-api',
  '@runonflux/nat-upnp',
  '@achingbrain/nat-port-mapper',
  'nat-upnp-rejetto',
] as const

const SCRIPT = fileURLToPath(new URL('port-mapper.mjs', import.meta.url))
const INSTALL_DEADLINE_MS = 60_000

export interface PortMapper {
  /** The name and the version. */
  readonly title: string
  /** Runs it to its end on the lab's computer. */
  readonly open: (lab: Lab, port: number) => Promise<Finished>
}

export async function installPortMappers({ directory, note }: Surroundings): Promise<PortMapper[]> {
  const installed: PortMapper[] = []
  const missing: string[] = []
  for (const name of NAMES) {
    try {
      installed.push(await install(name, join(directory, name.replaceAll(/\W/g, '-'))))
    } catch {
      missing.push(name)
      if (installed.length === 0) break // the registry is out of reach, so the others would fail too
    }
  }
  if (installed.length === 0) note('The port mappers of npm are left out: none could be installed.')
  else if (missing.length > 0) note(`Left out, because they could not be installed: ${missing.join(', ')}.`)
  return installed
}

async function install(name: string, directory: string): Promise<PortMapper> {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent']
  await promisify(execFile)('npm', ['install', ...options, name], { cwd: directory, timeout: INSTALL_DEADLINE_MS })
  const script = join(directory, 'port-mapper.mjs')
  copyFileSync(SCRIPT, script)
  const { version } = JSON.parse(readFileSync(join(directory, 'node_modules', name, 'package.json'), 'utf8'))
  return {
    title: `${name} ${version}`,
    open: (lab, port) => lab.on('computer', [process.execPath, script, name, `${port}`, COMPUTER]),
  }
}
