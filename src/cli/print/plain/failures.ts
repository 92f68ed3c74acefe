/** What could not be done -> what it was, with whom, why, and the command that helps. Pure. */
import { refusalHint } from '../../../domain/hints.js'
import { type PortMapping, transportProtocolOf } from '../../../domain/port-mapping.js'
import { UPNP_ERRORS } from '../../../domain/upnp-errors.js'
import type { ReportedError, ReportOf } from '../../report.js'
import { cleaned } from '../clean.js'
import { complaint, hint, type Piece } from '../pieces.js'
import { openCommand } from './open/commands.js'
import { VERB_WORDS } from './reader.js'
import type { Occasion } from './telling.js'
import { commandLine, dateText, listed, portName, portWord, sentence } from './words.js'

/** A command that helps, and what it does. */
export interface Remedy {
  readonly command: string
  readonly does: string
}

export interface Failure {
  /** `port 25565 TCP` */
  readonly name: string
  /** What follows the name: `is taken: ...` */
  readonly why: string
  readonly remedies: readonly Remedy[]
}

/** Of many, each remedy is shown once. */
const FEW = 3

/** Failures with the same reason are one sentence that names each. */
export function failuresText(failures: readonly Failure[]): Piece[] {
  const groups = new Map<string, Failure[]>()
  for (const each of failures) groups.set(each.why, [...(groups.get(each.why) ?? []), each])
  const shown = new Set<string>()
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const names = listed(group.map(({ name }) => name.replace(/^port /, '')))
    const text = group.length === 1 ? `${first.name} ${first.why}` : `not opened: ${names}. Each ${first.why}`
    const remedies = group
      .flatMap((each) => each.remedies)
      .filter(({ command, does }) => {
        const key = failures.length > FEW ? does : command
        return !shown.has(key) && shown.add(key)
      })
    return [complaint(sentence(text)), ...remediesText(remedies)]
  })
}

/** Below the sentence, so that each can be copied. */
export function remediesText(remedies: readonly Remedy[]): Piece[] {
  const width = Math.max(0, ...remedies.map(({ command }) => command.length))
  return remedies.map(({ command, does }) => hint(`${cleaned(`  ${command.padEnd(width)}   ${does}`)}\n`))
}

export type RefusedPinhole = Extract<ReportOf<'pinhole-added'>, { readonly ok: false }>
type MapFailed = ReportOf<'map-failed'>

export function mapFailure(report: MapFailed, occasion: Occasion): Failure {
  const { asked } = report
  return { name: portName(asked), ...mapReason(report, occasion) }
}

function mapReason(report: MapFailed, occasion: Occasion): Omit<Failure, 'name'> {
  const { asked, error, cause, isTaken } = report
  const { invocation, nowMs } = occasion
  const another: Remedy = {
    command: openCommand(occasion, asked, { external: 'any' }),
    does: 'takes another port outside',
  }
  const closing = (mapping: PortMapping): Remedy => ({
    command: commandLine(
      'close',
      [portWord({ externalPort: mapping.externalPort ?? 0 }, [mapping.protocol])],
      invocation,
    ),
    does: 'closes that',
  })
  const forThis: Remedy = {
    command: openCommand(occasion, asked, { to: undefined }),
    does: 'opens it for this computer',
  }
  switch (cause?.kind) {
    case 'port-taken': {
      const { internalClient, internalPort } = cause.mapping
      const inside = internalPort === undefined || internalPort === asked.externalPort ? '' : `, port ${internalPort}`
      return {
        why: `is taken: your router sends it to ${internalClient}${inside}${named(cause.mapping)}`,
        remedies: [another],
      }
    }
    case 'port-differs': {
      const { mapping, isForThisComputer } = cause
      const state = mapping.enabled ? audience(mapping, asked.remoteHost) : ', but switched off'
      return {
        why: `is open already: it leads to ${inside(mapping, isForThisComputer)}${named(mapping)}${state}`,
        remedies: [{ ...closing(mapping), does: 'closes that; then open it again' }, another],
      }
    }
    case 'open-elsewhere': {
      const { mapping, isForThisComputer } = cause
      const what = inside(mapping, isForThisComputer)
      return {
        why: `was refused: ${what} is open already, as ${portName(mapping)} outside${named(mapping)}, and your router opens it only once`,
        remedies: [{ ...closing(mapping), does: 'closes that; then open it again' }],
      }
    }
    case 'left-behind': {
      const until = Number.isFinite(cause.endsWallMs)
        ? `until ${dateText(cause.endsWallMs, nowMs())}`
        : 'without an end'
      return {
        why: `is taken: it still leads to ${cause.internalClient}, an earlier address of this computer, ${until}, and nobody else can close it`,
        remedies: [another],
      }
    }
    case 'nobody-shown':
      return cause.isForThisComputer
        ? {
            why: 'was refused, and your router shows nobody who has it: it may keep it for itself, or for your provider',
            remedies: [another],
          }
        : {
            why: `was refused: your router may open ports only for the computer that asks, so run this on ${asked.internalClient}`,
            remedies: [{ command: openCommand(occasion, asked, { to: undefined }), does: 'there' }],
          }
    case 'client-is-router':
    case 'client-is-public': {
      const whose = cause.kind === 'client-is-router' ? "the router's own address" : 'an address of the internet'
      return {
        why: `was refused: ${cause.address} is ${whose}, and a port leads to a computer at home`,
        remedies: [forThis],
      }
    }
    case 'another-nat':
      return {
        why: `was refused: ${anotherNatText(cause)}`,
        remedies: [helpOf('docker', 'says how a container opens ports')],
      }
    default:
      if (isTaken === true) return { why: `is taken: somebody else has it${codeOf(error)}`, remedies: [another] }
      return { why: whyOf(error), remedies: remediesFor(error, another, occasion) }
  }
}

