/**
 * What can happen to a home while its ports are kept open, at random, and until when that excuses a closed port. What
 * leaves the router's mappings alone excuses nothing, however little can be asked meanwhile.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from './command.ts'
import { EPOCH_TELLS_MS, endBy, eventsOf, keepOpen, RESTORED_WITHIN_MS, type Via } from './keep-lab.ts'
import { COMPUTER_IPV6, COMPUTER_SECOND, type Lab, type RouterOptions } from './lab.ts'

export const LEASE_SECONDS = 60
/** RFC 6887 11.2.1: the renewal comes after 5/8 of the lease at the latest, and sees what a look would. */
const NEXT_LOOK_MS = LEASE_SECONDS * 1000 * (5 / 8)
const UNTOLD_MS = NEXT_LOOK_MS + RESTORED_WITHIN_MS

export interface KeptPort {
  readonly port: number
  readonly protocol: 'TCP' | 'UDP'
}

export interface Home {
  readonly lab: Lab
  readonly via: Via
  readonly keeper: Command
  readonly ports: readonly KeptPort[]
  readonly random: () => number
}

export interface Struck {
  readonly detail?: string
  /** For how long after the fault is over a port may still be closed; undefined if it may not be closed at all. */
  readonly excusedMs?: number
  /** Undone once all ports are open again. */
  readonly heal?: () => Promise<void>
}

export interface Fault {
  readonly what: string
  readonly strike: (home: Home) => Promise<Struck>
}

export const FAULTS: readonly Fault[] = [
  { what: 'restarted', strike: (home) => restarted(home) },
  { what: 'restarted silently', strike: (home) => restarted(home, { isSilent: true }) },
  { what: 'away', strike: (home) => restarted(home, { awayMs: between(home, 5, 40) * 1000 }) },
  {
    what: 'away, back silently',
    strike: (home) => restarted(home, { isSilent: true, awayMs: between(home, 5, 40) * 1000 }),
  },
  {
    what: 'another external address',
    strike: (home) => restarted(home, { changes: { externalAddress: `11.22.33.${between(home, 1, 250)}` } }),
  },
  {
    what: 'restarted twice',
    strike: async (home) => {
      await home.lab.reboot()
      const betweenMs = between(home, 1, 8) * 1000
      await pause(betweenMs)
      const { excusedMs } = await restarted(home)
      return { detail: seconds(betweenMs), excusedMs: betweenMs < EPOCH_TELLS_MS ? UNTOLD_MS : excusedMs }
    },
  },
  { what: 'a mapping removed by another', strike: removed },
  { what: 'the daemon frozen', strike: (home) => frozen(home, daemonPid(home)) },
  { what: 'the keeper frozen', strike: (home) => frozen(home, home.keeper.pid ?? 0, 15) },
  { what: 'requests lost', strike: (home) => lost(home, 'input', 20) },
  { what: 'answers lost', strike: (home) => lost(home, 'output', 20) },
  { what: 'every second request lost', strike: (home) => lost(home, 'input', 30, 'numgen random mod 2 0') },
  { what: 'the interface down', strike: interfaceDown },
  { what: 'another keeper ended', strike: (home) => anotherKeeper(home, 'SIGTERM') },
  { what: 'another keeper killed', strike: (home) => anotherKeeper(home, 'SIGKILL') },
  {
    what: '-d of a kept port',
    strike: async (home) => {
      const { port, protocol } = portOf(home)
      await home.lab.upnpTs('--via', home.via, '-d', `${port}`, protocol)
      return { detail: `${port} ${protocol}` }
    },
  },
  {
    what: 'forged announcements',
    strike: async ({ lab }) => {
      await on(lab, 'router', process.execPath, '-e', ANNOUNCER)
      return {}
    },
  },
]

/** PCP (RFC 6887 14.1), NAT-PMP (RFC 6886 3.2.1) and SSDP, from the router's address and all in vain. */
const ANNOUNCER = `
  const socket = require('node:dgram').createSocket('udp4')
  const pcp = Buffer.alloc(24)
  pcp.set([2, 0x80])
  const natPmp = Buffer.from([0, 128, 0, 0, 0, 0, 0, 0, 11, 22, 33, 44])
  const ssdp = (nts) => 'NOTIFY * HTTP/1.1\\r\\nHOST: 239.255.255.250:1900\\r\\nNTS: ' + nts +
    '\\r\\nNT: urn:schemas-upnp-org:device:InternetGatewayDevice:1\\r\\nCACHE-CONTROL: max-age=60\\r\\n' +
    'USN: uuid:b3e0a0e4-5f3c-4c39-9f0e-2d6b7c3a9a10::urn:schemas-upnp-org:device:InternetGatewayDevice:1\\r\\n' +
    'LOCATION: http://192.168.86.1:5000/rootDesc.xml\\r\\nSERVER: x\\r\\n\\r\\n'
  let left = 30
  const announce = () => {
    socket.send(pcp, 5350, '224.0.0.1')
    socket.send(natPmp, 5350, '224.0.0.1')
    socket.send(ssdp(left % 2 ? 'ssdp:byebye' : 'ssdp:alive'), 1900, '239.255.255.250')
    if (--left > 0) setTimeout(announce, 100)
    else setTimeout(() => socket.close(), 100)
  }
  socket.bind(0, '192.168.86.1', () => { socket.setMulticastInterface('192.168.86.1'); announce() })
`

interface Restart {
  readonly isSilent?: boolean
  readonly awayMs?: number
  readonly changes?: RouterOptions
}

