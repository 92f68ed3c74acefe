/** A signal ends a command half way: which ports may be open, as far as that is known by then, and the commands that help. */
import { transportProtocolOf } from '../../../domain/port-mapping.js'
import type { GatewayCommand } from '../../parse/command-table.js'
import { shellLine } from '../../parse/shell-words.js'
import type { Report } from '../../report.js'
import { complaint, type Piece } from '../pieces.js'
import { remediesText } from './failures.js'
import { type Port, portNames, portWords } from './port-names.js'
import type { Occasion } from './telling.js'
import { commandLine, listed } from './words.js'

export class Doubt {
  readonly #occasion: Occasion
  readonly #isClosing: boolean
  /** In the order in which the router is asked. The name is that of the question: a port may become another one. */
  readonly #unanswered: Map<string, Port>
  /** Those to be closed, in that order. */
  readonly #ports: readonly number[]
  readonly #opened = new Map<string, Port>()
  #isFound = false
  #isBesideInDoubt: boolean

  constructor(occasion: Occasion) {
    const { command } = occasion.invocation
    this.#occasion = occasion
    this.#isClosing = command.name === 'close' || command.name === 'close-mine'
    this.#unanswered = questionsOf(command)
    this.#ports = command.name === 'close' ? command.ports.map(({ port }) => port) : []
    this.#isBesideInDoubt = command.name === 'map' && occasion.opensBeside === true
  }

  hear(report: Report): void {
    switch (report.type) {
      case 'local-address':
        this.#isFound = true
        return
      case 'mapped':
      case 'map-failed': {
        const { asked } = report
        const { externalPort } = report.type === 'mapped' ? report.mapping : asked
        this.#answer(asked.internalPort, asked.protocol)
        if (report.type === 'mapped') this.#open({ ...asked, externalPort: externalPort ?? asked.externalPort })
        return
      }
      case 'pinhole-added': {
        const { internalPort } = report.asked
        const protocol = transportProtocolOf(report.asked.protocol) ?? 'TCP'
        this.#isBesideInDoubt = false
        this.#answer(internalPort, protocol)
        if (report.ok) this.#open({ externalPort: internalPort, protocol })
        return
      }
      case 'taken-back':
        this.#opened.delete(nameOf(report.key.externalPort, report.key.protocol))
        return
      case 'to-close': {
        const { externalPort = 0, protocol, internalClient } = report.mapping
        const port = { externalPort, protocol: protocol === 'UDP' ? 'UDP' : 'TCP' } as const
        if (!internalClient.includes(':')) this.#unanswered.set(nameOf(externalPort, protocol), port)
        return
      }
      case 'declined':
        this.#unanswered.clear()
        return
      case 'unmapped':
      case 'unmap-failed':
        this.#answer(report.key.externalPort, report.key.protocol)
        return
      case 'notice':
        if (report.kind === 'not-over-ipv6') this.#isBesideInDoubt = false
        else if (report.kind === 'nothing-open')
          for (const each of report.protocols) this.#answer(report.externalPort, each)
        else if (this.#isClosing && 'key' in report) this.#answer(report.key.externalPort, report.key.protocol)
        return
    }
  }

  /** What is there to say if a signal ends the command now. */
  pieces(): readonly Piece[] {
    if (!this.#isFound) return []
    const unanswered = [...this.#unanswered.values()]
    return this.#isClosing ? this.#closing(unanswered) : this.#opening(unanswered)
  }

  /** The router has been asked for the first one, and not for the others. */
  #opening([asked, ...rest]: readonly Port[]): readonly Piece[] {
    const sentences = [
      ...(asked === undefined ? [] : [`${subject([asked])} may be open or not.`]),
      ...(rest.length === 0 ? [] : [`${subject(rest)} ${isOne(rest) ? 'was' : 'were'} not asked for.`]),
      ...(this.#isBesideInDoubt ? ['Over IPv6 the same may be open.'] : []),
    ]
    if (sentences.length === 0) return []
    const { invocation } = this.#occasion
    const listing = { command: commandLine('list', [], invocation), does: 'shows what is open' }
    const words = portWords([...this.#opened.values(), ...(asked?.externalPort ? [asked] : [])])
    const closing = { command: commandLine('close', words, invocation), does: 'closes what is open of these' }
    return [
      complaint(`Interrupted. ${sentences.join(' ')}\n`),
      ...remediesText(words.length > 0 ? [listing, closing] : [listing]),
    ]
  }

  #closing(unanswered: readonly Port[]): readonly Piece[] {
    if (unanswered.length === 0) return []
    const again = shellLine(['upnp-ts', ...this.#occasion.argv])
    return [
      complaint(`Interrupted. ${subject(unanswered)} may still be open.\n`),
      ...remediesText([{ command: again, does: 'closes the rest' }]),
    ]
  }

  #answer(port: number, protocol: string): void {
    this.#unanswered.delete(nameOf(port, protocol))
    if (this.#occasion.invocation.command.name === 'close') this.#forgetBefore(port)
  }

  /** `close` asks for one port after the other, and only for what is open there. */
  #forgetBefore(port: number): void {
    const at = this.#ports.indexOf(port)
    for (const [name, { externalPort }] of this.#unanswered)
      if (this.#ports.indexOf(externalPort) < at) this.#unanswered.delete(name)
  }

  #open(port: Port): void {
    this.#opened.set(nameOf(port.externalPort, port.protocol), port)
  }
}

function questionsOf(command: GatewayCommand): Map<string, Port> {
  switch (command.name) {
    case 'map':
      return new Map(command.mappings.map((each) => [nameOf(each.internalPort, each.protocol), each]))
    case 'add-pinholes':
      return new Map(
        command.pinholes.map(({ internalPort: externalPort, protocol: number }) => {
          const protocol = transportProtocolOf(number) ?? 'TCP'
          return [nameOf(externalPort, protocol), { externalPort, protocol }]
        }),
      )
    case 'close': {
      const keys = command.ports.flatMap(({ port, protocols }) =>
        protocols.map((protocol) => ({ externalPort: port, protocol })),
      )
      return new Map(keys.map((key) => [nameOf(key.externalPort, key.protocol), key]))
    }
    default:
      return new Map()
  }
}

function nameOf(port: number, protocol: string): string {
  return `${port} ${protocol}`
}

/** `Port 22 TCP`, `Ports 80 TCP and 2038-2099 UDP` */
function subject(ports: readonly Port[]): string {
  return `${isOne(ports) ? 'Port' : 'Ports'} ${listed(portNames(ports))}`
}

function isOne(ports: readonly Port[]): boolean {
  return new Set(ports.map(({ externalPort }) => externalPort)).size === 1
}
