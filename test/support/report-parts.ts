/** What Reports are made of in the tests. */
import type { ReportedError, ReportedPinhole, SearchSummary } from '../../src/cli/report.ts'
import type { TimedPinholeRequest } from '../../src/domain/pinhole.ts'
import type { MappingRequest, PortMapping } from '../../src/domain/port-mapping.ts'

export const REFUSED: ReportedError = {
  code: 'REFUSED',
  message: 'AddPortMapping was refused with 718 (ConflictInMappingEntry)',
  action: 'AddPortMapping',
  number: 718,
  name: 'ConflictInMappingEntry',
  description: 'taken',
}

export const UNREACHABLE: ReportedError = {
  code: 'TRANSPORT',
  message: 'AddPortMapping: http://192.168.1.1:5000: connection refused',
  action: 'AddPortMapping',
}

export const MALFORMED: ReportedError = {
  code: 'MALFORMED_MESSAGE',
  message: 'expected NewUptime in the reply to GetStatusInfo',
  action: 'GetStatusInfo',
}

export const REFUSED_BY_PCP: ReportedError = {
  code: 'REFUSED',
  message: 'MAP was refused with 11 (CANNOT_PROVIDE_EXTERNAL)',
  action: 'MAP',
  via: 'pcp',
  number: 11,
  name: 'CANNOT_PROVIDE_EXTERNAL',
  description: '',
}

export const REFUSED_BY_NAT_PMP: ReportedError = {
  code: 'REFUSED',
  message: 'mapping request was refused with 3 (Network Failure)',
  action: 'mapping request',
  via: 'nat-pmp',
  number: 3,
  name: 'Network Failure',
  description: '',
}

/** Of one who is asked over UDP. */
export const SILENT: ReportedError = {
  code: 'NO_REPLY',
  message: 'MAP: 192.168.1.1:5351 did not answer within 7.75 s',
  action: 'MAP',
}

export const NOTHING_FOUND: SearchSummary = {
  via: 'auto',
  searchedMs: 4012,
  interfaces: [{ name: 'eth0', address: '192.168.1.2' }],
  defaultGateways: ['192.168.1.1'],
  lacksIPv4: false,
  portControl: [],
  answered: undefined,
}

export const MAPPING: PortMapping = {
  remoteHost: '',
  externalPort: 8080,
  protocol: 'TCP',
  internalPort: 80,
  internalClient: '192.168.1.5',
  enabled: true,
  description: 'web & co',
  leaseSeconds: 0,
}

export const ASKED: MappingRequest = {
  remoteHost: '',
  externalPort: 8080,
  protocol: 'TCP',
  internalPort: 80,
  internalClient: '192.168.1.5',
  description: 'upnp-ts',
  lease: 'unlimited',
}

export const PINHOLE: ReportedPinhole & TimedPinholeRequest = {
  remoteHost: '',
  remoteHostTyped: '::',
  remotePort: 0,
  internalClient: '2001:db8::5',
  internalPort: 22,
  protocol: 6,
  leaseSeconds: 3600,
}

export const RANGE = { startPort: 1, endPort: 100, protocol: 'TCP', manage: false } as const
