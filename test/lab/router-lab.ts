/** What the tests of the router do to a home: slow answers, more networks, other routers, other users. */
import { mkdirSync } from 'node:fs'
import { expect } from 'vitest'
import { Command, type Finished } from './command.ts'
import { type Host, Lab, type RouterOptions, upnpTsCommand, withoutListenerHint } from './lab.ts'

type OnTestFinished = (cleanUp: () => Promise<void>) => void

export async function labUp(onTestFinished: OnTestFinished, options: RouterOptions = {}): Promise<Lab> {
  const lab = await Lab.up(options)
  onTestFinished(() => lab.down())
  return lab
}

/** Runs a script of the shell in a host; every line has to succeed. */
export async function sh(lab: Lab, host: Host, script: string): Promise<void> {
  const { exit, stderr } = await lab.on(host, ['sh', '-ec', script])
  if (exit !== 0) throw new Error(`${host}: ${script}: ${stderr}`)
}

// --- a command ------------------------------------------------------------------------------------------------------

export interface Ran extends Finished {
  /** What it went over: `IGD`, `PCP` or `NAT-PMP`; empty if over nothing. */
  readonly via: string
  /** Host and port of what it went over. */
  readonly router: string
}

export interface HowToRun {
  /** XDG_STATE_HOME. The default is the lab's, which all commands share. */
  readonly stateHome?: string
  /** A command to run it with. */
  readonly by?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export async function run(lab: Lab, argv: readonly string[], how: HowToRun = {}): Promise<Ran> {
  const { stateHome = lab.stateHome, by = [], env = {} } = how
  const command = [...by, ...upnpTsCommand(...argv)]
  const ran = await lab.on('computer', command, { env: { XDG_STATE_HOME: stateHome, ...env } })
  const finished = withoutListenerHint(ran)
  const found = /^Found .*?\b(IGD|PCP|NAT-PMP)\b.*? : (?:http:\/\/)?([^/\s]+)/m.exec(finished.stdout)
  return { ...finished, via: found?.[1] ?? '', router: found?.[2] ?? '' }
}

let states = 0

/** A directory for state that nobody has used, which goes when the lab does. */
export function freshState(lab: Lab): string {
  const directory = `${lab.stateHome}-${++states}`
  mkdirSync(directory, { mode: 0o700 })
  return directory
}

// --- a router that takes its time -----------------------------------------------------------------------------------

export const LAB_UUID = 'b3e0a0e4-5f3c-4c39-9f0e-2d6b7c3a9a10'

/** As the device may (UDA 1.1 1.3.3: any time within MX). From another port, because port 1900 is not let out. */
const SLOW_ANSWERS = `
  const [address, location, uuid, delayMs] = process.argv.slice(1)
  const dgram = require('node:dgram')
  const out = dgram.createSocket('udp4')
  const answer = (datagram, { address: host, port }) => {
    const [, target] = /^ST: *(\\S*InternetGatewayDevice:1)/im.exec(datagram) ?? []
    if (!/^M-SEARCH/.test(datagram) || target === undefined) return
    const headers = ['CACHE-CONTROL: max-age=120', 'ST: ' + target, 'USN: uuid:' + uuid + '::' + target, 'EXT:',
      'SERVER: slow', 'LOCATION: ' + location]
    setTimeout(() => out.send(['HTTP/1.1 200 OK', ...headers, '', ''].join('\\r\\n'), port, host), Number(delayMs))
  }
  const listen = (own, then) => {
    const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true })
    socket.on('message', answer).bind(1900, own, () => then(socket))
  }
  out.bind(0, address, () => listen(address, () => listen('239.255.255.250', (socket) => {
    socket.addMembership('239.255.255.250', address)
    console.log('ready')
  })))
`

/** From now on the router answers each search after that time, until the command that is returned is killed. */
export async function answerSearchesAfter(lab: Lab, delayMs: number): Promise<Command> {
  await sh(
    lab,
    'router',
    `nft list table inet slow > /dev/null 2>&1 && exit 0
     nft 'add table inet slow; add chain inet slow out { type filter hook output priority 0; }'
     nft add rule inet slow out udp sport 1900 drop`,
  )
  const location = 'http://192.168.86.1:5000/rootDesc.xml'
  const command = [process.execPath, '-e', SLOW_ANSWERS, '192.168.86.1', location, LAB_UUID, `${delayMs}`]
  const answering = lab.spawn('router', command)
  await answering.says(/ready/)
  return answering
}

/** The router keeps its mappings and speaks no UPnP any more. */
export async function switchUpnpOff(lab: Lab): Promise<void> {
  await sh(
    lab,
    'router',
    `nft insert rule inet filter input udp dport 1900 drop
     nft insert rule inet filter input tcp dport 5000 reject with tcp reset`,
  )
}

/** Another router in its place, with the same address: another UDN and another hardware address. */
export async function changeRouter(lab: Lab, options: RouterOptions): Promise<void> {
  await lab.stopRouter()
  await sh(lab, 'router', 'ip link set lan0 address 02:00:00:00:86:02')
  await sh(lab, 'computer', 'ip neigh flush dev eth0')
  await lab.startRouter({ uuid: 'c4f1b1f5-6a4d-4d4a-8a1f-3e7c8d4bab21', ...options })
}

// --- more networks --------------------------------------------------------------------------------------------------

export interface MoreNetwork {
  readonly host: '+a' | '+b'
  /** The name of the interface on the computer. `docker0` is a bridge, as docker makes it. */
  readonly name: string
  /** The computer's address and the host's, both in a network of 256. */
  readonly computer: string
  readonly address: string
}

/** Another network at the computer, with one host. */
export async function plugIn(lab: Lab, { host, name, computer, address }: MoreNetwork): Promise<void> {
  const space = lab.hostName(host)
  await new Command(['ip', 'netns', 'add', space]).ends()
  const [wire, bridge] = name === 'docker0' ? ['veth0', 'ip link add docker0 type bridge forward_delay 0'] : [name, ':']
  await sh(
    lab,
    'computer',
    `ip -n ${space} link set lo up
     ${bridge}
     ip link add ${wire} type veth peer name eth0 netns ${space}
     ${wire === name ? '' : `ip link set ${wire} master ${name} up`}
     ip addr add ${computer}/24 dev ${name}
     ip link set ${name} up
     ip -n ${space} addr add ${address}/24 dev eth0
     ip -n ${space} link set eth0 up
     until ip -o link show ${name} | grep -q 'state UP'; do sleep 0.02; done`,
  )
}

export interface OtherIgd {
  readonly command: Command
  readonly url: string
  /** What it has opened, such as 'TCP 8000->192.168.86.250:8000'. */
  doors(): Promise<string[]>
}

/** `upnp-ts emulate` in a host: an IGD beside the router. */
export async function emulateOn(
  lab: Lab,
  host: Host,
  address: string,
  ...options: readonly string[]
): Promise<OtherIgd> {
  const command = lab.spawn(host, upnpTsCommand('emulate', '--address', address, ...options))
  const [, url = ''] = await command.says(/^(http:\S+)\n/)
  const doors = async (): Promise<string[]> => {
    const { stdout, exit } = await lab.on(host, upnpTsCommand('-u', url, '-l'))
    expect(exit).toBe(0)
    return [...stdout.matchAll(/^ *\d+ (\w+) +(\d+->\S+)/gm)].map(([, protocol, door]) => `${protocol} ${door}`)
  }
  return { command, url, doors }
}
