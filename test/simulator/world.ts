/** What one simulation is made of, and what happens in it by its seed. */
import { memoryFiles, type PrivateFiles } from '../../src/net/files/private-files.ts'
import { randomFrom } from '../support/random.ts'
import { type Computer, Network } from './network.ts'
import { Recorder } from './recorder.ts'
import { Router } from './router.ts'
import { type Bugs, Session, type Wanted, wantedOf } from './session.ts'
import { Timeline } from './timeline.ts'

export const SECOND_MS = 1000
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

export const PROTOCOLS = ['igd', 'pcp', 'nat-pmp'] as const
export type Protocol = (typeof PROTOCOLS)[number]

export interface Scenario {
  readonly seed: number
  readonly protocol: Protocol
  readonly isIgd1: boolean
  readonly checkMs: number
  readonly leaseSeconds: number | undefined
  readonly argv: readonly string[]
  readonly wanted: readonly Wanted[]
}

const DEFAULT_CHECK_SECONDS = 120
const CHECKS = [60, DEFAULT_CHECK_SECONDS, 300, 600] as const
/** Undefined for no end. */
const LEASES = [60, 120, 600, 3600, 7200, 86_400, undefined] as const
const PORTS: readonly (readonly string[])[] = [
  ['22', 'TCP'],
  ['53', 'UDP'],
  ['8080', 'TCP+UDP'],
  ['443', '8443', 'TCP'],
  ['5000', '0', 'UDP'],
  ['6881', '0', 'TCP+UDP'],
]

/** For -n with an IGD, which takes no port 0. */
const ANY_PORTS = [
  ['5000', '5000', 'UDP'],
  ['6881', '6881', 'TCP+UDP'],
] as const

export function pick<T>(random: () => number, from: readonly [T, ...T[]] | readonly T[]): T {
  const picked = from[Math.floor(random() * from.length)]
  if (picked === undefined && !from.includes(picked as T)) throw new RangeError('nothing to pick from')
  return picked as T
}

export function between(random: () => number, from: number, to: number): number {
  return Math.floor(from + random() * (to - from))
}

/** Most simulated keepers make no more, or 200 days would take too long. */
const USUAL_REQUESTS_IN_A_DAY = 500
const MOST_REQUESTS_IN_A_DAY = 3500
const BUSY = 0.07

/** About how many requests the keeper makes in a quiet day. */
function requestsInADay(protocol: Protocol, ports: number, checkSeconds: number, leaseSeconds = 604_800): number {
  const looks = (24 * 3600) / checkSeconds
  const renewals = (24 * 3600) / (Math.max(leaseSeconds, protocol === 'pcp' ? 120 : 1) * 0.55)
  return looks * (1 + ports) + renewals * ports * (protocol === 'igd' ? 2 : 1)
}

export function scenarioOf(seed: number): Scenario {
  const random = randomFrom(seed)
  const protocol = PROTOCOLS[seed % PROTOCOLS.length] ?? 'igd'
  const most = random() < BUSY ? MOST_REQUESTS_IN_A_DAY : USUAL_REQUESTS_IN_A_DAY
  for (;;) {
    const [check, leaseSeconds] = [pick(random, CHECKS), pick(random, LEASES)]
    const argv = [
      ...['--keep', '--json', '-p', '', '--via', protocol],
      ...(check === DEFAULT_CHECK_SECONDS ? [] : ['--check', String(check)]),
      ...(leaseSeconds === undefined ? [] : ['--lease', String(leaseSeconds)]),
      ...['--state', 'state.json', '--on-change', 'hook', ...portWords(random, protocol)],
    ]
    const [isIgd1, wanted] = [protocol === 'igd' && random() < 0.3, wantedOf(argv)]
    if (requestsInADay(protocol, wanted.length, check, leaseSeconds) <= most)
      return { seed, protocol, isIgd1, checkMs: check * SECOND_MS, leaseSeconds, argv, wanted }
  }
}

