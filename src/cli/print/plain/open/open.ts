/**
 * `open`: what has become of the ports is held until all of them are decided, and then told as a whole: what is open over
 * IPv4, the same over IPv6, and then each failure with the command that helps.
 */
import { isGlobalIPv6, isInternetAddress, knownAddress } from '../../../../domain/address.js'
import type { PinholeId } from '../../../../domain/pinhole.js'
import { type MappingRequest, transportProtocolOf } from '../../../../domain/port-mapping.js'
import type { GatewayCommand } from '../../../parse/command-table.js'
import type { GatewayInvocation } from '../../../parse/invocation.js'
import type { NoticeOf, ReportOf } from '../../../report.js'
import { cleaned } from '../../clean.js'
import { bad, type Piece } from '../../pieces.js'
import { errorText } from '../errors.js'
import { type Failure, failuresText, mapFailure, pinholeFailure } from '../failures.js'
import { nobodyText, notOverIPv6Text, plainNotice, refusedOverIPv6 } from '../notices.js'
import type { Occasion, Telling } from '../telling.js'
import { dateText } from '../words.js'
import { endpointText, handOverLine } from './hand-over.js'
import { natText } from './nat.js'
import { type OpenedPort, openedText } from './ports.js'

export function openTelling(occasion: Occasion): Telling {
  const teller = new OpenTeller(occasion)
  return { rows: teller.rows, beforeNews: () => teller.tellAll(), end: () => teller.tellAll() }
}

class OpenTeller {
  readonly #occasion: Occasion
  readonly #wanted: { readonly 4: number; readonly 6: number }
  /** What is open, and has not been told yet. */
  readonly #held: OpenedPort[] = []
  readonly #failures: (Failure & { readonly asked?: MappingRequest })[] = []
  readonly #notices: Piece[] = []
  readonly #unheard: NoticeOf<'nobody-listens'>[] = []
  #isTold = false
  #isWithoutRouter = false
  /** Of either family, in this answer. */
  readonly #decided = { 4: 0, 6: 0 }
  #gateway: ReportOf<'gateway'> | undefined
  #localAddress: string | undefined
  /** What the router says of its address, if the internet cannot come in there. */
  #privateAddress: string | undefined
  #isToldOfNat = false
  #isDrawn = false
  readonly #toldOfIPv6 = new Set<string>()
  readonly #pinholes = new Map<PinholeId, OpenedPort>()