async function restarted(home: Home, { isSilent = false, awayMs = 0, changes = {} }: Restart = {}): Promise<Struck> {
  const { lab } = home
  const isMute = awayMs > 0 && home.random() < 0.5
  if (isSilent) await nft(lab, 'computer', 'input', 'ip daddr 224.0.0.0/4', 'ip6 daddr ff00::/8')
  await lab.stopRouter()
  // Otherwise it answers that nothing listens.
  if (isMute) await nft(lab, 'router', 'input', 'th dport { 5000, 5351 }')
  await pause(awayMs)
  await lab.startRouter(changes) // with fresh rules
  return {
    detail: `${awayMs > 0 ? seconds(awayMs) : ''}${isMute ? ', mute' : ''}${changes.externalAddress ?? ''}`,
    excusedMs: isSilent ? UNTOLD_MS : RESTORED_WITHIN_MS,
    ...(isSilent && { heal: () => forgetNft(lab, 'computer') }),
  }
}

/** Over UPnP by somebody who may; otherwise the rule is taken out, and not even miniupnpd knows. */
async function removed(home: Home): Promise<Struck> {
  const { lab, via } = home
  const { port, protocol } = portOf(home)
  const detail = `${port} ${protocol}`
  if (via === 'igd') {
    await lab.upnpc('-m', COMPUTER_SECOND, '-d', `${port}`, protocol)
    return { detail, excusedMs: UNTOLD_MS }
  }
  const chain = ['inet', 'filter', 'prerouting_miniupnpd']
  const { stdout } = await lab.on('router', ['nft', '-a', 'list', 'chain', ...chain])
  const number = protocol === 'TCP' ? '0x6' : '0x11'
  const [, handle] = new RegExp(` ${number} th dport ${port} dnat .* # handle (\\d+)$`, 'm').exec(stdout) ?? []
  if (handle === undefined) throw new Error(`${detail} is not among the rules: ${stdout}`)
  await on(lab, 'router', 'nft', 'delete', 'rule', ...chain, 'handle', handle)
  return { detail, excusedMs: UNTOLD_MS }
}

async function frozen(home: Home, pid: number, longestSeconds = 20): Promise<Struck> {
  const ms = between(home, 2, longestSeconds) * 1000
  process.kill(pid, 'SIGSTOP')
  await pause(ms)
  process.kill(pid, 'SIGCONT')
  return { detail: seconds(ms) }
}

async function lost(home: Home, hook: 'input' | 'output', longestSeconds: number, which = ''): Promise<Struck> {
  const { lab } = home
  const ms = between(home, 2, longestSeconds) * 1000
  await nft(lab, 'router', hook, `th ${hook === 'input' ? 'dport' : 'sport'} { 1900, 5000, 5351 } ${which}`)
  await pause(ms)
  await forgetNft(lab, 'router')
  return { detail: seconds(ms) }
}

async function interfaceDown(home: Home): Promise<Struck> {
  const { lab } = home
  const ms = between(home, 1, 10) * 1000
  await on(lab, 'computer', 'ip', 'link', 'set', 'eth0', 'down')
  await pause(ms)
  const up = `ip link set eth0 up && ip route add default via 192.168.86.1 &&
    ip -6 addr add ${COMPUTER_IPV6}/64 dev eth0 && ip -6 route add default via 2001:db8:86::1`
  await on(lab, 'computer', 'sh', '-c', up)
  return { detail: seconds(ms), excusedMs: RESTORED_WITHIN_MS }
}

async function anotherKeeper(home: Home, signal: NodeJS.Signals): Promise<Struck> {
  const { lab, via } = home
  const { port, protocol } = portOf(home)
  const argv = ['--via', via, '-r', `${port}`, protocol, '--lease', `${LEASE_SECONDS}`]
  const keeper = await keepOpen(lab, argv)
  const ms = between(home, 1, 10) * 1000
  await pause(ms)
  const { stdout } = await endBy(keeper, signal)
  return { detail: `${port} ${protocol}, ${seconds(ms)}, ${eventsOf(stdout).at(-1)?.type}` }
}

function daemonPid({ lab }: Home): number {
  return Number(readFileSync(`/run/upnp-ts-lab-${lab.name}/miniupnpd.pid`, 'utf8'))
}

function portOf({ ports, random }: Home): KeptPort {
  const port = ports[Math.floor(random() * ports.length)]
  if (port === undefined) throw new Error('no port is kept')
  return port
}

/** A whole number, both ends included. */
export function between({ random }: Pick<Home, 'random'>, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1))
}

function seconds(ms: number): string {
  return `${ms / 1000} s`
}

/** Packets for a host, or from it, that vanish. */
async function nft(lab: Lab, host: 'computer' | 'router', hook: 'input' | 'output', ...matches: string[]) {
  const rules = matches.map((match) => `add rule inet endurance vanish ${match} drop`)
  const chain = `add chain inet endurance vanish { type filter hook ${hook} priority -10; }`
  await on(lab, host, 'nft', ['add table inet endurance', chain, ...rules].join('; '))
}

async function forgetNft(lab: Lab, host: 'computer' | 'router'): Promise<void> {
  await on(lab, host, 'nft', 'delete table inet endurance')
}

async function on(lab: Lab, host: 'computer' | 'router', ...argv: string[]): Promise<void> {
  const { stderr, exit } = await lab.on(host, argv)
  if (exit !== 0) throw new Error(`${argv.join(' ')} in ${host}: ${stderr.trim()}`)
}
