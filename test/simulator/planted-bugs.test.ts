/** Keepers with a bug: the simulator has to find each, and to name the property that does not hold. */
import { describe, expect, it } from 'vitest'
import type { ConnectedSocket, Datagrams } from '../../src/net/datagrams.ts'
import { decodeNatPmpRequest, encodeNatPmpRequest, NAT_PMP_VERSION } from '../../src/wire/natpmp.ts'
import { decodePcpRequest, PCP_VERSION } from '../../src/wire/pcp.ts'
import type { Computer } from './network.ts'
import { PORT_CONTROL, ROUTER } from './router.ts'
import type { Bugs } from './session.ts'
import { simulate } from './simulation.ts'
import { HOUR_MS, PROTOCOLS, type Protocol } from './world.ts'

/** How long a request asks for a mapping: 0 to delete it, and undefined if it asks for something else. */
function lifetimeIn(bytes: Uint8Array): number | undefined {
  const request =
    bytes[0] === PCP_VERSION
      ? decodePcpRequest(bytes)
      : bytes[0] === NAT_PMP_VERSION
        ? decodeNatPmpRequest(bytes)
        : undefined
  const isMap = request?.kind === 'MAP-request' || request?.kind === 'map-request'
  return isMap ? request.lifetimeSeconds : undefined
}

/** What a socket to the router does in place of sending. */
type Send = (bytes: Uint8Array, socket: ConnectedSocket, computer: Computer) => void

function sendingOtherwise(send: Send): Bugs {
  return {
    datagrams: (datagrams, computer): Datagrams => ({
      ...datagrams,
      async connect(options) {
        const socket = await datagrams.connect(options)
        return { ...socket, send: (bytes) => send(bytes, socket, computer) }
      },
    }),
  }
}

/** Sends again after a second, from the same port. */
const asksTwice = sendingOtherwise((bytes, socket, computer) => {
  socket.send(bytes)
  const { network } = computer
  const to = { address: ROUTER, port: PORT_CONTROL }
  if ((lifetimeIn(bytes) ?? 0) > 0)
    network.after(1000, () => network.carry(computer, 'keeper', socket.local, to, bytes))
})

const forgetsRemoval = sendingOtherwise((bytes, socket) => {
  if (lifetimeIn(bytes) !== 0) socket.send(bytes)
})

const stopsRenewing = sendingOtherwise((bytes, socket, computer) => {
  if (computer.clock.monotonicMs() < HOUR_MS || (lifetimeIn(bytes) ?? 0) === 0) socket.send(bytes)
})

const opensMore = sendingOtherwise((bytes, socket, computer) => {
  socket.send(bytes)
  if (lifetimeIn(bytes) === undefined) return
  const one = { kind: 'map-request', protocol: 'TCP', internalPort: 9, suggestedExternalPort: 9999 } as const
  const to = { address: ROUTER, port: PORT_CONTROL }
  computer.network.carry(computer, 'keeper', socket.local, to, encodeNatPmpRequest({ ...one, lifetimeSeconds: 600 }))
})

/** Asks the router whatever it hears, whoever has said it. */
const answersAnnouncements: Bugs = {
  listen: (listen, computer) => (gateway, onSuspicion) => {
    const wire = computer.datagramsOf('keeper')
    const onMessage = (): void => {
      const to = { address: ROUTER, port: PORT_CONTROL }
      const from = { address: computer.address, port: 9 }
      const request = encodeNatPmpRequest({ kind: 'external-address-request' })
      computer.network.carry(computer, 'keeper', from, to, request)
    }
    const options = { address: '224.0.0.1', port: 5350, multicastGroup: '224.0.0.1', onMessage }
    const opened = wire.open(options)
    const stop = listen(gateway, onSuspicion)
    return () => {
      opened.then((socket) => socket.close())
      stop()
    }
  },
}