/** An IGD takes no external port 0. */
function portWords(random: () => number, protocol: Protocol): readonly string[] {
  if (protocol === 'igd' && random() < 0.4) return ['-n', '@', ...pick(random, ANY_PORTS)]
  const left = PORTS.filter(([, external]) => protocol !== 'igd' || external !== '0')
  const ports = Array.from({ length: between(random, 1, 4) }, () =>
    left.splice(between(random, 0, left.length), 1).flat(),
  )
  return ['-r', ...ports.flat()]
}

/** Why a simulation has failed. */
export interface Failure {
  readonly property: string
  readonly message: string
}

export class World {
  readonly scenario: Scenario
  readonly random: () => number
  readonly timeline = new Timeline()
  readonly network: Network
  readonly router: Router
  readonly computer: Computer
  /** Another computer on the link. */
  readonly stranger: Computer
  readonly files: PrivateFiles
  readonly recorder: Recorder
  readonly faults: string[] = []
  readonly log: ((line: string) => void) | undefined
  /** The names of ports that other keepers on this computer have left open at their end. */
  readonly leftByOthers = new Set<string>()
  /** When the trouble is over, as far as is known. */
  troubleUntilMs = 0
  failure: Failure | undefined
  /** No fault has been there since then; in the future while there is one. */
  quietSinceMs = 0

  readonly #bugs: Bugs
  #keeper: Session | undefined
  readonly #without: ReadonlySet<string>

  constructor(
    scenario: Scenario,
    bugs: Bugs = {},
    log?: (line: string) => void,
    without: ReadonlySet<string> = new Set(),
  ) {
    this.#without = without
    this.scenario = scenario
    this.random = randomFrom(scenario.seed + 1_000_003)
    this.network = new Network(this.timeline, this.random)
    this.router = new Router(this.network, scenario.isIgd1 ? [{ name: 'igd1' }] : [])
    this.computer = this.network.newComputer('192.168.1.10')
    this.stranger = this.network.newComputer('192.168.1.99')
    this.log = log === undefined ? undefined : (line) => log(`${clockText(this.timeline.nowMs)} ${line}`)
    this.files = this.log === undefined ? memoryFiles() : loggedFiles(this.log)
    this.recorder = new Recorder(this)
    this.#bugs = bugs
  }

  get keeper(): Session {
    if (this.#keeper === undefined) throw new Error('it has not begun')
    return this.#keeper
  }

  /** The router starts, and the keeper some minutes later. */
  async begin(): Promise<void> {
    await this.router.start()
    await this.pass(between(this.random, 0, 10 * MINUTE_MS))
    this.#keeper = this.newKeeper('keeper', this.files, this.#bugs)
    this.quietSinceMs = this.timeline.nowMs
  }

  newKeeper(name: string, files: PrivateFiles, bugs: Bugs = {}): Session {
    const onLine = (report: object): void => this.log?.(`  ${name} says ${JSON.stringify(report)}`)
    return new Session({ name, computer: this.computer, files, argv: this.scenario.argv, bugs, onLine })
  }

  lastUntil(atMs: number): void {
    this.troubleUntilMs = Math.max(this.troubleUntilMs, atMs)
  }

  fail(property: string, message: string | undefined): void {
    if (message === undefined || this.failure !== undefined || this.#without.has(property)) return
    this.failure = { property, message: `at ${clockText(this.timeline.nowMs)}: ${message}` }
    this.log?.(`FAILED ${property}: ${message}`)
  }

  async pass(ms: number): Promise<void> {
    await this.timeline.pass(ms, () => this.failure !== undefined)
  }
}

function loggedFiles(log: (line: string) => void): PrivateFiles {
  const files = memoryFiles()
  return {
    ...files,
    write(name, text) {
      log(`  writes ${name} ${text.trim()}`)
      return files.write(name, text)
    },
    remove(name) {
      log(`  removes ${name}`)
      return files.remove(name)
    },
  }
}

/** `07:05:12.250`, and the day if it is not the first. */
export function clockText(ms: number): string {
  const text = new Date(ms).toISOString().slice(11, 23)
  const day = Math.floor(ms / (24 * HOUR_MS))
  return day === 0 ? text : `day ${day + 1} ${text}`
}
