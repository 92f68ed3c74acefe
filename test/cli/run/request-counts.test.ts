/** How many requests each command sends to a gateway that it is given with -u: not one more than it needs. */
import { afterEach, describe, expect, it } from 'vitest'
import { MAX_SIDE_BY_SIDE } from '../../../src/client/igd/request-window.ts'
import { runCli } from '../../support/run-cli.ts'
import { addressReply, igdDescription, statusReply, tag } from '../../support/scripted-devices.ts'
import {
  http,
  type ReceivedRequest,
  type ScriptedGateway,
  scriptedGateway,
  soapActionOf,
  soapFault,
  soapResponse,
} from '../../support/scripted-gateway.ts'

const RATES = tag('NewLayer1UpstreamMaxBitRate', 1000) + tag('NewLayer1DownstreamMaxBitRate', 1000)
const entryOf = (port: string | number): string =>
  tag('NewExternalPort', port) +
  tag('NewProtocol', 'TCP') +
  tag('NewInternalPort', port) +
  tag('NewInternalClient', '127.0.0.1') +
  tag('NewEnabled', 1)
const LISTED =
  '<![CDATA[<PortMappingList xmlns="urn:schemas-upnp-org:gw:WANIPConnection">' +
  '<PortMappingEntry><NewExternalPort>1</NewExternalPort></PortMappingEntry></PortMappingList>]]>'

const argument = (request: ReceivedRequest, name: string): string =>
  new RegExp(`<${name}>([^<]*)<`).exec(request.body)?.[1] ?? ''
const actionOf = (request: ReceivedRequest): string =>
  request.method === 'GET' ? 'description' : (soapActionOf(request).split('#')[1] ?? '')

/** A table of that length. */
function answerOf(request: ReceivedRequest, entries: number): string {
  const action = actionOf(request)
  const reply = (content: string): string => http(200, soapResponse(action, content))
  switch (action) {
    case 'description':
      return http(200, igdDescription())
    case 'GetConnectionTypeInfo':
      return reply(tag('NewConnectionType', 'IP_Routed'))
    case 'GetStatusInfo':
      return http(200, statusReply('Connected'))
    case 'GetCommonLinkProperties':
      return reply(RATES)
    case 'GetExternalIPAddress':
      return http(200, addressReply('11.22.33.44'))
    case 'GetGenericPortMappingEntry': {
      const index = Number(argument(request, 'NewPortMappingIndex'))
      return index < entries ? reply(entryOf(1000 + index)) : http(500, soapFault(713))
    }
    case 'GetSpecificPortMappingEntry':
      return reply(entryOf(argument(request, 'NewExternalPort')))
    case 'GetListOfPortMappings':
      return reply(tag('NewPortListing', LISTED))
    case 'AddPortMapping':
    case 'DeletePortMapping':
      return reply('')
    default:
      return reply(tag(action.replace(/^Get/, 'New'), 5)) // the counters
  }
}

let gateway: ScriptedGateway | undefined
afterEach(() => gateway?.close())

