/** The types that the package gives to TypeScript: all of them have names to import, and none needs Node's types. */
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { declarationsIn, hiddenTypes, programOf } from './support/declarations.ts'

/** What a program writes, and what its editor has to know. */
const PROGRAM = `
import { findGateway, openPort, PortMappingError, type Gateway, type PortMapping } from './dist/index.js'

export async function clean(description: string): Promise<readonly PortMapping[]> {
  const gateway: Gateway = await findGateway({ timeoutMs: 5000, signal: new AbortController().signal })
  if (gateway.protocol === 'igd') {
    for (const { protocol, externalPort } of await gateway.mappings()) {
      const either: 'TCP' | 'UDP' = protocol
      await gateway.unmap({ externalPort, protocol: either }, { timeoutMs: 300 })
    }
  } else console.log(gateway.port.toFixed(), gateway.epochSeconds.toFixed())
  try {
    const { internalPort, leaseSeconds } = await gateway.map({ internalPort: 80, externalPort: 'any', lease: 3600 })
    console.log(internalPort, leaseSeconds)
  } catch (error) {
    if (!PortMappingError.is(error)) throw error
    const hint: string | undefined = error.hint
    if (error.code === 'REFUSED') console.log(error.number.toFixed(), error.standardName, hint)
    if (error.code === 'NO_GATEWAY') console.log(error.searched?.interfaces.length)
  }
  const { removed, left } = await gateway.removeOwn({ description })
  for (const { error } of left) if (error?.code === 'REFUSED') console.log(error.number.toFixed())
  return removed
}

export async function keep(): Promise<void> {
  const port = await openPort(25565)
  for (const error of port.failures) if (error.code === 'REFUSED') console.log(error.number.toFixed(), error.isPortTaken)
  port.onChange((change) => {
    if (change.type !== 'failed') return
    const hint: string = change.error.hint
    if (change.error.code === 'REFUSED') console.log(change.error.holder?.internalClient, hint)
    if (change.error.code === 'NOT_CONFIRMED') console.log(change.error.mapping.internalClient)
  })
  const closed = await port.close()
  for (const { error } of closed.left) if (error?.code === 'NO_REPLY') console.log(error.message)
}
`

/** Checks the declarations too, but not TypeScript's own. */
function complaintsOf(program: ts.Program): string[] {
  const files = program.getSourceFiles().filter((file) => !program.isSourceFileDefaultLibrary(file))
  const found = files.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ])
  return [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics(), ...found].map(
    ({ file, messageText }) => {
      return `${file?.fileName.split('/').at(-1) ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    },
  )
}

describe('the public types', { timeout: 60_000 }, () => {
  const lib = ['lib.es2023.d.ts', 'lib.dom.d.ts']
  const options = { types: [], lib, strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false }
  const program = programOf(PROGRAM, options)

  it.each(['index', 'emulator'])('can all be imported from the door that names them: %s', (door) => {
    expect(hiddenTypes(door)).toEqual([])
  })

  it('compile without the types of Node, also if those of libraries are checked', () => {
    expect(complaintsOf(program)).toEqual([])
  })

  it('reach no declaration of a socket, a message or the command line', () => {
    const reached = declarationsIn(program).filter((path) => path.includes('/'))
    expect(new Set(reached.map((path) => path.split('/', 1)[0]))).toEqual(new Set(['domain', 'library', 'net']))
    expect(reached.filter((path) => path.startsWith('net/'))).toEqual(['net/clock.d.ts'])
  })
})
