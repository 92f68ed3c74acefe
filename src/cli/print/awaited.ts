/** What a command waits for: by what was asked, and by what has been reported so far. */
import { parseZonedUrl } from '../../domain/url.js'
import type { GatewayCommand } from '../parse/command-table.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { Report } from '../report.js'

/** The ports that a command opens or closes, one after the other. */
interface PortWork {
  readonly doing: 'opening' | 'closing'
  readonly done: 'opened' | 'closed'
  /** A port of TCP and UDP is there twice, if these are two questions. */
  readonly ports: readonly number[]
}

export class Awaited {
  readonly #invocation: GatewayInvocation
  readonly #interfaces: () => readonly string[]
  readonly #work: PortWork | undefined
  readonly #failed = new Set<string>()
  #isFound = false
  #done = 0
  /** What could not be opened, or was not closed. */
  #others = 0
  /** With `close`, one port may be several questions: whether anything was closed there. */
  readonly #heard = new Map<number, boolean>()
  /** The rows of the router's list that have been read. */
  rows = 0
  /** With --keep: whether it is clear what became of every port. */
  isOver = false

  constructor(invocation: GatewayInvocation, interfaces: () => readonly string[]) {
    this.#invocation = invocation
    this.#interfaces = interfaces
    this.#work = portWorkOf(invocation.command)
  }

  /** Returns whether something else is waited for from now on. */
  hear(report: Report): boolean {
    const { type } = report
    if (this.#invocation.command.name === 'close') this.#hearClosing(report)
    else if (type === 'mapped' || type === 'unmapped' || (type === 'pinhole-added' && report.ok)) this.#done++
    else if (type === 'map-failed' || type === 'unmap-failed' || type === 'pinhole-added') this.#others++
    else if (type === 'keep-failed') this.#failed.add(report.name)
    else if (type === 'mapping') this.rows++
    else if (type === 'listing-end' || type === 'listing-failed') this.rows = 0
    if (this.#invocation.keep !== undefined) {
      const isStarted = type === 'notice' && report.kind === 'started-without-ports'
      this.isOver = isStarted || this.#done + this.#failed.size >= (this.#work?.ports.length ?? 0)
    }
    const isAboutRouter = type === 'local-address' || type === 'searching' || type === 'gateway-lost'
    if (isAboutRouter) this.#isFound = type === 'local-address'
    return isAboutRouter
  }

  #hearClosing(report: Report): void {
    const port = closedPortOf(report)
    if (port === undefined) return
    this.#heard.set(port, report.type === 'unmapped' || this.#heard.get(port) === true)
    this.#done = [...this.#heard.values()].filter((isClosed) => isClosed).length
    this.#others = this.#heard.size - this.#done
  }

  get text(): string {
    if (!this.#isFound) return searchText(this.#invocation, this.#interfaces)
    const { name } = this.#invocation.command
    if (name === 'list' || name === 'list-at-once') return "reading the router's list"
    const decided = this.#done + this.#others
    if (this.#work === undefined || decided >= this.#work.ports.length) return 'waiting for the router'
    const { doing, done, ports } = this.#work
    const [port] = ports
    if (ports.some((each) => each !== port)) {
      const others = this.#others === 0 ? '' : `, ${this.#others} not`
      return `${done} ${this.#done} of ${ports.length} ports${others}`
    }
    return `${doing} ${port === 0 ? 'a port' : `port ${port}`}`
  }
}

function closedPortOf(report: Report): number | undefined {
  const { type } = report
  if (type === 'unmapped' || type === 'unmap-failed') return report.key.externalPort
  if (type !== 'notice') return undefined
  if (report.kind === 'nothing-open') return report.externalPort
  return 'key' in report ? report.key.externalPort : undefined
}

function portWorkOf(command: GatewayCommand): PortWork | undefined {
  const opens = { doing: 'opening', done: 'opened' } as const
  if (command.name === 'map') return { ...opens, ports: command.mappings.map(({ externalPort }) => externalPort) }
  if (command.name === 'add-pinholes')
    return { ...opens, ports: command.pinholes.map(({ internalPort }) => internalPort) }
  const closes = { doing: 'closing', done: 'closed' } as const
  if (command.name === 'unmap') return { ...closes, ports: command.keys.map(({ externalPort }) => externalPort) }
  if (command.name === 'close' || command.name === 'close-pinholes')
    return { ...closes, ports: command.ports.map(({ port }) => port) }
  return undefined
}

function searchText(invocation: GatewayInvocation, interfaces: () => readonly string[]): string {
  const { emulate, url, portControl, search } = invocation
  if (emulate) return 'looking for the emulated router'
  const named = url === undefined ? portControl.gateway?.address : parseZonedUrl(url)?.url.hostname
  if (named !== undefined) return `waiting for the router at ${named}`
  const names = search.interface === undefined ? [...new Set(interfaces())] : [search.interface]
  if (names.length === 0) return 'looking for a router'
  return `looking for a router on ${names.length > MOST_NAMES ? `${names.length} networks` : listed(names)}`
}

/** More are counted. */
const MOST_NAMES = 3

function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${last}` : last
}
