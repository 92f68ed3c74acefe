/** What upnp-ts says over PCP and NAT-PMP, in the lab. */
import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { belowBanner } from './banner.ts'
import type { Finished } from './command.ts'
import { COMPUTER, type Lab } from './lab.ts'

export const TITLES = { pcp: 'PCP', 'nat-pmp': 'NAT-PMP' } as const
export const DELETED = {
  pcp: 'PCP_DeletePortMapping() returned : 0\n',
  'nat-pmp': 'NATPMP_DeletePortMapping() returned : 0\n',
} as const
export type PortControl = keyof typeof TITLES

/** How a user comes to that protocol, and which one it then is. */
export const WAYS: readonly { readonly way: string; readonly options: readonly string[]; readonly via: PortControl }[] =
  [
    { way: '--via pcp', options: ['--via', 'pcp'], via: 'pcp' },
    { way: '--via nat-pmp', options: ['--via', 'nat-pmp'], via: 'nat-pmp' },
    { way: 'auto', options: [], via: 'pcp' },
  ]

export function found(via: PortControl, localAddress = COMPUTER): string {
  return `Found valid ${TITLES[via]} gateway : 192.168.86.1:5351\nLocal LAN ip address : ${localAddress}\n`
}

export const redirected = (external: number, protocol: string, inside: string, leaseSeconds: number): string =>
  `ExternalIPAddress = 11.22.33.44
InternalIP:Port = ${inside}
external 11.22.33.44:${external} ${protocol} is redirected to internal ${inside} (duration=${leaseSeconds})
`

export function cannotBeHad(port: number, offered: number): string {
  return `external port ${port} TCP is not available: 192.168.86.1:5351 offered ${offered} instead; -n takes what it offers\n`
}

export interface Said {
  readonly stdout: string
  readonly stderr?: string | RegExp
  readonly exit?: number
}

/** Said in addition if no protocol was named, nothing is remembered, and the router speaks no UPnP. */
const WITHOUT_UPNP = /^hint: the router did not answer over UPnP within 1\.\d s, so PCP was used; .+\n/

export async function withoutUpnpHint(asked: Promise<Finished>): Promise<Finished> {
  const finished = await asked
  return { ...finished, stderr: finished.stderr.replace(WITHOUT_UPNP, '') }
}

/** Runs it and compares all that it says, below the banner, and its exit code. */
export async function says(lab: Lab, argv: readonly string[], said: Said): Promise<Finished> {
  const { stdout, stderr = '', exit = 0 } = said
  const finished = await withoutUpnpHint(lab.upnpTs(...argv))
  expect({ ...finished, stdout: belowBanner(finished.stdout) }).toMatchObject({
    stdout,
    stderr: typeof stderr === 'string' ? stderr : expect.stringMatching(stderr),
    exit,
  })
  return finished
}

/** Puts a nonce where only this user can read it. Returns the word for --nonce. */
export function nonceFile(lab: Lab, nonce: string): string {
  const file = `/run/upnp-ts-lab-${lab.name}/nonce`
  writeFileSync(file, `${nonce}\n`, { mode: 0o600 })
  return `@${file}`
}
