/** The declarations that a door of the package gives to TypeScript, as a program of their own, without writing a file. */
import { join } from 'node:path'
import ts from 'typescript'

const ROOT = join(import.meta.dirname, '../..')
const OUT = join(ROOT, 'declarations')

export interface Declarations {
  /** By path. */
  readonly texts: ReadonlyMap<string, string>
  /** The program of a user, whose source imports from `'./declarations/DOOR.js'`. */
  programOf(source: string, options: ts.CompilerOptions): ts.Program
  readonly pathOf: (door: string) => string
}

export function declarationsOf(...doors: readonly string[]): Declarations {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path))
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, ROOT)
  const roots = doors.map((door) => join(ROOT, 'src', `${door}.ts`))
  const emitOptions = { ...options, declaration: true, emitDeclarationOnly: true, outDir: OUT }
  const texts = new Map<string, string>()
  ts.createProgram(roots, emitOptions).emit(undefined, (path, text) => texts.set(path, text))
  return {
    texts,
    pathOf: (door) => join(OUT, `${door}.d.ts`),
    programOf(source, given) {
      const user = join(ROOT, 'user.ts')
      const all = new Map([...texts, [user, source]])
      const userOptions = { ...given, module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, noEmit: true }
      const host = ts.createCompilerHost(userOptions)
      const { fileExists, readFile, getSourceFile } = host
      host.fileExists = (path) => all.has(path) || fileExists(path)
      host.readFile = (path) => all.get(path) ?? readFile(path)
      host.getSourceFile = (path, ...rest) => {
        const text = all.get(path)
        return text === undefined
          ? getSourceFile(path, ...rest)
          : ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
      }
      const { directoryExists } = host
      host.directoryExists = (path) => path.startsWith(OUT) || (directoryExists?.(path) ?? true)
      return ts.createProgram([user], userOptions, host)
    },
  }
}

/** Each type that a public declaration of the door names, and that the door does not export: `Owner names Type`. */
export function hiddenTypes({ programOf, pathOf }: Declarations, door: string): string[] {
  const program = programOf(`export * from './declarations/${door}.js'`, { types: ['node'], strict: true })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(pathOf(door))
  const module = source && checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${door} is no module`)
  const target = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const exported = new Set(checker.getExportsOfModule(module).map(target))
  const hidden = new Set<string>()
  const isOurs = (symbol: ts.Symbol): boolean =>
    (symbol.declarations ?? []).some(
      (each) =>
        each.getSourceFile().fileName.includes('/declarations/') &&
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