  constructor(occasion: Occasion) {
    const { command, beside } = occasion.invocation
    this.#occasion = occasion
    this.#wanted = {
      4: sizeOf(command, 'map'),
      6: sizeOf(command, 'add-pinholes') + sizeOf(beside?.command, 'add-pinholes'),
    }
  }

  readonly rows: Telling['rows'] = {
    'local-address': ({ address }) => {
      this.#localAddress ??= address
      return []
    },
    gateway: (report) => {
      this.#gateway = report
      return []
    },
    mapped: (report) => {
      if (report.isOtherwise === true) return []
      this.#held.push(this.#mappedPort(report))
      this.#forgetRefusal(report.asked)
      return this.#decide(4)
    },
    'map-failed': (report) => {
      this.#failures.push({ ...mapFailure(report, this.#occasion), asked: report.asked })
      return []
    },
    'taken-back': ({ key }) => {
      const isIt = ({ family, protocols, externalPort }: OpenedPort): boolean =>
        family === 4 && protocols.includes(key.protocol) && externalPort === key.externalPort
      return this.#takeBack(this.#held.find(isIt))
    },
    'pinhole-added': (report) => [...this.#tellIPv4(), ...this.#hearPinhole(report)],
    notice: (notice) => this.#hearNotice(notice),
    error: (report) => {
      this.#isWithoutRouter ||= report.searched !== undefined
      return [...this.tellAll(), ...errorText(report, this.#occasion, this.#gateway)]
    },
  }

  tellAll(): readonly Piece[] {
    const unheard = nobodyText(this.#unheard.splice(0))
    return [...this.#tellOpened(), ...unheard, ...this.#notices.splice(0), ...failuresText(this.#failures.splice(0))]
  }

  get #isBeside(): boolean {
    return this.#occasion.invocation.command.name === 'map'
  }

  get #isForThisComputer(): boolean {
    const { command, beside } = this.#occasion.invocation
    const pinholes = [command, beside?.command].flatMap((each) => (each?.name === 'add-pinholes' ? each.pinholes : []))
    return pinholes.every(({ internalClient }) => internalClient === 'stable')
  }

  /** Of equal sentences about IPv6, one is told. */
  #once(pieces: readonly Piece[]): readonly Piece[] {
    const fresh = pieces.filter(({ text }) => !this.#toldOfIPv6.has(text))
    for (const { text } of fresh) this.#toldOfIPv6.add(text)
    return fresh
  }

  #hearPinhole(report: ReportOf<'pinhole-added'>): readonly Piece[] {
    if (report.ok) {
      const port = this.#pinhole(report)
      this.#pinholes.set(report.id, port)
      this.#held.push(port)
      return this.#decide(6)
    }
    if (this.#isBeside) return this.#once(refusedOverIPv6(report))
    else this.#failures.push(pinholeFailure(report))
    return []
  }

  #hearNotice(notice: ReportOf<'notice'>): readonly Piece[] {
    if (notice.kind === 'pinhole-taken-back' && notice.closed) this.#takeBack(this.#pinholes.get(notice.id))
    if (notice.kind === 'address-not-public') this.#privateAddress = notice.address
    else if (notice.kind === 'nobody-listens') this.#unheard.push(notice)
    else if (notice.kind === 'not-over-ipv6') return [...this.#tellIPv4(), ...this.#notOverIPv6(notice)]
    else this.#notices.push(...plainNotice(notice, this.#occasion))
    return this.#isTold ? this.#notices.splice(0) : []
  }

  /** With --external any, TCP and UDP are tried on another port if one of them is taken. */
  #forgetRefusal({ protocol, internalPort, internalClient }: MappingRequest): void {
    const { command } = this.#occasion.invocation
    if (command.name !== 'map' || !command.any) return
    const isSame = (asked: MappingRequest | undefined): boolean =>
      asked?.protocol === protocol && asked.internalPort === internalPort && asked.internalClient === internalClient
    const left = this.#failures.splice(0).filter(({ asked }) => !isSame(asked))
    this.#failures.push(...left)
  }

  /** One half of TCP and UDP is open, and is closed again because the other one is not. */
  #takeBack(port: OpenedPort | undefined): readonly Piece[] {
    const at = port === undefined ? -1 : this.#held.indexOf(port)
    const [taken] = at === -1 ? [] : this.#held.splice(at, 1)
    if (taken !== undefined) this.#decided[taken.family]--
    return []
  }

  /** Nothing, if it has been said already that no router answered. */
  #notOverIPv6(notice: NoticeOf<'not-over-ipv6'>): readonly Piece[] {
    return this.#isWithoutRouter && notice.late ? [] : notOverIPv6Text(notice, this.#occasion)
  }

  /** Tells a family once all of its ports are open. What fails is told at the end. */
  #decide(family: 4 | 6): readonly Piece[] {
    this.#decided[family]++
    if (this.#decided[family] < this.#wanted[family]) return []
    if (family === 6 && this.#isBeside && !this.#isTold) return [] // IPv4 comes first
    return this.#tellOpened()
  }

  #tellIPv4(): readonly Piece[] {
    return this.#isBeside && this.#decided[6] === 0 ? this.tellAll() : []
  }

  #tellOpened(): readonly Piece[] {
    const ports = this.#held.splice(0)
    const [ipv4, ipv6] = [ports.filter(({ family }) => family === 4), ports.filter(({ family }) => family === 6)]
    return [...this.#tellPorts(ipv4), ...this.#tellPorts(ipv6)]
  }

  #tellPorts(ports: readonly OpenedPort[]): readonly Piece[] {
    if (ports.length === 0) return []
    const { nowMs, invocation } = this.#occasion
    const isBeside = this.#isBeside && this.#isTold && ports.every(({ family }) => family === 6)
    this.#isTold = true
    const end = endText(invocation, nowMs())
    const answer = openedText(ports, { nowMs: nowMs(), server: invocation.handOver?.server, end, isBeside })
    const shut = ports.find(({ reachable }) => reachable === false)
    const why = shut === undefined || this.#isToldOfNat ? [] : this.#whyUnreachable(shut)
    this.#isToldOfNat ||= shut !== undefined
    return [...answer, ...this.#qrCodes(ports), ...why, ...this.#notices.splice(0)]
  }

  /** --qr: of the first address that friends can use. */
  #qrCodes(ports: readonly OpenedPort[]): readonly Piece[] {
    const { drawQr, invocation } = this.#occasion
    const port = ports.find(({ externalAddress = '' }) => isInternetAddress(externalAddress))
    if (drawQr === undefined || port === undefined || this.#isDrawn) return []
    this.#isDrawn = true
    const open = { ...port, externalAddress: port.externalAddress ?? '', protocol: port.protocols.join('+') }
    const line = invocation.handOver?.server && handOverLine(open, invocation.handOver.server)
    return drawQr(line ?? endpointText(open))
  }

  #whyUnreachable({ family, internalClient }: OpenedPort): readonly Piece[] {
    if (family === 4) return natText(this.#privateAddress ?? '')
    return [bad(`The internet cannot reach it: ${cleaned(internalClient)} is not an address of the internet.\n`)]
  }

  #mappedPort({ asked, mapping, externalAddress, reachable }: ReportOf<'mapped'>): OpenedPort {
    const { externalPort, internalClient, internalPort, remoteHost } = asked
    return {
      ...{ family: 4, protocols: [asked.protocol], externalAddress: knownAddress(externalAddress), reachable },
      ...{ externalPort: mapping.externalPort ?? externalPort, internalClient, remoteHost },
      isHere: internalClient === this.#localAddress,
      internalPort: mapping.internalPort || internalPort,
      instead: mapping.externalPort === externalPort ? undefined : externalPort,
      endsWallMs: this.#endOf(mapping.leaseSeconds),
    }
  }

  /** A pinhole translates nothing: outside is as inside. */
  #pinhole({ asked, leaseSeconds }: Extract<ReportOf<'pinhole-added'>, { readonly ok: true }>): OpenedPort {
    const { internalClient, internalPort, remoteHost, protocol } = asked
    return {
      ...{
        family: 6,
        protocols: [transportProtocolOf(protocol) ?? String(protocol)],
        reachable: isGlobalIPv6(internalClient),
      },
      isHere: this.#isForThisComputer,
      ...{ externalAddress: internalClient, externalPort: internalPort, internalClient, internalPort, remoteHost },
      instead: undefined,
      endsWallMs: this.#endOf(leaseSeconds),
    }
  }

  #endOf(leaseSeconds: number | undefined): number | undefined {
    return leaseSeconds === undefined || leaseSeconds === 0 ? undefined : this.#occasion.nowMs() + leaseSeconds * 1000
  }
}

function sizeOf(command: GatewayCommand | undefined, name: 'map' | 'add-pinholes'): number {
  if (command?.name === 'map' && name === 'map') return command.mappings.length
  return command?.name === 'add-pinholes' && name === 'add-pinholes' ? command.pinholes.length : 0
}

/** With --keep: what ends it. */
function endText({ keep }: GatewayInvocation, nowMs: number): string | undefined {
  if (keep === undefined) return undefined
  const event = keep.program.length > 0 ? 'the program ends' : 'you press Ctrl-C; it is kept open until then'
  return keep.forMs === undefined ? event : `${dateText(nowMs + keep.forMs, nowMs)}, or ${event}`
}
