/**
 * The port mappers that npm has, each installed in a directory of its own for the time of the bench. They are no
 * dependencies of this project; what cannot be had is left out.
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
  /** With its version. */
  readonly title: string
  /** Runs it on the lab's computer to its end. */
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
      if (installed.length === 0) break // the registry is out of reach, and would be for the others
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
