/**
 * The architecture's import rules as pure functions of the sources: which room may import which, that there is no circle
 * of files, which package and which of Node's modules belong where, and who may touch the clock and the output streams.
 */
import ts from 'typescript'

/**
 * Each room, and the rooms that it may import beside itself. A room is a folder with all that is in it, or one file; a
 * path belongs to the longest name that fits. `cli` and `client` are what stands in those folders directly.
 */
const ROOMS = {
  domain: [],
  wire: ['domain'],
  net: ['domain'],
  client: ['domain', 'wire', 'net'],
  'client/search': ['domain', 'wire', 'net', 'client', 'client/igd', 'client/port-control'],
  'client/igd': ['domain', 'wire', 'net', 'client'],
  'client/port-control': ['domain', 'wire', 'net', 'client'],
  'client/listen': ['domain', 'wire', 'net', 'client'],
  keeper: ['domain', 'net/clock'],
  library: ['domain', 'net', 'client', 'client/search', 'client/igd', 'client/port-control', 'client/listen', 'keeper'],
  emulator: ['domain', 'wire', 'net', 'emulator/tables', 'emulator/igd', 'emulator/port-control', 'emulator/quirks'],
  'emulator/tables': ['domain', 'wire'],
  'emulator/igd': ['domain', 'wire', 'net', 'emulator', 'emulator/tables'],
  'emulator/port-control': ['domain', 'wire', 'net', 'emulator', 'emulator/tables'],
  'emulator/quirks': ['domain', 'wire', 'emulator/igd', 'emulator/port-control'],
  'cli/report': ['domain', 'library', 'net'],
  'cli/failure': ['domain', 'cli/report', 'cli/parse'],
  'cli/context': ['domain', 'library', 'net'],
  'cli/surroundings': ['domain', 'library', 'net', 'cli/context', 'cli/print'],
  'cli/parse': ['domain', 'net'],
  'cli/print': ['domain', 'net/clock', 'cli/report', 'cli/parse'],
  'cli/run': ['domain', 'library', 'net', 'cli/report', 'cli/parse', 'cli/context', 'cli/failure'],
  'cli/keep': [
    'domain',
    'library',
    'net',
    'cli/report',
    'cli/parse',
    'cli/context',
    'cli/failure',
    'cli/run',
    'cli/surroundings',
  ],
  'cli/emulated': [
    'domain',
    'net',
    'emulator.ts',
    'cli/context',
    'cli/failure',
    'cli/parse',
    'cli/report',
    'cli/run',
    'cli/surroundings',
  ],
  'cli/watching': [
    'domain',
    'library',
    'net',
    'cli/report',
    'cli/parse',
    'cli/context',
    'cli/failure',
    'cli/surroundings',
    'cli/print',
    'cli/run',
  ],
  'cli/main': [
    'domain',
    'library',
    'net',
    'emulator.ts',
    'cli/emulated',
    'cli/report',
    'cli/parse',
    'cli/context',
    'cli/failure',
    'cli/surroundings',
    'cli/print',
    'cli/run',
    'cli/keep',
    'cli/watching',
  ],
  'index.ts': ['domain', 'library', 'net/clock'],
  'emulator.ts': [
    'domain',
    'wire/igd-actions',
    'net/clock',
    'net/datagrams',
    'net/files/private-files',
    'net/http',
    'net/interfaces',
    'net/network',
    'emulator',
    'emulator/tables',
    'emulator/igd',
  ],
  'wire.ts': ['domain', 'wire'],
  'bundle.ts': ['cli/main', 'index.ts', 'emulator.ts', 'wire.ts'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type Room = keyof typeof ROOMS

const CLOCK = 'src/net/clock.ts'

const PACKAGE_HOME: ReadonlyMap<string, string> = new Map([
  ['commander', 'cli'],
  ['chalk', 'cli'],
  ['lean-qr', 'cli'],
  ['undici', 'net'],
  ['fast-xml-parser', 'wire'],
])

const ONLY_IN_NET: ReadonlySet<string> = new Set(
  ['dgram', 'net', 'http', 'https', 'http2', 'tls', 'dns', 'os', 'fs', 'child_process'].flatMap((name) => [
    name,
    `${name}/promises`,
  ]),
)

const TIMERS: ReadonlySet<string> = new Set(['setTimeout', 'setInterval', 'performance'])
const STREAMS: ReadonlySet<string> = new Set(['stdout', 'stderr'])

/** One import of a file of the project: by its path from the root, `src/… .ts`. */
export interface Arrow {
  readonly from: string
  readonly to: string
  readonly isType: boolean
}

/** One line for each breach, `path: what`; the keys are paths from the project's root, `src/…`. */
export function violations(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, source]) => {
    const found: string[] = []
    for (const node of nodesOf(path, source)) {
      const specifier = specifierOf(node)
      const breach =
        specifier === undefined ? globalBreach(path, node) : importBreach(path, specifier, isTypeOnly(node))
      if (breach !== undefined) found.push(`${path}: ${breach}`)
    }
    return found
  })
}

/** Every import of one file of the project by another. */
export function arrowsOf(files: ReadonlyMap<string, string>): Arrow[] {
  return [...files].flatMap(([path, source]) =>
    nodesOf(path, source).flatMap((node) => {
      const specifier = specifierOf(node)
      if (specifier?.startsWith('.') !== true) return []
      return [{ from: path, to: targetOf(path, specifier), isType: isTypeOnly(node) }]
    }),
  )
}

