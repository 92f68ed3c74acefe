import { describe, expect, it } from 'vitest'
import { PCP_RESULTS, pcpResultName } from '../../src/wire/pcp-result-codes.ts'

/** RFC 6887 7.4, RFC 7652 5.5. */
const CODES = [
  [0, 'SUCCESS'],
  [1, 'UNSUPP_VERSION'],
  [2, 'NOT_AUTHORIZED'],
  [3, 'MALFORMED_REQUEST'],
  [4, 'UNSUPP_OPCODE'],
  [5, 'UNSUPP_OPTION'],
  [6, 'MALFORMED_OPTION'],
  [7, 'NETWORK_FAILURE'],
  [8, 'NO_RESOURCES'],
  [9, 'UNSUPP_PROTOCOL'],
  [10, 'USER_EX_QUOTA'],
  [11, 'CANNOT_PROVIDE_EXTERNAL'],
  [12, 'ADDRESS_MISMATCH'],
  [13, 'EXCESSIVE_REMOTE_PEERS'],
  [14, 'INITIATION'],
  [15, 'AUTHENTICATION_REQUIRED'],
  [16, 'AUTHENTICATION_FAILED'],
  [17, 'AUTHENTICATION_SUCCEEDED'],
  [18, 'AUTHORIZATION_FAILED'],
  [19, 'SESSION_TERMINATED'],
  [20, 'UNKNOWN_SESSION_ID'],
  [21, 'DOWNGRADE_ATTACK_DETECTED'],
  [22, 'AUTHENTICATION_REQUEST'],
  [23, 'AUTHENTICATION_REPLY'],
] as const

describe('a PCP result code', () => {
  it.each(CODES)('%i is called %s', (code, name) => {
    expect(PCP_RESULTS[name]).toBe(code)
    expect(pcpResultName(code)).toBe(name)
  })

  it('is one of these', () => expect(Object.keys(PCP_RESULTS)).toHaveLength(CODES.length))

  it.each([24, 128, 255, -1, Number.NaN])('%d has no name', (code) => {
    expect(pcpResultName(code)).toBe('unknown result code')
  })
})
