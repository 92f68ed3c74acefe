/**
 * --emulate: an emulated gateway of its own, which the command finds by the usual search, but only on loopback. It begins
 * with whatever the command is to close, renew or look at, as if an earlier command had opened it.
 */
import { PortMappingError, TransportError } from '../domain/errors.js'
import { type PinholeId, type PinholeTarget, pinholeTargetOf } from '../domain/pinhole.js'
import { DEFAULT_DESCRIPTION, type MappingKey, PROTOCOL_NUMBERS } from '../domain/port-mapping.js'
import { type Emulator, startEmulator } from '../emulator.js'
import { memoryFiles } from '../net/files/private-files.js'
import type { GatewayCommand } from './parse/command-table.js'
import type { GatewayInvocation } from './parse/invocation.js'
import { run } from './run/run.js'
import { commandLineNet, type Surroundings } from './surroundings.js'

const [IPV4, IPV6] = ['127.0.0.1', '::1']

export async function onEmulatedGateway(
  { beside: _, ...invocation }: GatewayInvocation, // the gateway is asked over one family
  surroundings: Surroundings,
  work: (alone: GatewayInvocation, emulated: Surroundings) => Promise<number>,
): Promise<number> {
  const { quirks, search, facts, portControl } = invocation
  const isPcpPinhole = facts.isAboutPinholes && portControl.via === 'pcp'
  const isOverIPv6 = isPcpPinhole || (search.family === 6 && facts.family !== 4)
  const emulator = await startEmulator({ quirks, ...(isOverIPv6 ? { ipv6Address: IPV6 } : {}) }).catch((error) => {
    if (!isOverIPv6 || !(error instanceof TransportError)) throw error
    throw new TransportError(`--emulate needs the IPv6 address ::1 for this command: ${error.message}`, {
      cause: error,
    })
  })
  try {
    const listeners = undefined // what the emulated router opens leads nowhere
    const emulated = { ...surroundings, files: memoryFiles(), listeners, ...placesOf(emulator, isOverIPv6) }
    await prepare(emulator, invocation, emulated)
    return await work(invocation, emulated)
  } finally {
    await emulator.close()
  }
}

function placesOf({ ssdp, ssdpIPv6, portControl, portControlIPv6 }: Emulator, isOverIPv6: boolean) {
  const searched = isOverIPv6 ? ssdpIPv6 : ssdp
  const common = { multicast: false, unicastTo: searched === undefined ? [] : [searched] }
  return isOverIPv6
    ? { onlyRoute: { ...common, address: IPV6, netmask: '', zone: '', prefixes: [] }, onlyEndpoint: portControlIPv6 }
    : { onlyRoute: { ...common, address: IPV4, netmask: '255.0.0.0' }, onlyEndpoint: portControl }
}

async function prepare(emulator: Emulator, invocation: GatewayInvocation, surroundings: Surroundings): Promise<void> {
  const { command } = invocation
  if (command.name === 'unmap-ranges') {
    for (const { startPort, endPort, protocol, manage } of command.ranges)
      for (const externalPort of new Set([startPort, endPort])) {
        const isOthers = manage && externalPort !== startPort
        const owner = isOthers ? {} : { internalClient: IPV4, description: DEFAULT_DESCRIPTION }
        emulator.addMapping({ externalPort, protocol, ...owner })
      }
  }
  for (const id of new Set(idsIn(invocation)))
    if (typeof id === 'number' && id > 0) emulator.addPinhole({ id, internalClient: IPV6, internalPort: id })
  const before = openingBefore(invocation, emulator.descriptionUrl)
  if (before !== undefined) await runInSilence(before, surroundings)
}

/** The command that has opened what this one closes. Undefined if it closes nothing that one command can open. */
function openingBefore(invocation: GatewayInvocation, url: string): GatewayInvocation | undefined {
  const { command, portControl, quirks } = invocation
  const isOverUdp = portControl.via === 'pcp' || portControl.via === 'nat-pmp'
  // Over these opening and closing are the same request, and a refusal is meant for the closing.
  if (isOverUdp && quirks.some(({ name }) => name === 'refuse')) return undefined
  const common = { ...invocation, keep: undefined, discoveryTimeMs: undefined }
  if (command.name === 'unmap' || command.name === 'close') {
    const mappings = keysOf(command).map(
      (key) => ({ ...key, internalClient: 'local', internalPort: key.externalPort, lease: 'unlimited' }) as const,
    )
    const opened = { ...common, command: { name: 'map', any: false, mappings } } as const
    return isOverUdp ? opened : { ...opened, url, portControl: { ...portControl, via: 'igd' } }
  }
  const targets =
    command.name === 'close-pinholes'
      ? insidesOf(command.ports)
      : idsIn(invocation).flatMap((id) => pinholeTargetOf(String(id)) ?? [])
  const pinholes = targets.map(pinholeTo)
  return pinholes.length === 0 ? undefined : { ...common, command: { name: 'add-pinholes', pinholes } }
}

type Closing = Extract<GatewayCommand, { name: 'unmap' | 'close' }>
type ClosedPorts = Extract<GatewayCommand, { name: 'close' }>['ports']

function keysOf(command: Closing): readonly MappingKey[] {
  if (command.name === 'unmap') return command.keys
  return insidesOf(command.ports).map(({ internalPort, protocol }) => {
    return { externalPort: internalPort, protocol, remoteHost: '' }
  })
}

function insidesOf(ports: ClosedPorts): readonly PinholeTarget[] {
  return ports.flatMap(({ port, protocols }) =>
    protocols.map((protocol) => ({ protocol, internalClient: 'local', internalPort: port })),
  )
}

function idsIn({ command }: GatewayInvocation): readonly PinholeId[] {
  if ('ids' in command) return command.ids
  return command.name === 'update-pinhole' ? [command.id] : []
}

function pinholeTo({ protocol, ...inside }: PinholeTarget) {
  const anyHost = { remoteHost: '', remoteHostTyped: '', remotePort: 0 }
  return { ...inside, ...anyHost, protocol: PROTOCOL_NUMBERS[protocol], leaseSeconds: 3600 }
}

/** Not even --verbose shows it. If it fails, the command itself says what there is to say. */
async function runInSilence(invocation: GatewayInvocation, surroundings: Surroundings): Promise<void> {
  const { datagrams, http } = commandLineNet()
  const { signal } = new AbortController()
  const reports = run(invocation, { ...surroundings, datagrams, http, signal, answerMs: invocation.timeoutMs })
  try {
    while ((await reports.next()).done !== true);
  } catch (error) {
    if (!(error instanceof PortMappingError)) throw error
  }
}