export function anotherNatText({
  gatewayAddress,
  localAddress,
}: {
  gatewayAddress: string
  localAddress: string
}): string {
  return (
    `your router (${gatewayAddress}) is not on the network of this computer (${localAddress}): there is another NAT ` +
    'between them, as in a container or WSL 2'
  )
}

export function helpOf(topic: string, does: string): Remedy {
  return { command: `upnp-ts help ${topic}`, does }
}

/** What follows the name of the port. */
function whyOf(error: ReportedError): string {
  if (error.number !== undefined)
    return `was refused: ${refusalHint(error, {}, VERB_WORDS) ?? 'your router does not say why'}${codeOf(error)}`
  if (error.code === 'NO_REPLY' && error.action !== undefined)
    return `may be open or not: your router has not answered (${error.message})`
  if (error.code === 'MALFORMED_MESSAGE')
    return `may be open or not: your router's answer makes no sense (${error.message})`
  return `was not opened: ${error.message}`
}

/** The router's own words, for a search on the web. */
export function codeOf({ number, name }: ReportedError): string {
  return number === undefined ? '' : ` (error ${number}${name === undefined ? '' : `, ${name}`})`
}

function remediesFor(error: ReportedError, another: Remedy, { invocation }: Occasion): readonly Remedy[] {
  const seeing: Remedy = { command: commandLine('list', [], invocation), does: 'shows what is open' }
  if (error.number === UPNP_ERRORS.ConflictInMappingEntry || error.number === UPNP_ERRORS.SamePortValuesRequired)
    return [another]
  if (error.number !== undefined || error.code === 'INVALID_ARGUMENT')
    return [helpOf('troubleshooting', 'says what else can be done')]
  return [seeing]
}

export function pinholeFailure({ asked, error }: RefusedPinhole): Failure {
  const name = `port ${asked.internalPort} ${transportProtocolOf(asked.protocol) ?? asked.protocol} over IPv6`
  return { name, why: pinholeWhy(error), remedies: [helpOf('troubleshooting', 'says what can be done')] }
}

export function pinholeWhy(error: ReportedError): string {
  if (error.number === undefined) return whyOf(error)
  return `was refused: ${refusalHint(error, { isPinhole: true }, VERB_WORDS) ?? 'your router does not say why'}${codeOf(error)}`
}

function named({ description }: PortMapping): string {
  return description === '' ? '' : ` ('${description}')`
}

function inside({ internalPort, internalClient }: PortMapping, isForThisComputer: boolean): string {
  return `port ${internalPort ?? ''} of ${isForThisComputer ? 'this computer' : internalClient}`
}

/** For whom it is open, if that is not who was asked for. */
function audience({ remoteHost }: PortMapping, asked: string): string {
  if (remoteHost === asked) return ''
  return remoteHost === '' ? ', for everybody' : `, but for ${remoteHost} only`
}
