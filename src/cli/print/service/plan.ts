/** What both kinds of service are made from. */
import type { ServiceInvocation } from '../../parse/service-words.js'

/** Where Node and upnp-ts are on this computer. */
export interface Installed {
  readonly node: string
  readonly script: string
  readonly folder: string
  readonly isTemporary: boolean
}

export interface ServicePlan {
  readonly invocation: ServiceInvocation
  readonly installed: Installed
}

const FIRST_FREE_PORT = 1024

/** The service's program listens where only root may, unless it is allowed to. */
export function hasLowPort({ command, program }: ServiceInvocation): boolean {
  return (
    program.length > 0 &&
    command.name === 'map' &&
    command.mappings.some(({ internalPort }) => internalPort > 0 && internalPort < FIRST_FREE_PORT)
  )
}

const MOST_SHOWN = 3

/** `Keeps port 22 TCP open on the router` */
export function purposeOf({ command }: ServiceInvocation): string {
  const ports = command.name === 'map' ? command.mappings : []
  if (ports.length === 0) return "Keeps ports open in the router's IPv6 firewall"
  if (ports.some(({ externalPort, internalPort }) => externalPort === 0 || internalPort === 0))
    return 'Keeps a port open that the router chooses'
  if (ports.length > MOST_SHOWN) return `Keeps ${ports.length} ports open on the router`
  const shown = ports.map(({ externalPort, protocol }) => `${externalPort} ${protocol}`)
  return `Keeps ${shown.length === 1 ? 'port' : 'ports'} ${shown.join(' and ')} open on the router`
}

/** Comments, one line each. */
export function commented(text: string, indent = ''): string {
  return text
    .split('\n')
    .map((line) => `${indent}#${line === '' ? '' : ` ${line}`}`)
    .join('\n')
}
