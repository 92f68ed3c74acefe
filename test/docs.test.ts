/** The documents name files that exist, link to what is there, and have only code that compiles. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { DOCUMENTS, ROOT } from './support/doc-lines.ts'

/** As GitHub makes the anchor of a heading. */
function anchorsIn(text: string): readonly string[] {
  const headings = [...text.replaceAll(/^```.*?^```/gms, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe.each(DOCUMENTS)('%s', (document) => {
  const text = readFileSync(join(ROOT, document), 'utf8')

  it('names files of the project that exist', () => {
    const named = [...text.matchAll(/`((?:src|test|bench|bin)\/[\w./-]+\.\w+)`/g)].map(([, path = '']) => path)
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  it('links to what is there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
    const dead = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? document : join(dirname(document), path)
      if (!existsSync(join(ROOT, target))) return true
      return anchor !== undefined && !anchorsIn(readFileSync(join(ROOT, target), 'utf8')).includes(anchor)
    })
    expect(dead.map(([link]) => link)).toEqual([])
  })

  it('is linked to from the README', () => {
    if (document !== 'README.md') expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(`](${document})`)
  })
})

describe('the README', () => {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8')

  it('has 200 lines at most', () => {
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(200)
  })

  it('has no word in its first half that a gamer need not know', () => {
    const firstHalf = text.slice(0, text.indexOf('\n## For a VPN\n'))
    const words = /\b(IGD|SSDP|SOAP|UPnP|PCP|NAT|[Ll]ease|[Mm]apping|pinhole|redirected|gateway|loopback|[Ss]tdout)\b/g
    expect(firstHalf.match(words) ?? []).toEqual([])
  })
})

/** The blocks of code in that language, in their order. */
function blocksOf(document: string, language: string): string[] {
  const text = readFileSync(join(ROOT, document), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code)
}

/** The errors of modules that stand in the project's root; each has a name and its text. */
function errorsIn(modules: ReadonlyMap<string, string>): string[] {
  const config = ts.readConfigFile(join(ROOT, 'test/tsconfig.json'), ts.sys.readFile).config
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(ROOT, 'test'))
  const files = new Map([...modules].map(([name, text]) => [join(ROOT, name), text]))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => files.has(path) || fileExists(path)
  host.readFile = (path) => files.get(path) ?? readFile(path)
  host.getSourceFile = (path, target, ...more) => {
    const text = files.get(path)
    return text === undefined ? getSourceFile(path, target, ...more) : ts.createSourceFile(path, text, target)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return [...files.keys()].flatMap((path) => {
    const file = program.getSourceFile(path)
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    return found.map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
  })
}

describe('the code in the documents', () => {
  it('is that of the examples, if it says so, and each example is there', () => {
    const text = readFileSync(join(ROOT, 'docs/library.md'), 'utf8')
    const shown = [...text.matchAll(/^<!-- (examples\/[\w.-]+) -->\n```js\n(.*?)^```/gms)]
    for (const [, path = '', code] of shown) expect(code, path).toBe(readFileSync(join(ROOT, path), 'utf8'))
    const names = shown.map(([, path = '']) => path.replace('examples/', ''))
    expect(names.sort()).toEqual(readdirSync(join(ROOT, 'examples')).sort())
  })

  it('compiles, if it is TypeScript', () => {
    const blocks = DOCUMENTS.flatMap((document) =>
      blocksOf(document, 'ts').map((code, at): [string, string] => [
        `${document.replaceAll('/', '-')}-${at}.ts`,
        `${code}\nexport {}\n`,
      ]),
    )
    expect(blocks.length).toBeGreaterThan(5)
    expect(errorsIn(new Map(blocks))).toEqual([])
  }, 60_000)

  it('compiles in strict TypeScript too, if it is an example', () => {
    const names = readdirSync(join(ROOT, 'examples')).filter((name) => !name.startsWith('electron')) // it is not here
    const pasted = names.map((name): [string, string] => {
      return [`pasted-${name.replace('.mjs', '.ts')}`, readFileSync(join(ROOT, 'examples', name), 'utf8')]
    })
    expect(pasted.length).toBeGreaterThan(10)
    expect(errorsIn(new Map(pasted))).toEqual([])
  }, 60_000)

  it('can be read, if it is JavaScript', () => {
    for (const code of DOCUMENTS.flatMap((document) => blocksOf(document, 'js'))) {
      const { diagnostics = [] } = ts.transpileModule(code, { reportDiagnostics: true })
      expect(diagnostics.map(({ messageText }) => messageText)).toEqual([])
    }
  })
})
