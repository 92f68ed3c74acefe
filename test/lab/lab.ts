/**
 * Drives lab.sh from tests: three hosts, a real miniupnpd, a real NAT.
 * Each lab has a name of its own, so that several stand side by side; `lab.sh hold` keeps it up for as long as this
 * process lives: when its standard input ends, be it by down(), a failure, Ctrl-C or a kill -9, it takes the lab down.
 */
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Command, type Finished } from './command.ts'

const LAB_SH = fileURLToPath(new URL('lab.sh', import.meta.url))
const UPNP_TS = fileURLToPath(new URL('../../bin/upnp-ts.js', import.meta.url))

/** The addresses of the lab, as lab.sh gives them. */
export const COMPUTER = '192.168.86.250'
export const COMPUTER_SECOND = '192.168.86.251'
export const COMPUTER_IPV6 = '2001:db8:86::250'
/** The router's address on the internet; what it says it has is RouterOptions.externalAddress. */
export const ROUTER_WAN = '203.0.113.1'
export const DESCRIPTION_URL = 'http://192.168.86.1:5000/rootDesc.xml'
export const DESCRIPTION_URL_IPV6 = 'http://[2001:db8:86::1]:5000/rootDesc.xml'

/** `+a` and `+b` are there once a test has made them. */
export type Host = 'computer' | 'router' | 'internet' | '+a' | '+b'

export interface RouterOptions {
  readonly igd?: 1 | 2
  readonly upnp?: boolean
  readonly pcp?: boolean
  readonly secureMode?: boolean
  /** What the router says it has (11.22.33.44); null: what it finds on its WAN side, a reserved address. */
  readonly externalAddress?: string | null
  /** Over PCP: the shortest and the longest, in seconds. */
  readonly leaseLimits?: readonly [number, number]
  readonly httpPort?: number
  readonly bitrateDownBps?: number
  readonly bitrateUpBps?: number
  readonly presentationUrl?: string
  readonly uuid?: string
}

/** What a command in a host may be given. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly deadlineMs?: number
}

export class Lab {
  readonly name: string
  readonly #keeper: Command

  private constructor(name: string, keeper: Command) {
    this.name = name
    this.#keeper = keeper
  }

  /** Where the programs of the lab keep what they keep for a user (XDG_STATE_HOME); it goes when the lab does. */
  get stateHome(): string {
    return `/run/upnp-ts-lab-${this.name}/state`
  }

  static async up(options: RouterOptions = {}): Promise<Lab> {
    const name = `test-${process.pid}-${randomBytes(4).toString('hex')}`
    const keeper = new Command([LAB_SH, 'hold', ...knobs(options)], { env: { LAB: name }, untilEndOfInput: true })
    await keeper.says(/is up/)
    return new Lab(name, keeper)
  }

  /** The name of its network namespace. */
  hostName(host: Host): string {
    return host.startsWith('+') ? `${this.name}${host}` : `${this.name}-${host}`
  }

  /** Runs a command in a host to its end. */
  on(host: Host, argv: readonly string[], { env = {}, deadlineMs }: RunOptions = {}): Promise<Finished> {
    return this.spawn(host, argv, env).ends(deadlineMs)
  }

  /** Starts a command in a host; the lab's end is its end at the latest. */
  spawn(host: Host, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Command {
    // What `lab.sh on` does; without its shell, so that the time is the command's.
    return new Command(['ip', 'netns', 'exec', this.hostName(host), ...argv], {
      env: { XDG_STATE_HOME: this.stateHome, XDG_CACHE_HOME: `${this.stateHome}/cache`, ...env },
    })
  }

  async upnpTs(...argv: string[]): Promise<Finished> {
    return withoutListenerHint(await this.on('computer', upnpTsCommand(...argv)))
  }

  upnpc(...argv: string[]): Promise<Finished> {
    return this.on('computer', ['upnpc', ...argv])
  }

  /** As a power cut: the router says no goodbye, and its mappings are gone. */
  async stopRouter(): Promise<void> {
    await this.#ask('stop')
  }

  async startRouter(changes: RouterOptions = {}): Promise<void> {
    await this.#ask('start', ...knobs(changes))
  }

  async reboot(changes: RouterOptions = {}): Promise<void> {
    await this.#ask('reboot', ...knobs(changes))
  }

  /** Leaves nothing behind: no namespace, no process, no file. */
  async down(): Promise<void> {
    this.#keeper.endInput()
    const { exit, stderr } = await this.#keeper.ends()
    if (exit !== 0) throw new Error(`the lab ${this.name} did not come down: ${stderr.trim()}`)
  }

  async #ask(...argv: string[]): Promise<void> {
    const { exit, stderr } = await new Command([LAB_SH, ...argv], { env: { LAB: this.name } }).ends()
    if (exit !== 0) throw new Error(stderr.trim())
  }
}

/** On the computers of the lab hardly anything listens, so the hint about that says nothing. */
export function withoutListenerHint(finished: Finished): Finished {
  return { ...finished, stderr: finished.stderr.replace(/^hint: nothing on this computer listens on .+\n/gm, '') }
}

/** The command line under test, as it was built. */
export function upnpTsCommand(...argv: string[]): string[] {
  return [process.execPath, UPNP_TS, ...argv]
}

/** RouterOptions -> the knobs of lab.sh. */
function knobs(options: RouterOptions): string[] {
  const yesNo = (value: boolean | undefined) => (value === undefined ? undefined : value ? 'yes' : 'no')
  const values = {
    igd: options.igd,
    upnp: yesNo(options.upnp),
    pcp: yesNo(options.pcp),
    secure: yesNo(options.secureMode),
    external: options.externalAddress === null ? '' : options.externalAddress,
    lease: options.leaseLimits?.join('-'),
    http: options.httpPort,
    bitrate_down: options.bitrateDownBps,
    bitrate_up: options.bitrateUpBps,
    presentation: options.presentationUrl,
    uuid: options.uuid,
  }
  return Object.entries(values).flatMap(([knob, value]) => (value === undefined ? [] : [`${knob}=${value}`]))
}