/** The circles of files, type imports included: each as the sorted paths that reach each other. */
export function circles(files: ReadonlyMap<string, string>): string[][] {
  const reached = reachableFrom(arrowsOf(files))
  const inCircles = [...reached].flatMap(([path, targets]) => (targets.has(path) ? [path] : []))
  const rings = inCircles.map((path) =>
    inCircles.filter((other) => reached.get(path)?.has(other) && reached.get(other)?.has(path)).sort(),
  )
  return [...new Map(rings.map((ring) => [ring.join(), ring])).values()]
}

function reachableFrom(arrows: readonly Arrow[]): ReadonlyMap<string, ReadonlySet<string>> {
  const next = new Map<string, Arrow[]>()
  for (const arrow of arrows) next.set(arrow.from, [...(next.get(arrow.from) ?? []), arrow])
  const walk = (path: string, seen: Set<string>): Set<string> => {
    for (const { to } of next.get(path) ?? []) if (!seen.has(to)) walk(to, seen.add(to))
    return seen
  }
  return new Map([...next.keys()].map((path) => [path, walk(path, new Set())]))
}

/** By source: two rules read every file, and parsing is what takes time. */
const parsed = new Map<string, readonly ts.Node[]>()

function nodesOf(path: string, source: string): readonly ts.Node[] {
  const known = parsed.get(source)
  if (known !== undefined) return known
  const nodes: ts.Node[] = []
  const visit = (node: ts.Node): void => {
    nodes.push(node)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true))
  parsed.set(source, nodes)
  return nodes
}

/** The module that an import, export-from, import(), import type or require names; '' where it is not a literal. */
function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node)) return textOf(node.moduleSpecifier)
  if (ts.isExportDeclaration(node)) return node.moduleSpecifier && textOf(node.moduleSpecifier)
  if (ts.isExternalModuleReference(node)) return textOf(node.expression)
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : ''
  if (!ts.isCallExpression(node)) return undefined
  const dynamic = node.expression.kind === ts.SyntaxKind.ImportKeyword
  const required = ts.isIdentifier(node.expression) && node.expression.text === 'require'
  return dynamic || required ? textOf(node.arguments[0]) : undefined
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
  if (ts.isExportDeclaration(node)) return node.isTypeOnly
  return ts.isImportTypeNode(node)
}

function textOf(node: ts.Node | undefined): string {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : ''
}

function targetOf(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1).replace(/\.js$/, '.ts')
}

function isInside(path: string, place: string): boolean {
  return path === `src/${place}` || path === `src/${place}.ts` || path.startsWith(`src/${place}/`)
}

function roomOf(path: string): Room | undefined {
  const rooms = Object.keys(ROOMS) as Room[]
  return rooms.filter((room) => isInside(path, room)).sort((one, other) => other.length - one.length)[0]
}

function folderOf(path: string): string {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? ''
}

function importBreach(path: string, specifier: string, isType: boolean): string | undefined {
  if (specifier === '') return 'imports what is not a literal'
  if (specifier.startsWith('.')) return ownBreach(path, targetOf(path, specifier), isType)
  const builtin = specifier.replace(/^node:/, '')
  if (ONLY_IN_NET.has(builtin)) return folderOf(path) === 'net' ? undefined : `imports ${specifier}, which is for net`
  if (/^timers(\/|$)/.test(builtin))
    return path === CLOCK ? undefined : `imports ${specifier}, which is for net/clock.ts`
  if (specifier.startsWith('node:')) return undefined
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  const home = PACKAGE_HOME.get(name)
  if (home === undefined) return `imports ${specifier}, which is not a dependency with a home`
  return folderOf(path) === home ? undefined : `imports ${specifier}, which is for ${home}`
}

/** The command line may name what client and keeper give; only the library lets it use them. */
function isNameOfAType(path: string, target: string, isType: boolean): boolean {
  return isType && folderOf(path) === 'cli' && ['client', 'keeper'].includes(folderOf(target))
}

function ownBreach(path: string, target: string, isType: boolean): string | undefined {
  const [room, other] = [roomOf(path), roomOf(target)]
  if (room === undefined) return 'is in no room of the architecture'
  if (other === undefined) return `imports ${target}, which is in no room of the architecture`
  if (room === other || isNameOfAType(path, target, isType)) return undefined
  const allowed: readonly string[] = ROOMS[room]
  return allowed.includes(other) || allowed.some((each) => each.includes('/') && isInside(target, each))
    ? undefined
    : `imports ${target}`
}

/** A use of the clock or of the output streams where it does not belong. */
function globalBreach(path: string, node: ts.Node): string | undefined {
  if (!ts.isIdentifier(node) || !isGlobalReference(node)) return undefined
  const inCli = folderOf(path) === 'cli'
  if (TIMERS.has(node.text) && path !== CLOCK) return `uses ${node.text}, which is for net/clock.ts`
  const mayShowTimes = ['cli', 'domain', 'library'].includes(folderOf(path))
  if (node.text === 'Date' && path !== CLOCK && !(mayShowTimes && formatsATime(node))) {
    return 'uses Date, which is for net/clock.ts'
  }
  if (node.text === 'console' && !inCli) return 'uses console, which is for cli'
  const { parent } = node
  if (node.text === 'process' && ts.isPropertyAccessExpression(parent) && STREAMS.has(parent.name.text) && !inCli) {
    return `uses process.${parent.name.text}, which is for cli`
  }
  return undefined
}

/** `new Date(ms)`: says nothing about now. */
function formatsATime(node: ts.Identifier): boolean {
  return ts.isNewExpression(node.parent) && (node.parent.arguments?.length ?? 0) > 0
}

/** Not the name of a property, of a declaration or of a type. */
function isGlobalReference(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return ts.isIdentifier(parent.expression) && parent.expression.text === 'globalThis'
  }
  if (ts.isTypeReferenceNode(parent) || ts.isQualifiedName(parent) || ts.isImportSpecifier(parent)) return false
  return !('name' in parent && parent.name === node)
}
