/** A defect of the emulated gateway costs one request in any protocol, over real sockets. It is planted in the clock. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { systemClock } from '../../src/net/clock.ts'
import { nodeDatagrams } from '../../src/net/datagrams.ts'
import { encodeNatPmpRequest } from '../../src/wire/natpmp.ts'
import { encodeSearch } from '../../src/wire/ssdp.ts'
import { type IgnoredLog, ignoredLog } from '../support/ignored.ts'

let emulator: Emulator | undefined
let log: IgnoredLog | undefined
afterEach(async () => {
  log?.end()
  await emulator?.close()
})

const plan = { isBroken: false }
const clock = {
  ...systemClock,
  monotonicMs(): number {
    if (plan.isBroken) throw new TypeError('planted')
    return systemClock.monotonicMs()
  },
}

async function begin(): Promise<{ emulator: Emulator; log: IgnoredLog }> {
  plan.isBroken = false
  emulator = await startEmulator({}, { clock })
  log = ignoredLog()
  return { emulator, log }
}

async function untilTold({ all }: IgnoredLog): Promise<void> {
  while (all.length === 0) await new Promise((resolve) => setImmediate(resolve))
}

it('over HTTP: the connection closes, and the next request is answered', async () => {
  const { emulator, log } = await begin()
  const ask = async (): Promise<string> => {
    const { port, pathname } = new URL(emulator.descriptionUrl)
    const socket = connect({ host: '127.0.0.1', port: Number(port) })
    socket.write(`GET ${pathname} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n`)
    let text = ''
    socket.on('data', (piece) => {
      text += String(piece)
    })
    await once(socket, 'close')
    return text
  }
  plan.isBroken = true
  expect(await ask()).toBe('')
  expect(log.told()).toEqual(['request 127.0.0.1: TypeError: planted'])
  plan.isBroken = false
  expect(await ask()).toMatch(/^HTTP\/1\.1 200 /)
})

it.each([
  ['NAT-PMP', (each: Emulator) => each.portControl, encodeNatPmpRequest({ kind: 'external-address-request' })],
  ['SSDP', (each: Emulator) => each.ssdp, encodeSearch({ ST: 'upnp:rootdevice', MX: 1, HOST: '239.255.255.250:1900' })],
] as const)('over %s: there is no answer, and the next request is answered', async (_, endpointOf, request) => {
  const { emulator, log } = await begin()
  const to = endpointOf(emulator)
  if (to === undefined) throw new Error('no socket')
  let answers = 0
  let answer = (): void => {}
  const answered = new Promise<void>((resolve) => (answer = resolve))
  const onMessage = (): void => {
    answers++
    answer()
  }
  const socket = await nodeDatagrams.open({ address: '127.0.0.1', port: 0, onMessage })
  plan.isBroken = true
  socket.send(request, to)
  await untilTold(log)
  expect(log.told()).toEqual([`datagram 127.0.0.1:${socket.local.port}: TypeError: planted`])
  expect(answers).toBe(0)
  plan.isBroken = false
  socket.send(request, to)
  await answered
  socket.close()
})
