/** PCP result codes and their names: 0 to 13 are from RFC 6887 7.4, the others from RFC 7652 5.5. */

/** By name: RFC 6887 7.4 and RFC 7652 5.5. */
export const PCP_RESULTS = {
  SUCCESS: 0,
  UNSUPP_VERSION: 1,
  NOT_AUTHORIZED: 2,
  MALFORMED_REQUEST: 3,
  UNSUPP_OPCODE: 4,
  UNSUPP_OPTION: 5,
  MALFORMED_OPTION: 6,
  NETWORK_FAILURE: 7,
  NO_RESOURCES: 8,
  UNSUPP_PROTOCOL: 9,
  USER_EX_QUOTA: 10,
  CANNOT_PROVIDE_EXTERNAL: 11,
  ADDRESS_MISMATCH: 12,
  EXCESSIVE_REMOTE_PEERS: 13,
  INITIATION: 14,
  AUTHENTICATION_REQUIRED: 15,
  AUTHENTICATION_FAILED: 16,
  AUTHENTICATION_SUCCEEDED: 17,
  AUTHORIZATION_FAILED: 18,
  SESSION_TERMINATED: 19,
  UNKNOWN_SESSION_ID: 20,
  DOWNGRADE_ATTACK_DETECTED: 21,
  AUTHENTICATION_REQUEST: 22,
  AUTHENTICATION_REPLY: 23,
} as const

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(PCP_RESULTS).map(([name, code]) => [code, name]))

/** The standard's name of the code, or `unknown result code`. */
export function pcpResultName(resultCode: number): string {
  return NAMES.get(resultCode) ?? 'unknown result code'
}
