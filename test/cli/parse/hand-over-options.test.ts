import { describe, expect, it } from 'vitest'
import { parseInvocation } from '../../../src/cli/parse/invocation.ts'

function handOver(...words: string[]) {
  const invocation = parseInvocation(['open', '25565', ...words])
  return invocation.kind === 'gateway' ? invocation.handOver : undefined
}

describe('how an open port is handed over', () => {
  it('is nothing special if nothing is said', () => {
    expect(handOver()).toBeUndefined()
  })

  it('is said by --as, --qr and --print', () => {
    expect(handOver('--as', 'ssh', '--qr')).toMatchObject({
      server: { name: 'ssh' },
      hasQr: true,
      endpointOnly: false,
    })
    expect(handOver('--print', 'endpoint')).toEqual({ server: undefined, hasQr: false, endpointOnly: true })
  })

  it.each([
    [['--as', 'gopher'], /^--as: 'gopher' is not one of bedrock, /],
    [['--print', 'all'], /^--print: 'all' cannot be printed alone: give endpoint$/],
    [['--print', 'endpoint', '--qr'], /leave out --qr$/],
    [['--print', 'endpoint', '--as', 'ssh'], /leave out --as$/],
  ])('is refused if it is %j', (words, message) => {
    expect(() => handOver(...words)).toThrow(message)
  })

  it.each(['--qr', '--as=ssh', '--print=endpoint'])('is for open only: %s', (word) => {
    expect(() => parseInvocation(['list', word])).toThrow(/ goes with open$/)
    expect(() => parseInvocation(['-r', '22', 'TCP', word])).toThrow(/ goes with open$/)
  })
})
