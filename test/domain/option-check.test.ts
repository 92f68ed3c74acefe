/** Options from a program without types: a misspelt name is told, and what was meant. */
import { describe, expect, it } from 'vitest'
import { checkOptions } from '../../src/domain/option-check.ts'
import { FIND_GATEWAY, MAP, OPEN_PORT } from '../../src/library/options.ts'

describe('the names of options', () => {
  it.each([
    ['extrenalPort', 'externalPort'],
    ['externalport', 'externalPort'],
    ['timeout', 'timeoutMs'],
    ['desciption', 'description'],
    ['internalclient', 'internalClient'],
    ['leese', 'lease'],
    ['vai', 'via'],
  ])('%s: did you mean %s?', (name, meant) => {
    expect(() => checkOptions({ [name]: 1 }, OPEN_PORT, 'openPort')).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: `openPort: there is no option '${name}'; did you mean ${meant}?`,
        hint: expect.stringMatching(/^the options are externalPort, .*, state$/),
      }),
    )
  })

  it.each(['ttl', 'x', 'a'.repeat(10_000), '__proto__x', 'toString'])('nothing is like %s', (name) => {
    const given = Object.fromEntries([[name, 1]])
    expect(() => checkOptions(given, OPEN_PORT, 'openPort')).toThrow(/^openPort: there is no option '[^']*'$/)
  })

  it('are those of the call', () => {
    expect(() => checkOptions({ lease: 1 }, FIND_GATEWAY, 'findGateway')).toThrow('findGateway: there is no option')
    expect(() => checkOptions({ internalPort: 1, lease: 1 }, MAP, 'map')).not.toThrow()
    expect(() => checkOptions({ unknown: undefined }, MAP, 'map')).not.toThrow()
  })
})

describe('the kinds of options', () => {
  it.each([
    [{ externalPort: '80' }, "externalPort '80' is not a number or 'any'"],
    [{ signal: 5 }, 'signal 5 is not an AbortSignal'],
    [{ keep: 'no' }, "keep 'no' is not true or false"],
    [{ lease: null }, "lease null is not a number or 'unlimited'"],
    [{ description: 5 }, 'description 5 is not a string'],
    [{ family: '6' }, "family '6' is not 4, 6 or 'both'"],
    [{ protocol: 'tcp' }, "protocol 'tcp' is not TCP, UDP or TCP+UDP"],
    [{ via: 'upnp' }, "via 'upnp' is not auto, igd, pcp or nat-pmp"],
    [null, 'options are an object, and not null'],
    ['UDP', "options are an object, and not 'UDP'"],
    [[], 'options are an object, and not an array'],
  ])('%j', (given, message) => {
    expect(() => checkOptions(given, OPEN_PORT, 'openPort')).toThrow(`openPort: ${message}`)
  })

  it('are right in what programs give', () => {
    const given = {
      signal: AbortSignal.timeout(1),
      timeoutMs: 5,
      lease: 'unlimited',
      state: false,
      net: {},
      keep: true,
    }
    expect(() => checkOptions(given, OPEN_PORT, 'openPort')).not.toThrow()
    expect(() => checkOptions(undefined, OPEN_PORT, 'openPort')).not.toThrow()
  })
})