const leavesSocket: Bugs = {
  listen: (listen, computer) => (gateway, onSuspicion) => {
    void computer.datagramsOf('keeper').open({ address: '0.0.0.0', port: 0, onMessage: () => {} })
    return listen(gateway, onSuspicion)
  },
}

const tellsRenewedForLost: Bugs = {
  report(report) {
    if (report.type === 'lost' || report.type === 'gateway-lost') return undefined
    return report.type === 'restored' ? { ...report, type: 'renewed' } : report
  },
}

type Planted = readonly [string, Protocol, Bugs, property: string, faults?: readonly string[]]

let written = 0
/** The name, the protocol, the bug, which property finds it, and during which faults; by default during all. */
const BUGS: readonly Planted[] = [
  ['asks twice', 'pcp', asksTwice, 'pcpPacing'],
  [
    'answers every announcement with a request',
    'pcp',
    answersAnnouncements,
    'announcementsBounded',
    ['a hostile announcer'],
  ],
  [
    'answers every announcement with a request',
    'nat-pmp',
    answersAnnouncements,
    'announcementsBounded',
    ['a hostile announcer'],
  ],
  ['forgets to remove what it made', 'pcp', forgetsRemoval, 'nothingLeft'],
  ['forgets to remove what it made', 'nat-pmp', forgetsRemoval, 'nothingLeft or openAgain'],
  ['leaves a socket open', 'igd', leavesSocket, 'nothingLeft'],
  ['stops to renew after an hour', 'pcp', stopsRenewing, 'staysOpen or openAgain'],
  ['stops to renew after an hour', 'nat-pmp', stopsRenewing, 'staysOpen or openAgain'],
  ['opens one port more', 'nat-pmp', opensMore, 'opensNoMore'],
  ['tells "renewed" for "lost"', 'igd', tellsRenewedForLost, 'lossesAreTold'],
  ['tells "renewed" for "lost"', 'pcp', tellsRenewedForLost, 'lossesAreTold'],
  [
    'does not say that a port is open again',
    'igd',
    { report: (report) => (report.type === 'restored' ? undefined : report) },
    'toldIsTrue',
  ],
  ['writes the state file only now and then', 'igd', { writes: () => written++ % 3 !== 2 }, 'toldIsTrue'],
  ['never writes that nothing is open', 'nat-pmp', { writes: (text) => !text.includes('"ports":[]') }, 'nothingLeft'],
  ['runs the hook only once', 'pcp', { hooks: (times) => times === 0 }, 'toldIsTrue'],
  [
    'ends upon a defect',
    'igd',
    {
      report(report) {
        if (report.type === 'restored') throw new TypeError('planted')
        return report
      },
    },
    'keepsRunning',
  ],
]

/** The simulator finds it with one of the first seeds of that protocol. */
const TRIES = 8

describe('a keeper that', () => {
  const planted = BUGS.map(([name, protocol, bugs, property, faults]) => ({ name, protocol, bugs, property, faults }))
  it.each(planted)('$name over $protocol is found', { timeout: 60_000 }, async (planted) => {
    const { protocol, bugs, property, faults } = planted
    const first = PROTOCOLS.indexOf(protocol) + PROTOCOLS.length
    const found: string[] = []
    for (let nth = 0; nth < TRIES && found.length === 0; nth++) {
      const { failure } = await simulate(first + nth * PROTOCOLS.length, {
        bugs,
        durationMs: 8 * HOUR_MS,
        ...(faults === undefined ? {} : { faults }),
      })
      if (failure !== undefined) found.push(failure.property)
    }
    expect(property.split(' or ')).toEqual(expect.arrayContaining(found))
    expect(found).toHaveLength(1)
  })

  it('has none is not accused by the same seeds', { timeout: 60_000 }, async () => {
    for (const seed of PROTOCOLS.map((_, at) => at + PROTOCOLS.length))
      expect((await simulate(seed, { durationMs: 8 * HOUR_MS })).story).toBeUndefined()
  })
})
