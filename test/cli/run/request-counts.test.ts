/** How many requests each command sends to a gateway that it is given with -u: not one more than it needs. */
import { afterEach, describe, expect, it } from 'vitest'
import { MAX_SIDE_BY_SIDE } from '../../../src/client/igd/request-window.ts'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import { nodeHttpServers, type RequestHandler, type ServedRequest } from '../../../src/net/http/server.ts'
import { MAPPING, soapRequest } from '../../emulator/asking.ts'
import { runCli } from '../../support/run-cli.ts'

const argument = ({ body }: ServedRequest, name: string): string =>
  new RegExp(`<${name}>([^<]*)<`).exec(new TextDecoder().decode(body))?.[1] ?? ''
const actionOf = ({ headers }: ServedRequest): string =>
  /#(\w+)/.exec(headers.get('soapaction') ?? '')?.[1] ?? 'description'

let emulator: Emulator | undefined
afterEach(() => emulator?.close())

/** An emulated gateway on loopback with something between it and whoever asks. */
async function emulated(between: (emulated: RequestHandler) => RequestHandler): Promise<Emulator> {
  const listen: typeof nodeHttpServers.listen = (options) =>
    nodeHttpServers.listen({ ...options, handler: between(options.handler) })
  emulator = await startEmulator({}, { httpServers: { listen } })
  return emulator
}

/** How often each action was asked for, of a gateway with mappings of these ports and protocols. */
async function counted(words: readonly string[], present: readonly (readonly [number, string])[] = []) {
  const requests: ServedRequest[] = []
  let ask: RequestHandler = () => undefined
  const { descriptionUrl } = await emulated((handler) => {
    ask = handler
    return (request) => {
      requests.push(request)
      return handler(request)
    }
  })
  for (const [port, NewProtocol] of present) {
    const args = { ...MAPPING, NewExternalPort: String(port), NewProtocol }
    await ask(soapRequest({ action: 'AddPortMapping', args }))
  }
  const result = await runCli(['-u', descriptionUrl, ...words])
  expect([result.exitCode, result.stderr]).toEqual([0, ''])
  const counts: Record<string, number> = {}
  for (const action of requests.map(actionOf)) counts[action] = (counts[action] ?? 0) + 1
  return { ...result, requests, counts }
}

const portsFrom2000 = (count: number): number[] => Array.from({ length: count }, (_, at) => 2000 + at)

const CONNECTION = {
  description: 1,
  GetConnectionTypeInfo: 1,
  GetStatusInfo: 1,
  GetCommonLinkProperties: 1,
  GetExternalIPAddress: 1,
}

describe('the number of requests', () => {
  it('of -s is 9', async () => {
    const counters = {
      GetTotalBytesSent: 1,
      GetTotalBytesReceived: 1,
      GetTotalPacketsSent: 1,
      GetTotalPacketsReceived: 1,
    }
    expect((await counted(['-s'])).counts).toEqual({ ...CONNECTION, ...counters })
  })

  it.each([0, 1, 5, 60])('of -l with %i entries is 5, each entry once, and some beyond the end', async (entries) => {
    const { counts, requests, stdout } = await counted(
      ['-l'],
      portsFrom2000(entries).map((port) => [port, 'TCP'] as const),
    )
    const indexes = requests
      .filter((request) => actionOf(request) === 'GetGenericPortMappingEntry')
      .map((request) => Number(argument(request, 'NewPortMappingIndex')))
    expect(counts).toEqual({ ...CONNECTION, GetGenericPortMappingEntry: indexes.length })
    expect(new Set(indexes).size).toBe(indexes.length)
    expect(indexes.length).toBeGreaterThan(entries)
    expect(indexes.length).toBeLessThanOrEqual(entries + MAX_SIDE_BY_SIDE)
    expect(stdout.match(/^ *\d+ TCP +(\d+)->/gm) ?? []).toHaveLength(entries)
  })

  it('of -L is 1 for each protocol, and one whether it may ask', async () => {
    const once = { description: 1, GetGenericPortMappingEntry: 1 }
    expect((await counted(['-L'], [[80, 'TCP']])).counts).toEqual({ ...once, GetListOfPortMappings: 2 })
  })

  it('of -r is 2 for each mapping, and the external address once; in the order of the mappings', async () => {
    const ports = portsFrom2000(100)
    const { counts, requests } = await counted(['-r', ...ports.flatMap((port) => [String(port), 'TCP'])])
    const once = { description: 1, GetExternalIPAddress: 1 }
    expect(counts).toEqual({ ...once, AddPortMapping: 100, GetSpecificPortMappingEntry: 100 })
    expect(requests.slice(2).map((request) => argument(request, 'NewExternalPort'))).toEqual(
      ports.flatMap((port) => [String(port), String(port)]),
    )
  })

  it('of -d is 1', async () => {
    expect((await counted(['-d', '80', 'TCP'], [[80, 'TCP']])).counts).toEqual({
      description: 1,
      DeletePortMapping: 1,
    })
  })

  it('of -f is 1 for each mapping', async () => {
    const { counts } = await counted(
      ['-f', '80', 'TCP', '81', 'UDP'],
      [
        [80, 'TCP'],
        [81, 'UDP'],
      ],
    )
    expect(counts).toEqual({ description: 1, DeletePortMapping: 2 })
  })
})

describe('questions that do not need each other', () => {
  /** A run of -s: waits until so many questions are under way together, and then answers them; again and again. */
  async function inRounds(rounds: readonly number[], isLost = (_: ServedRequest): boolean => false) {
    const underWay: { readonly action: string; readonly end: () => void }[] = []
    let most = 0
    const { descriptionUrl } = await emulated((handler) => (request) => {
      if (actionOf(request) === 'description') return handler(request)
      return new Promise((resolve) => {
        const end = (): void => resolve(isLost(request) ? undefined : handler(request))
        underWay.push({ action: actionOf(request), end })
        most = Math.max(most, underWay.length)
      })
    })
    const running = runCli(['-u', descriptionUrl, '-s'])
    const asked: string[][] = []
    for (const count of rounds) {
      while (underWay.length < count) await new Promise((resolve) => setImmediate(resolve))
      asked.push(underWay.map(({ action }) => action).sort())
      for (const { end } of underWay.splice(0)) end()
    }
    return { asked, most, result: await running }
  }

  it('go side by side once the first one is answered, and are reported in their order', async () => {
    const { asked, most, result } = await inRounds([1, 2, 4, 1])
    expect(asked.slice(0, 2)).toEqual([['GetConnectionTypeInfo'], ['GetCommonLinkProperties', 'GetStatusInfo']])
    expect([asked.flat().length, most]).toEqual([8, 4])
    const told = result.stdout.match(/Connection Type|Status :|MaxBitRateDown|ExternalIPAddress|Bytes|Packets/g)
    expect(told?.join()).toBe('Connection Type,Status :,MaxBitRateDown,ExternalIPAddress,Bytes,Packets')
  })

  it('go one after the other if the router closed the connection on the first one', async () => {
    let closed = 0
    const isLost = (request: ServedRequest): boolean => actionOf(request) === 'GetConnectionTypeInfo' && closed++ === 0
    const { asked, most, result } = await inRounds([1, 1, 1, 1, 1, 1, 1, 1, 1], isLost)
    expect(asked.flat().slice(0, 3)).toEqual(['GetConnectionTypeInfo', 'GetConnectionTypeInfo', 'GetStatusInfo'])
    expect([asked.flat().length, most, result.exitCode]).toEqual([9, 1, 0])
  })
})