/** How often each action was asked for. */
async function counted(words: readonly string[], entries = 0) {
  gateway = await scriptedGateway((request) => answerOf(request, entries))
  const result = await runCli(['-u', gateway.url('/root.xml'), ...words])
  expect([result.exitCode, result.stderr]).toEqual([0, ''])
  const requests = gateway.requests
  const counts: Record<string, number> = {}
  for (const action of requests.map(actionOf)) counts[action] = (counts[action] ?? 0) + 1
  return { ...result, requests, counts }
}

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
    const { counts, requests, stdout } = await counted(['-l'], entries)
    const indexes = requests
      .filter((request) => actionOf(request) === 'GetGenericPortMappingEntry')
      .map((request) => Number(argument(request, 'NewPortMappingIndex')))
    expect(counts).toEqual({ ...CONNECTION, GetGenericPortMappingEntry: indexes.length })
    expect(new Set(indexes).size).toBe(indexes.length)
    expect(indexes.length).toBeGreaterThan(entries)
    expect(indexes.length).toBeLessThanOrEqual(entries + MAX_SIDE_BY_SIDE)
    expect(stdout.match(/^ *\d+ TCP +(\d+)->/gm) ?? []).toHaveLength(entries)
  })

  it('of -L is 1 for each protocol', async () => {
    expect((await counted(['-L'])).counts).toEqual({ description: 1, GetListOfPortMappings: 2 })
  })

  it('of -r is 2 for each mapping, and the external address once; in the order of the mappings', async () => {
    const ports = Array.from({ length: 100 }, (_, at) => 2000 + at)
    const { counts, requests } = await counted(['-r', ...ports.flatMap((port) => [String(port), 'TCP'])])
    const once = { description: 1, GetExternalIPAddress: 1 }
    expect(counts).toEqual({ ...once, AddPortMapping: 100, GetSpecificPortMappingEntry: 100 })
    expect(requests.slice(2).map((request) => argument(request, 'NewExternalPort'))).toEqual(
      ports.flatMap((port) => [String(port), String(port)]),
    )
  })

  it('of -d is 1', async () => {
    expect((await counted(['-d', '80', 'TCP'])).counts).toEqual({ description: 1, DeletePortMapping: 1 })
  })

  it('of -f is 1 for each mapping', async () => {
    const { counts } = await counted(['-f', '80', 'TCP', '81', 'UDP'])
    expect(counts).toEqual({ description: 1, DeletePortMapping: 2 })
  })
})

describe('questions that do not need each other', () => {
  /** A run of -s: waits until so many questions are under way together, and then answers them; again and again. */
  async function inRounds(rounds: readonly number[], answer: (request: ReceivedRequest) => string | undefined) {
    const underWay: { readonly action: string; readonly end: () => void }[] = []
    let most = 0
    gateway = await scriptedGateway((request) => {
      if (actionOf(request) === 'description') return answer(request)
      return new Promise((resolve) => {
        underWay.push({ action: actionOf(request), end: () => resolve(answer(request)) })
        most = Math.max(most, underWay.length)
      })
    })
    const running = runCli(['-u', gateway.url('/root.xml'), '-s'])
    const asked: string[][] = []
    for (const count of rounds) {
      while (underWay.length < count) await new Promise((resolve) => setImmediate(resolve))
      asked.push(underWay.map(({ action }) => action).sort())
      for (const { end } of underWay.splice(0)) end()
    }
    return { asked, most, result: await running }
  }

  it('go side by side once the first one is answered, and are told in their order', async () => {
    const { asked, most, result } = await inRounds([1, 2, 4, 1], (request) => answerOf(request, 0))
    expect(asked.slice(0, 2)).toEqual([['GetConnectionTypeInfo'], ['GetCommonLinkProperties', 'GetStatusInfo']])
    expect([asked.flat().length, most]).toEqual([8, 4])
    const told = result.stdout.match(/Connection Type|Status :|MaxBitRateDown|ExternalIPAddress|Bytes|Packets/g)
    expect(told?.join()).toBe('Connection Type,Status :,MaxBitRateDown,ExternalIPAddress,Bytes,Packets')
  })

  it('go one after the other where the router closed the connection on the first one', async () => {
    let closed = 0
    const { asked, most, result } = await inRounds([1, 1, 1, 1, 1, 1, 1, 1, 1], (request) =>
      actionOf(request) === 'GetConnectionTypeInfo' && closed++ === 0 ? undefined : answerOf(request, 0),
    )
    expect(asked.flat().slice(0, 3)).toEqual(['GetConnectionTypeInfo', 'GetConnectionTypeInfo', 'GetStatusInfo'])
    expect([asked.flat().length, most, result.exitCode]).toEqual([9, 1, 0])
  })
})
