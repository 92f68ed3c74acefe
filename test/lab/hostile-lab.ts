/**
 * A hostile host on the LAN of a lab, beside the router: it shares the router's wire (macvlan), hears every search, and sends
 * frames with whatever sender it likes. Its program is hostile-host.py.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command } from './command.ts'
import type { Lab } from './lab.ts'
import { freshState, type Ran, run, sh } from './router-lab.ts'

const PROGRAM = ['/usr/bin/python3', fileURLToPath(new URL('hostile-host.py', import.meta.url))]

/** Its addresses are all of the subnet but those of the router and the computer, so it answers in everybody's name. */
export async function plugInHostileHost(lab: Lab): Promise<void> {
  const space = lab.hostName('+a')
  await new Command(['ip', 'netns', 'add', space]).ends()
  await sh(
    lab,
    'router',
    `ip -n ${space} link set lo up
     ip link add link lan0 name hostile type macvlan mode bridge
     ip link set hostile netns ${space}
     ip -n ${space} link set hostile name eth0
     ip -n ${space} addr add 192.168.86.66/24 dev eth0
     for n in $(seq 2 249) 252 253; do
       [ $n = 66 ] || echo "addr add 192.168.86.$n/24 dev eth0"
     done | ip -n ${space} -batch -
     ip -n ${space} link set eth0 up`,
  )
}

/** Its web server, and what it was asked for. */
export async function serve(lab: Lab, kind: string): Promise<Command> {
  const server = lab.spawn('+a', [...PROGRAM, 'serve', kind])
  await server.says(/ready/)
  return server
}

export interface Flood {
  readonly command: Command
  /** Returns how many datagrams it really sent in a second. */
  end(): Promise<number>
}

export async function flood(lab: Lab, kind: string, perSecond: number): Promise<Flood> {
  const macs = await Promise.all((['+a', 'computer'] as const).map((host) => hardwareAddress(lab, host)))
  const command = lab.spawn('+a', [...PROGRAM, 'flood', kind, `${perSecond}`, ...macs])
  await command.says(/ready/)
  return {
    command,
    async end() {
      command.kill('SIGTERM')
      const { stdout, stderr } = await command.ends()
      const [, reached] = /"perSecond": (\d+)/.exec(stdout) ?? []
      if (reached === undefined) throw new Error(`the flood ended early: ${stderr}`)
      return Number(reached)
    },
  }
}

async function hardwareAddress(lab: Lab, host: '+a' | 'computer'): Promise<string> {
  const { stdout } = await lab.on(host, ['cat', '/sys/class/net/eth0/address'])
  return stdout.trim()
}

export interface Measured extends Ran {
  readonly mostMb: number
}

/** Runs upnp-ts on the computer without any memory of the router. `wallMs` is its own time, from its start to its end. */
export async function runMeasured(lab: Lab, argv: readonly string[]): Promise<Measured> {
  const ran = await run(lab, argv, { by: [...PROGRAM, 'measure'], stateHome: freshState(lab) })
  const last = ran.stderr.trimEnd().split('\n').at(-1) ?? ''
  const { wallMs, mostKib } = JSON.parse(last) as { wallMs: number; mostKib: number }
  return { ...ran, stderr: ran.stderr.slice(0, ran.stderr.lastIndexOf(last)), wallMs, mostMb: mostKib / 1024 }
}

/** What a process that still runs has had at most, and its processor time so far. */
export function useOf({ pid }: Command): { readonly mostMb: number; readonly cpuMs: number } {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return { mostMb: Number(kib) / 1024, cpuMs: (Number(fields[11]) + Number(fields[12])) * 10 }
}
