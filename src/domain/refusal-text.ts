/** What is in the way of a mapping, and what is doubtful about one -> its sentence, with what helps, in the words of its reader. Pure. */
import type { ErrorFacts } from './error-facts.js'
import type { MappingRequest, PortMapping } from './port-mapping.js'
import type { LeftBehind, MappingDoubt, RefusalCause } from './refusal-cause.js'
import { UPNP_ERRORS } from './upnp-errors.js'
import { COMMAND_LINE, type Words } from './words.js'

interface Failure {
  readonly asked: MappingRequest
  readonly error: Pick<ErrorFacts, 'number'>
}

export function causeText(cause: RefusalCause, failure: Failure, words: Words = COMMAND_LINE): string {
  const isForSamePort = failure.error.number === UPNP_ERRORS.SamePortValuesRequired
  const head = isForSamePort ? 'this router wants the same port outside and inside, and ' : ''
  return head + sentenceOf(cause, failure, words)
}

function sentenceOf(cause: RefusalCause, { asked }: Pick<Failure, 'asked'>, words: Words): string {
  const { program, anotherPort, removeThat } = words
  switch (cause.kind) {
    case 'port-taken': {
      const { mapping } = cause
      const target = `${mapping.internalClient}:${mapping.internalPort ?? ''}`
      return (
        `${outside(mapping)} already leads to ${target}${named(mapping)}; take ${anotherPort}, or, ` +
        `if that was this computer, ${removeThat(mapping)} closes it`
      )
    }
    case 'port-differs': {
      const { mapping, isForThisComputer } = cause
      const state = mapping.enabled ? audience(mapping, asked.remoteHost) : ', but switched off'
      return (
        `${outside(mapping)} already leads to ${inside(mapping, isForThisComputer)}${named(mapping)}${state}: ` +
        `${removeThat(mapping)} closes it, then try again`
      )
    }
    case 'open-elsewhere': {
      const { mapping, isForThisComputer } = cause
      return (
        `${inside(mapping, isForThisComputer)} is already open at ${outside(mapping)}${named(mapping)}, and the router ` +
        `seems to open it only once: use that, or close it with ${removeThat(mapping)} and try again`
      )
    }
    case 'left-behind':
      return `${leftBehindText(cause)}; take ${anotherPort}, or wait`
    case 'nobody-shown': {
      const whose = `the router shows nobody at external port ${asked.externalPort} ${asked.protocol}`
      return cause.isForThisComputer
        ? `${whose}: it may keep that port for itself or for the provider; try ${anotherPort}`
        : `${whose}: it may open ports only for the computer that asks; run ${program} on ${asked.internalClient} itself`
    }
    default:
      return doubtText(cause, words)
  }
}

export function leftBehindText({ internalClient, endsWallMs }: LeftBehind): string {
  const until = Number.isFinite(endsWallMs) ? `until ${new Date(endsWallMs).toISOString()}` : 'without an end'
  return `${internalClient}, an earlier address of this computer, still has that port, ${until}, and nobody else can close it`
}

export function doubtText(doubt: MappingDoubt, words: Words = COMMAND_LINE): string {
  const { otherComputer, nameComputer } = words
  if (doubt.kind === 'another-nat') {
    const { gatewayAddress, localAddress } = doubt
    return (
      `the router ${gatewayAddress} is not on the network of this computer (${localAddress}): if another NAT is between ` +
      `them (a container, WSL2), the port leads nowhere; use the network of the host, or its address with ${otherComputer}`
    )
  }
  const whose = doubt.kind === 'client-is-router' ? "the router's own address" : 'an address of the internet'
  return `${doubt.address} is ${whose}, and a port has to lead to a computer at home: ${nameComputer}`
}

function outside({ externalPort, protocol }: PortMapping): string {
  return `external port ${externalPort ?? ''} ${protocol}`
}

function inside({ internalPort, internalClient }: PortMapping, isForThisComputer: boolean): string {
  return `port ${internalPort ?? ''} of ${isForThisComputer ? 'this computer' : internalClient}`
}

function named({ description }: PortMapping): string {
  return description === '' ? '' : ` ('${description}')`
}

/** For whom it is open, if that is not who was asked for. */
function audience({ remoteHost }: PortMapping, asked: string): string {
  if (remoteHost === asked) return ''
  return remoteHost === '' ? ', and for everybody' : `, but for ${remoteHost} only`
}
