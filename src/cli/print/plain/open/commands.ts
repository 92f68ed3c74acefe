/** The command line of `open` for one port, with the options of this one that still count. Pure. */
import type { MappingRequest } from '../../../../domain/port-mapping.js'
import { shellWord } from '../../../parse/shell-words.js'
import type { Occasion } from '../telling.js'
import { commandLine, portWord } from '../words.js'

interface Changes {
  readonly external?: 'any'
  /** Undefined for this computer. */
  readonly to?: string | undefined
  readonly ipv6?: true
}

export function openCommand({ invocation }: Occasion, asked: MappingRequest, changes: Changes): string {
  const { command, keep } = invocation
  const { externalPort, internalPort, protocol, remoteHost, lease } = asked
  const mappings = command.name === 'map' ? command.mappings : []
  const at = mappings.findIndex((each) => each.internalPort === internalPort && each.protocol === protocol)
  const isPair = mappings[at]?.pairedWithPrevious === true || mappings[at + 1]?.pairedWithPrevious === true
  const isLocal = mappings[at]?.internalClient === 'local' || 'to' in changes
  const port = { internalPort, ...(changes.external === undefined && { externalPort }) }
  const words = [
    ...(changes.external === undefined ? [] : ['--external', changes.external]),
    ...(changes.ipv6 === true ? ['--ipv6'] : []),
    portWord(port, isPair ? ['TCP', 'UDP'] : [protocol]),
    ...(isLocal ? [] : ['--to', asked.internalClient]),
    ...(remoteHost === '' ? [] : ['--only', remoteHost]),
    ...(lease === 'unlimited' ? [] : ['--for', durationWord(lease.seconds)]),
    ...(keep === undefined ? [] : ['--keep']),
  ]
  const program = keep === undefined || keep.program.length === 0 ? [] : ['--', ...keep.program.map(shellWord)]
  return [commandLine('open', words, invocation), ...program].join(' ')
}

/** `2h`, as --for takes it. */
export function durationWord(seconds: number): string {
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const)
    if (seconds % size === 0) return `${seconds / size}${unit}`
  return `${seconds}s`
}
