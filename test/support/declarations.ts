/** The declarations that the package gives to TypeScript, as `npm run build` has left them, in the program of a user. */
import { join } from 'node:path'
import ts from 'typescript'

const ROOT = join(import.meta.dirname, '../..')
const DECLARATIONS = join(ROOT, 'dist')
const USER = join(ROOT, 'user.ts')

const parsed = new Map<string, ts.SourceFile | undefined>()

/** The program of a user, whose source imports from `'./dist/DOOR.js'`. Files are parsed once for all programs. */
export function programOf(source: string, given: ts.CompilerOptions): ts.Program {
  const options = { ...given, module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, noEmit: true }
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  host.fileExists = (path) => path === USER || fileExists(path)
  host.getSourceFile = (path, ...rest) => {
    if (path === USER) return ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, ...rest))
    return parsed.get(path)
  }
  return ts.createProgram([USER], options, host)
}

/** The declarations that a program reaches, by their paths in dist. */
export function declarationsIn(program: ts.Program): string[] {
  return program.getSourceFiles().flatMap(({ fileName }) => {
    return fileName.startsWith(`${DECLARATIONS}/`) ? fileName.slice(DECLARATIONS.length + 1) : []
  })
}

/** Each type that a public declaration of the door names, and that the door does not export: `Owner names Type`. */
export function hiddenTypes(door: string): string[] {
  const options = { types: [], lib: ['lib.es2023.d.ts'], strict: true }
  const program = programOf(`export * from './dist/${door}.js'`, options)
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(join(DECLARATIONS, `${door}.d.ts`))
  const module = source && checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${door} is no module`)
  const target = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const exported = new Set(checker.getExportsOfModule(module).map(target))
  const hidden = new Set<string>()
  const isOurs = (symbol: ts.Symbol): boolean =>
    (symbol.declarations ?? []).some(
      (each) =>
        each.getSourceFile().fileName.startsWith(`${DECLARATIONS}/`) &&
        ts.isSourceFile(each.parent) &&
        (ts.isInterfaceDeclaration(each) || ts.isTypeAliasDeclaration(each) || ts.isClassDeclaration(each)),
    )
  for (const owner of exported) {
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node)) {
        const found = checker.getSymbolAtLocation(node)
        const symbol = found && target(found)
        if (symbol !== undefined && isOurs(symbol) && !exported.has(symbol))
          hidden.add(`${owner.name} names ${symbol.name}`)
      }
      ts.forEachChild(node, visit)
    }
    for (const declaration of owner.declarations ?? []) visit(declaration)
  }
  return [...hidden].sort()
}
