/** Many ports in few words: neighbours are a range, TCP and UDP of the same port are one. Pure. */
import type { MappingKey } from '../../../domain/port-mapping.js'

export type Port = Pick<MappingKey, 'externalPort' | 'protocol'>

interface Run {
  readonly first: number
  readonly last: number
  readonly protocols: readonly string[]
}

/** `53 TCP and UDP`, `27015-27030 UDP` */
export function portNames(ports: readonly Port[]): readonly string[] {
  return runsOf(ports).map((run) => `${rangeOf(run)} ${run.protocols.join(' and ')}`)
}

/** `2000-2099`, `53/both`, as `open` and `close` take them. */
export function portWords(ports: readonly Port[]): readonly string[] {
  return runsOf(ports).map((run) => {
    const protocol = run.protocols.length > 1 ? '/both' : run.protocols[0] === 'UDP' ? '/udp' : '/tcp'
    return `${rangeOf(run)}${protocol}`
  })
}

function rangeOf({ first, last }: Run): string {
  return first === last ? String(first) : `${first}-${last}`
}

function runsOf(ports: readonly Port[]): readonly Run[] {
  const protocolsOf = new Map<number, readonly string[]>()
  for (const { externalPort, protocol } of ports)
    protocolsOf.set(externalPort, [...(protocolsOf.get(externalPort) ?? []), protocol].toSorted())
  const runs: Run[] = []
  for (const [port, protocols] of [...protocolsOf].toSorted(([one], [other]) => one - other)) {
    const before = runs.at(-1)
    if (before?.last === port - 1 && before.protocols.join() === protocols.join()) {
      runs[runs.length - 1] = { ...before, last: port }
    } else runs.push({ first: port, last: port, protocols })
  }
  return runs
}
