/** Every regular expression in the sources, with its pattern, also if that is put together from constants. */
import ts from 'typescript'

export interface FoundExpression {
  readonly path: string
  /** Undefined if the pattern cannot be known from the file. */
  readonly pattern: string | undefined
  readonly flags: string
}

/** Methods that make a regular expression of a text. */
const COMPILING: ReadonlySet<string> = new Set(['match', 'matchAll', 'search'])

export function expressionsOf(path: string, text: string): FoundExpression[] {
  const found: FoundExpression[] = []
  const constants = new Map<string, ts.Expression>()
  const all = (node: ts.Node, see: (node: ts.Node) => void): void => {
    see(node)
    ts.forEachChild(node, (child) => all(child, see))
  }
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  all(file, (node) => {
    const isConstant = ts.isVariableDeclaration(node) && (node.parent.flags & ts.NodeFlags.Const) !== 0
    if (isConstant && ts.isIdentifier(node.name) && node.initializer) constants.set(node.name.text, node.initializer)
  })
  all(file, (node) => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/')
      found.push({ path, pattern: node.text.slice(1, end), flags: node.text.slice(end + 1) })
    } else if (isNamed(node, 'RegExp')) {
      const [pattern, flags] = (node.arguments ?? []).map((argument) => textOf(argument, constants))
      const isKnown = node.arguments?.[1] === undefined || flags !== undefined
      found.push({ path, pattern: isKnown ? pattern : undefined, flags: flags ?? '' })
    } else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const [argument] = node.arguments
      const isText = argument !== undefined && (ts.isStringLiteralLike(argument) || ts.isTemplateExpression(argument))
      if (isText && COMPILING.has(node.expression.name.text))
        found.push({ path, pattern: textOf(argument, constants), flags: '' })
    }
  })
  return found
}

function isNamed(node: ts.Node, name: string): node is ts.NewExpression | ts.CallExpression {
  if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return false
  return ts.isIdentifier(node.expression) && node.expression.text === name
}

function textOf(node: ts.Expression, constants: ReadonlyMap<string, ts.Expression>): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isNumericLiteral(node)) return node.text.replaceAll('_', '')
  if (ts.isIdentifier(node)) {
    const value = constants.get(node.text)
    return value && textOf(value, constants)
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return joined([textOf(node.left, constants), textOf(node.right, constants)])
  if (!ts.isTemplateExpression(node)) return undefined
  const spans = node.templateSpans.flatMap((span) => [textOf(span.expression, constants), span.literal.text])
  return joined([node.head.text, ...spans])
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  return parts.includes(undefined) ? undefined : parts.join('')
}
