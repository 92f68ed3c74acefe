/**
 * The architecture's import rules as one pure function of the sources: who may import whom, which package and which of
 * Node's modules belong to which folder, and who may touch the clock and the output streams.
 */
import ts from 'typescript'

export type Folder = 'domain' | 'wire' | 'net' | 'client' | 'keeper' | 'emulator' | 'cli'

const MAY_IMPORT: Readonly<Record<Folder, readonly Folder[]>> = {
  domain: [],
  wire: ['domain'],
  net: ['domain'],
  client: ['domain', 'wire', 'net'],
  keeper: ['domain', 'net'],
  emulator: ['domain', 'wire', 'net'],
  cli: ['domain', 'client', 'keeper', 'net'],
}

const COMPOSITION_ROOT = 'src/cli/main.ts'
const LIBRARY = 'src/index.ts'
const CLOCK = 'src/net/clock.ts'

/** What the library's index may name: the vocabulary, the client, and the type of the clock that it takes. */
const libraryMayImport = (target: string): boolean =>
  /^src\/(domain|client)\//.test(target) || target === 'src/net/clock.js'

const PACKAGE_HOME: ReadonlyMap<string, Folder> = new Map([
  ['commander', 'cli'],
  ['chalk', 'cli'],
  ['undici', 'net'],
  ['fast-xml-parser', 'wire'],
])

const ONLY_IN_NET: ReadonlySet<string> = new Set(
  ['dgram', 'net', 'http', 'https', 'http2', 'tls', 'dns', 'os', 'child_process'].flatMap((name) => [
    name,
    `${name}/promises`,
  ]),
)

const TIMERS: ReadonlySet<string> = new Set(['setTimeout', 'setInterval', 'performance'])
const STREAMS: ReadonlySet<string> = new Set(['stdout', 'stderr'])

/** One line for each breach, `path: what`; the keys are paths from the project's root, `src/…`. */
export function violations(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, source]) => {
    const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
    const found: string[] = []
    const visit = (node: ts.Node): void => {
      const specifier = specifierOf(node)
      const breach = specifier === undefined ? globalBreach(path, node) : importBreach(path, specifier)
      if (breach !== undefined) found.push(`${path}: ${breach}`)
      ts.forEachChild(node, visit)
    }
    visit(file)
    return found
  })
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

function textOf(node: ts.Node | undefined): string {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : ''
}

function folderOf(path: string): string {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? ''
}

function isFolder(name: string): name is Folder {
  return Object.hasOwn(MAY_IMPORT, name)
}

function importBreach(path: string, specifier: string): string | undefined {
  if (specifier === '') return 'imports what is not a literal'
  if (specifier.startsWith('.')) return ownBreach(path, new URL(specifier, `file:///${path}`).pathname.slice(1))
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

function ownBreach(path: string, target: string): string | undefined {
  const breach = `imports ${target}`
  if (path === LIBRARY) return libraryMayImport(target) ? undefined : breach
  const from = folderOf(path)
  const to = folderOf(target)
  if (!isFolder(from)) return `is in no folder of the architecture`
  if (from === to) return undefined
  if (path === COMPOSITION_ROOT && to === 'emulator') return undefined
  return isFolder(to) && MAY_IMPORT[from].includes(to) ? undefined : breach
}

/** A use of the clock or of the output streams where it does not belong. */
function globalBreach(path: string, node: ts.Node): string | undefined {
  if (!ts.isIdentifier(node) || !isGlobalReference(node)) return undefined
  const inCli = folderOf(path) === 'cli'
  if (TIMERS.has(node.text) && path !== CLOCK) return `uses ${node.text}, which is for net/clock.ts`
  if (node.text === 'Date' && path !== CLOCK && !(inCli && formatsATime(node))) {
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
