/** What natpmpc, Debian's client of NAT-PMP, says when all goes well. */
import { expect } from 'vitest'
import type { Lab } from './lab.ts'

/** Asks for the external address, and with `words`, such as `-a 2222 22 tcp 600`, for a mapping. */
export async function natpmpc(lab: Lab, ...words: string[]): Promise<{ address: string; mapped: string | undefined }> {
  const { stdout, stderr, exit } = await lab.on('computer', ['natpmpc', '-g', '192.168.86.1', ...words])
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 })
  const address = /^Public IP address : (.+)$/m.exec(stdout)?.[1] ?? ''
  return { address, mapped: /^Mapped public port .+$/m.exec(stdout)?.[0] }
}

/** Its line about a mapping; it has no other word for one that is gone: port 0, 0 s. */
export function mappedLine(external: number, protocol: 'TCP' | 'UDP', internal: number, leaseSeconds: number): string {
  return `Mapped public port ${external} protocol ${protocol} to local port ${internal} liftime ${leaseSeconds}`
}
