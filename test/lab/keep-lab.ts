/** `upnp-ts --keep` in a lab: started, watched from the internet, and ended. */
import type { Command, Finished } from './command.ts'
import { COMPUTER_IPV6, Lab, ROUTER_WAN, type RouterOptions, upnpTsCommand } from './lab.ts'
import { listenOnComputer } from './traffic.ts'

export type Via = 'igd' | 'pcp' | 'nat-pmp'
export const VIAS: readonly Via[] = ['igd', 'pcp', 'nat-pmp']
/** From the moment when the router is back, and says so. */
export const RESTORED_WITHIN_MS = 5000
/** An epoch that is younger may look like one that went on (RFC 6887 8.5 and RFC 6886 3.6 give 2 s, and seconds are whole). */
export const EPOCH_TELLS_MS = 5000
/** What a keeper takes to end, at most. */
export const END_MS = 2000
/** Routers that speak it, and as little else as can be. */
export const ROUTERS: Readonly<Record<Via, RouterOptions>> = {
  igd: { pcp: false },
  pcp: { upnp: false },
  'nat-pmp': { upnp: false },
}

/** What is kept open, and how somebody on the internet comes in. */
export interface Door {
  readonly name: string
  readonly via: Via
  readonly argv: readonly string[]
  readonly port: number
  readonly host: string
  readonly isPinhole: boolean
}

export function doorOf(via: Via, port: number): Door {
  const argv = ['--via', via, '-r', `${port}`, 'TCP']
  return { name: via, via, argv, port, host: ROUTER_WAN, isPinhole: false }
}

export function pinholeOf(via: 'igd' | 'pcp'): Door {
  const how = via === 'igd' ? ['-6'] : ['--via', via]
  const argv = [...how, '-A', '', '0', '@', '8022', 'TCP', '600']
  return { name: `${via}, pinhole`, via, argv, port: 8022, host: COMPUTER_IPV6, isPinhole: true }
}

type OnTestFinished = (cleanUp: () => Promise<void>) => void

/** A lab that goes down when the test is over. */
export async function labUp(onTestFinished: OnTestFinished, options: RouterOptions = {}): Promise<Lab> {
  const lab = await Lab.up(options)
  onTestFinished(() => lab.down())
  return lab
}

/** Its lines on the standard error are among those of the standard output, so that they can be waited for. */
export function keep(lab: Lab, argv: readonly string[]): Command {
  const command = ['sh', '-c', 'exec "$@" 2>&1', '-', ...upnpTsCommand(...argv, '--keep')]
  return lab.spawn('computer', command)
}

/** With --json, once its ports are open. */
export async function keepOpen(lab: Lab, argv: readonly string[]): Promise<Command> {
  const keeper = keep(lab, [...argv, '--json'])
  await keeper.says(told('mapped|pinhole-added'))
  return keeper
}

/** The n-th event of that type. */
export function told(type: string, times = 1): RegExp {
  return new RegExp(`(?:^\\{"type":"(?:${type})"[^]*?){${times}}\\}$`, 'm')
}

export interface KeepEvent {
  readonly type: string
  readonly [field: string]: unknown
}

/** @throws where a line is no JSON object */
export function eventsOf(output: string): KeepEvent[] {
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as KeepEvent)
}

/** The signal, and how it ended; `wallMs` counts from the signal. */
export async function endBy(keeper: Command, signal: NodeJS.Signals): Promise<Finished> {
  const startMs = performance.now()
  keeper.kill(signal)
  const finished = await keeper.ends()
  return { ...finished, wallMs: performance.now() - startMs }
}

const KNOCKER = `
  const [host, port, protocol] = process.argv.slice(1)
  let was
  // No two datagrams come from the same port within an hour: the router knows a flow for a while.
  let from = 0
  const overTcp = (end) => {
    const socket = require('node:net').connect(Number(port), host, () => socket.write('hello'))
    socket.on('data', () => end(true)).on('error', () => end(false)).on('close', () => end(false))
    return () => socket.destroy()
  }
  const overUdp = (end) => {
    const socket = require('node:dgram').createSocket('udp4')
    socket.on('message', () => end(true)).on('error', () => end(false))
    socket.bind(20_000 + (from++ % 40_000), () => socket.connect(Number(port), host, () => socket.send('hello')))
    return () => socket.close()
  }
  const knock = () => {
    let over = false
    const end = (isOpen) => {
      if (over) return
      over = true
      clearTimeout(timer)
      close()
      if (isOpen !== was) console.log((isOpen ? 'open ' : 'shut ') + Date.now())
      was = isOpen
      setTimeout(knock, 50)
    }
    const timer = setTimeout(() => end(false), 400)
    const close = (protocol === 'UDP' ? overUdp : overTcp)(end)
  }
  knock()
`

/** While nobody could come in; `openMs` is infinite if it still lasts. */
export interface Gap {
  readonly shutMs: number
  readonly openMs: number
}

/** Somebody on the internet who connects again and again, sends something and waits for its echo. */
export class Knocker {
  readonly #command: Command
  #changes = 0

  constructor(lab: Lab, { host, port }: Pick<Door, 'host' | 'port'>, protocol: 'TCP' | 'UDP' = 'TCP') {
    this.#command = lab.spawn('internet', [process.execPath, '-e', KNOCKER, host, `${port}`, protocol])
  }

  /** So far, since he came in for the first time. */
  get gaps(): readonly Gap[] {
    const gaps = this.#command.stdout.matchAll(/(?<=^open \d+\n)shut (\d+)\n(?:open (\d+)\n)?/gm)
    return [...gaps].map(([, shut, open = 'Infinity']) => ({ shutMs: Number(shut), openMs: Number(open) }))
  }

  /** Waits until he comes in after he did not, or the other way round. Resolves with the time. */
  async finds(state: 'open' | 'shut', deadlineMs?: number): Promise<number> {
    const before = `^(?:\\w+ \\d+\\n){${this.#changes}}`
    const [, skipped = '', , time] = await this.#command.says(
      new RegExp(`${before}((?:\\w+ \\d+\\n)*?)(${state}) (\\d+)\\n`),
      deadlineMs,
    )
    this.#changes += skipped.split('\n').length
    return Number(time)
  }

  /** For how long he could not come in between two times that he could, in milliseconds. */
  async leaves(): Promise<number[]> {
    this.#command.kill('SIGKILL')
    const { stdout } = await this.#command.ends()
    const gaps = stdout.matchAll(/^shut (\d+)\n(?=open (\d+)\n)/gm)
    return [...gaps].slice(1).map(([, shut, open]) => Number(open) - Number(shut))
  }
}

/** That door is kept open, and somebody listens behind it. */
export async function keptDoor(lab: Lab, { argv, port }: Door, ...more: string[]): Promise<{ keeper: Command }> {
  await listenOnComputer(lab, port)
  return { keeper: await keepOpen(lab, [...argv, ...more]) }
}
