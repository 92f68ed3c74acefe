import { describe, expect, it } from 'vitest'
import {
  errorFacts,
  InvalidArgumentError,
  inWords,
  MalformedMessageError,
  NoGatewayError,
  NoReplyError,
  NotConfirmedError,
  PortMappingError,
  PortTakenError,
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
  it('is that of the number, in the words of the library, if nobody knows better', () => {
    const error = new RefusedError({ action: 'AddPortMapping', number: 725, standardName: 'OnlyPermanent' })
    const hint = "this router opens ports only without a time limit; use lease: 'unlimited'"
    expect(error.hint).toBe(hint)
    error.hint = 'ask the owner'
    expect(error.hint).toBe('ask the owner')
    error.hint = undefined
    expect(error.hint).toBe(hint)
  })

  const shown = { remoteHost: '', externalPort: 1, protocol: 'TCP', internalPort: 1, internalClient: '', enabled: true }
  const mapping = { ...shown, description: '', leaseSeconds: 0 }

  it.each([
    new InvalidArgumentError('no!'),
    new NoGatewayError('no!'),
    new NoReplyError('no!'),
    new TransportError('no!'),
    new MalformedMessageError('no!', 'y'),
    new RefusedError({ action: 'AddPortMapping', number: 999, standardName: 'UnknownError' }),
    new NotConfirmedError(mapping, 'no!', { action: 'AddPortMapping' }),
  ])('is there whatever happens, and says more than the message: $name', ({ hint, message }) => {
    expect(hint).toMatch(/^.{40,250}$/)
    expect(hint).not.toContain(message)
  })
})

describe('a port that is taken', () => {
  const mapping = {
    remoteHost: '',
    externalPort: 80,
    protocol: 'TCP',
    internalPort: 80,
    internalClient: '192.168.1.99',
    enabled: true,
    description: 'x',
    leaseSeconds: 0,
  }

  it.each([
    ['igd', 718, 'ConflictInMappingEntry'],
    ['pcp', 11, 'CANNOT_PROVIDE_EXTERNAL'],
    ['nat-pmp', 0, ''],
  ] as const)('is a refusal over %s, with the number of the protocol', (protocol, number, standardName) => {
    const error = new PortTakenError(mapping, 'it is taken', { action: 'MAP', protocol })
    expect(error).toBeInstanceOf(NotConfirmedError)
    const { refusal } = error
    expect(refusal).toMatchObject({ code: 'REFUSED', message: 'it is taken', number, standardName, protocol })
    expect([refusal.isPortTaken, refusal.holder, refusal.cause]).toEqual([true, undefined, error])
    expect(refusal.hint).toContain("externalPort: 'any'")
  })

  it('names who has it, if the gateway shows that', () => {
    const facts = { action: 'GetSpecificPortMappingEntry', protocol: 'igd', isKnown: true, hint: 'take 81' } as const
    const { holder, hint } = new PortTakenError(mapping, 'it is taken', facts).refusal
    expect([holder, hint]).toEqual([mapping, 'take 81'])
  })
})

describe('a message that names options', () => {
  it('names those of the library, and those of the command line for the command line', () => {
    const error = inWords(
      ({ anyPort }) => `${anyPort} helps`,
      (text) => new InvalidArgumentError(text),
    )
    expect(error.message).toBe("externalPort: 'any' helps")
    expect(errorFacts(error).message).toBe('-n helps')
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
