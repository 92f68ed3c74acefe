import { describe, expect, it } from 'vitest'
import {
  errorFacts,
  InvalidArgumentError,
  MalformedMessageError,
  NoGatewayError,
  NoReplyError,
  PortMappingError,
  RefusedError,
  TransportError,
  unlessMalformed,
} from '../../src/domain/errors.ts'
import { hintFor } from '../../src/domain/hints.ts'

describe('an error', () => {
  it.each([
    [new InvalidArgumentError('x'), 'InvalidArgumentError', 'INVALID_ARGUMENT'],
    [new NoGatewayError('x'), 'NoGatewayError', 'NO_GATEWAY'],
    [new NoReplyError('x'), 'NoReplyError', 'NO_REPLY'],
    [new TransportError('x'), 'TransportError', 'TRANSPORT'],
    [new MalformedMessageError('x', 'y'), 'MalformedMessageError', 'MALFORMED_MESSAGE'],
    [
      new RefusedError({ action: 'A', number: 718, standardName: 'ConflictInMappingEntry', description: '' }),
      'RefusedError',
      'REFUSED',
    ],
  ])('is %s by class, name and code', (error, name, code) => {
    expect(error).toBeInstanceOf(PortMappingError)
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe(name)
    expect(error.code).toBe(code)
  })

  it('has a cause only where one was given', () => {
    const cause = new Error('down')
    expect(new TransportError('x', { cause }).cause).toBe(cause)
    expect('cause' in new TransportError('x')).toBe(false)
  })

  it('keeps no more than the beginning of what was received', () => {
    expect(new MalformedMessageError('XML', 'x'.repeat(1e6)).received).toHaveLength(200)
  })

  it('says which action was refused, with the number and its name', () => {
    const error = new RefusedError({
      action: 'AddPortMapping',
      number: 718,
      standardName: 'ConflictInMappingEntry',
      description: 'taken',
    })
    expect(error.message).toBe('AddPortMapping was refused with 718 (ConflictInMappingEntry)')
    expect(error.action).toBe('AddPortMapping')
  })
})

describe('PortMappingError.is', () => {
  it('knows every error of this library, and no other', () => {
    expect(PortMappingError.is(new NoReplyError('x'))).toBe(true)
    for (const other of [new Error('x'), undefined, null, 'x', {}, { code: 'NO_REPLY' }])
      expect(PortMappingError.is(other)).toBe(false)
  })

  it('knows those of another copy of the package, which instanceof does not, and narrows by code', async () => {
    const url = new URL('../../src/domain/errors.ts?another-copy', import.meta.url).href
    const copy: typeof import('../../src/domain/errors.ts') = await import(/* @vite-ignore */ url)
    const facts = { action: 'AddPortMapping', number: 718, standardName: 'ConflictInMappingEntry' }
    const error: unknown = new copy.RefusedError(facts)
    expect(copy.RefusedError).not.toBe(RefusedError)
    expect(error instanceof PortMappingError).toBe(false)
    if (!PortMappingError.is(error) || error.code !== 'REFUSED') throw error
    expect([error.number, error.standardName]).toEqual([718, 'ConflictInMappingEntry'])
  })

  it('leaves no trace in what is printed of an error', () => {
    expect(Object.keys(new NoReplyError('x'))).not.toContain('hint')
    expect(Object.getOwnPropertySymbols(new NoReplyError('x'))).toEqual([])
  })
})

describe('the hint of an error', () => {
  it('is that of the command line, if nobody knows better', () => {
    const error = new RefusedError({ action: 'AddPortMapping', number: 725, standardName: 'OnlyPermanent' })
    expect(error.hint).toBe(hintFor(errorFacts(error)))
    error.hint = 'ask the owner'
    expect(error.hint).toBe('ask the owner')
    error.hint = undefined
    expect(error.hint).toBe(hintFor(errorFacts(error)))
  })

  it('is none if there is no more to say than the message', () => {
    expect(new TransportError('nobody is there').hint).toBeUndefined()
    expect(new InvalidArgumentError('no').hint).toBeUndefined()
  })
})

describe('unlessMalformed', () => {
  it('is what the decoder makes of a message, and undefined if the message is malformed', () => {
    expect(unlessMalformed(() => 'decoded')).toBe('decoded')
    expect(
      unlessMalformed(() => {
        throw new MalformedMessageError('x', 'y')
      }),
    ).toBeUndefined()
  })

  it('lets every other error through', () => {
    const defect = new TypeError('a defect')
    expect(() =>
      unlessMalformed(() => {
        throw defect
      }),
    ).toThrow(defect)
  })
})
