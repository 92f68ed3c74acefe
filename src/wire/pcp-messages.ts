/** The messages of the Port Control Protocol, in the words of RFC 6887 7, 11, 12 and 14. */
import type { PcpOption } from './pcp-options.js'

interface RequestHead {
  /** 0 deletes a mapping. */
  readonly lifetimeSeconds: number
  /** The PCP client's, as it knows it itself. */
  readonly clientAddress: string
  readonly options: readonly PcpOption[]
}

export interface MapRequestData {
  readonly nonce: string
  /** IANA protocol number; 0 for all, with internal port 0. */
  readonly protocol: number
  /** 0 for all. */
  readonly internalPort: number
  /** 0 for any. */
  readonly suggestedExternalPort: number
  readonly suggestedExternalAddress: string
}

export interface RemotePeer {
  readonly remotePeerPort: number
  readonly remotePeerAddress: string
}

export type PcpRequest =
  /** RFC 6887 14.1. */
  | ({ readonly kind: 'ANNOUNCE-request' } & RequestHead)
  /** RFC 6887 11.1. */
  | ({ readonly kind: 'MAP-request' } & RequestHead & MapRequestData)
  /** RFC 6887 12.1. */
  | ({ readonly kind: 'PEER-request' } & RequestHead & MapRequestData & RemotePeer)

/** To be answered with that result (RFC 6887 8.2). */
export interface BadPcpRequest {
  readonly kind: 'bad-request'
  readonly version: number
  readonly opcode: number
  readonly resultCode: number
}

export interface ResponseHead {
  readonly resultCode: number
  /** Of a mapping; of an error, for how long the same answer is to be expected (RFC 6887 7.2), 0 saying nothing. */
  readonly lifetimeSeconds: number
  /** RFC 6887 8.5. */
  readonly epochSeconds: number
}

interface MapResponseData {
  readonly nonce: string
  readonly protocol: number
  readonly internalPort: number
  readonly assignedExternalPort: number
  readonly assignedExternalAddress: string
  readonly options: readonly PcpOption[]
}

export type PcpResponse =
  | ({ readonly kind: 'ANNOUNCE-response' } & ResponseHead)
  | ({ readonly kind: 'MAP-response' } & ResponseHead & MapResponseData)
  | ({ readonly kind: 'PEER-response' } & ResponseHead & MapResponseData & RemotePeer)
  /** An error without the rest, or with an opcode that is not known here. */
  | ({ readonly kind: 'error-response'; readonly opcode: number } & ResponseHead)
  /** The server speaks that version: 0 is NAT-PMP (RFC 6887 9). */
  | {
      readonly kind: 'other-version-response'
      readonly version: number
      readonly opcode: number
      readonly resultCode: number
    }
