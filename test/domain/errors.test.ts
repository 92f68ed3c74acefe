import { describe, expect, it } from 'vitest'
import {
  InvalidArgumentError,
  MalformedMessageError,
  NoGatewayError,
  NoReplyError,
  PortMappingError,
  RefusedError,
  TransportError,
  unlessMalformed,
} from '../../src/domain/errors.ts'

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
