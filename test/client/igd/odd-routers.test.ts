/** What real routers do that they should not: each is found by a search, and a port is mapped on it. */
import { afterEach, describe, expect, it } from 'vitest'
import { nodeNet } from '../../../src/net/network.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { type CliResult, runCli } from '../../support/run-cli.ts'
import { ScriptedDatagrams, type SentDatagram, ssdpReply } from '../../support/scripted-datagrams.ts'
import {
  addressReply,
  type DescriptionFacts,
  igdDescription,
  PUBLIC_ADDRESS,
  statusReply,
  TV_DESCRIPTION,
  tag,
  WANIP1,
  WANPPP1,
} from '../../support/scripted-devices.ts'
import {
  type Answer,
  http,
  type ReceivedRequest,
  type ScriptedGateway,
  scriptedGateway,
  soapActionOf,
  soapFault,
  soapResponse,
} from '../../support/scripted-gateway.ts'

const INTERFACE = { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false }
const MAPPED = `external ${PUBLIC_ADDRESS}:2222 TCP is redirected to internal 127.0.0.1:22 (duration=0)\n`

const gateways: ScriptedGateway[] = []

afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close()
})

type Answering = (request: ReceivedRequest, port: number) => Answer | Promise<Answer>

async function serve(answer: Answering): Promise<ScriptedGateway> {
  const gateway = await scriptedGateway(answer)
  gateways.push(gateway)
  return gateway
}

const isDescription = (request: ReceivedRequest): boolean => request.method === 'GET'
const actionOf = (request: ReceivedRequest): string => soapActionOf(request).split('#')[1] ?? ''

/** A router with nothing odd about it: one mapping, kept. */
function soundRouter(facts: DescriptionFacts = {}): (request: ReceivedRequest) => string {
  const [[serviceType]] = [...(facts.services ?? [[WANIP1, '/ctl/0'] as const])] as [readonly [string, string]]
  let mapping: string | undefined
  const reply = (request: ReceivedRequest): string => {
    const action = actionOf(request)
    switch (action) {
      case 'GetStatusInfo':
        return statusReply('Connected')
      case 'GetExternalIPAddress':
        return addressReply(PUBLIC_ADDRESS)
      case 'AddPortMapping':
        mapping = /<NewInternalPort>.*<\/NewLeaseDuration>/.exec(request.body)?.[0]
        return soapResponse(action, '', serviceType)
      case 'GetSpecificPortMappingEntry':
        return mapping === undefined ? soapFault(714) : soapResponse(action, mapping, serviceType)
      default:
        return soapFault(401)
    }
  }
  return (request) => {
    if (isDescription(request)) return http(200, igdDescription(facts))
    const body = reply(request)
    return http(body.includes('errorCode') ? 500 : 200, body)
  }
}

interface Search {
  readonly command?: readonly string[]
  /** Which searches the device hears, and what it then says. */
  readonly answer?: (sent: SentDatagram, location: string) => string | undefined
  /** How far the search has to be moved on before it can succeed. */
  readonly advanceMs?: number
}

/** Runs `-r 22 2222 TCP` with a search to which that gateway answers. */
async function mapOn(gateway: ScriptedGateway, search: Search = {}): Promise<CliResult> {
  const { command = ['-r', '22', '2222', 'TCP'], answer = (sent, at) => ssdpReply(at, sent.ST), advanceMs = 0 } = search
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  datagrams.onSend = (sent, socket) => {
    const reply = answer(sent, gateway.url('/root.xml'))
    if (reply !== undefined) socket.deliver(reply, '127.0.0.1')
  }
  const { http } = nodeNet()
  const defaultGateways = async (): Promise<string[]> => ['127.0.0.1']
  const run = runCli(command, { clock, datagrams, http, interfaces: () => [INTERFACE], defaultGateways })
  while (advanceMs > 0 && datagrams.sent.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(advanceMs)
  return run
}

async function expectMapped(gateway: ScriptedGateway, search?: Search): Promise<CliResult> {
  const result = await mapOn(gateway, search)
  expect(result).toMatchObject({ exitCode: 0, stderr: '' })
  expect(result.stdout).toContain(MAPPED)
  return result
}

const postsTo = (gateway: ScriptedGateway): string[] =>
  gateway.requests.filter((request) => !isDescription(request)).map((request) => `${actionOf(request)} ${request.path}`)

describe('services', () => {
  it('maps on a router with nothing odd about it, in five requests', async () => {
    const gateway = await serve(soundRouter())
    await expectMapped(gateway)
    expect(postsTo(gateway)).toEqual([
      'GetStatusInfo /ctl/0',
      'GetExternalIPAddress /ctl/0',
      'AddPortMapping /ctl/0',
      'GetSpecificPortMappingEntry /ctl/0',
    ])
  })

  it('maps where there is only WANPPPConnection, by that name', async () => {
    const gateway = await serve(soundRouter({ services: [[WANPPP1, '/ctl/ppp']] }))
    await expectMapped(gateway, {
      answer: ({ ST }, location) => (ST === WANPPP1 || ST === 'upnp:rootdevice' ? ssdpReply(location, ST) : undefined),
      advanceMs: 80,
    })
    const added = gateway.requests.find((request) => actionOf(request) === 'AddPortMapping')
    expect(soapActionOf(added ?? { method: '', path: '', head: '', body: '' })).toBe(`${WANPPP1}#AddPortMapping`)
    expect(added?.body).toContain(`<u:AddPortMapping xmlns:u="${WANPPP1}">`)
  })

  it('maps on the second WAN service where the first one is not connected', async () => {
    const services = [
      [WANIP1, '/ctl/ip'],
      [WANPPP1, '/ctl/ppp'],
    ] as const
    const sound = soundRouter({ services })
    const gateway = await serve((request) => {
      const isDown = request.path === '/ctl/ip' && actionOf(request) === 'GetStatusInfo'
      return isDown ? http(200, statusReply('Disconnected', 0)) : sound(request)
    })
    await expectMapped(gateway)
    expect(postsTo(gateway)).toEqual([
      'GetStatusInfo /ctl/ip',
      'GetStatusInfo /ctl/ppp',
      'GetExternalIPAddress /ctl/ppp',
      'AddPortMapping /ctl/ppp',
      'GetSpecificPortMappingEntry /ctl/ppp',
    ])
  })

  it('keeps type and URL of a service together where one of each kind is there', async () => {
    const services = [
      [WANPPP1, '/ctl/ppp'],
      [WANIP1, '/ctl/ip'],
    ] as const
    const sound = soundRouter({ services })
    const gateway = await serve((request) => {
      const isMixed = !isDescription(request) && request.path.endsWith('ppp') !== soapActionOf(request).includes('PPP')
      if (isMixed) return http(500, soapFault(401))
      const isDown = request.path === '/ctl/ppp' && actionOf(request) === 'GetStatusInfo'
      return isDown ? http(200, statusReply('Disconnected', 0)) : sound(request)
    })
    await expectMapped(gateway)
  })

  it.each([
    ['of DSL Forum', 'urn:dslforum-org:device-1-0'],
    ['that is made up', 'urn:example'],
    ['that is missing', undefined],
  ])('maps where the namespace of the description is one %s', async (_, namespace) => {
    const type = 'urn:dslforum-org:service:WANPPPConnection:1'
    const services = [[namespace === 'urn:dslforum-org:device-1-0' ? type : WANIP1, '/ctl/0']] as const
    await expectMapped(await serve(soundRouter({ namespace, services })))
  })

  it('maps where every element of the description has a prefix that is bound to nothing', async () => {
    const sound = soundRouter()
    const prefixed = igdDescription().replace(/<(\/?)(?=[a-zA-Z])/g, '<$1d:')
    await expectMapped(await serve((request) => (isDescription(request) ? http(200, prefixed) : sound(request))))
  })
})

describe('tags', () => {
  it.each([
    ['the end of a name is missing', /<\/friendlyName>/, ''],
    ['there is an end of nothing', /<\/friendlyName>/, '$&</UPC>'],
    ['the root ends at once', /<root[^>]*>/, '$&</root>'],
    ['the ends of a list and a device are crossed', /<\/serviceList>(\s*)<\/device>/g, '</device>$1</serviceList>'],
    ['ends are in upper case', /<\/device(List)?>/g, '</DEVICE$1>'],
    ['all ends after the service are missing', /(.*<\/service>).*/s, '$1'],
  ])('maps where %s in the description', async (_, tag, instead) => {
    const sound = soundRouter()
    const damaged = igdDescription().replace(tag, instead)
    expect(damaged).not.toBe(igdDescription())
    await expectMapped(await serve((request) => (isDescription(request) ? http(200, damaged) : sound(request))))
  })
})

describe('URLs', () => {
  it('goes to the port that URLBase names', async () => {
    const control = await serve(soundRouter())
    const gateway = await serve(() => http(200, igdDescription({ urlBase: `http://127.0.0.1:${control.port}` })))
    await expectMapped(gateway)
    expect(gateway.requests.every(isDescription)).toBe(true)
    expect(postsTo(control)).toHaveLength(4)
  })

  it('falls back to the port of the description where nobody is on the one that URLBase names', async () => {
    const closed = await scriptedGateway(() => undefined)
    await closed.close()
    const gateway = await serve(soundRouter({ urlBase: `http://127.0.0.1:${closed.port}/` }))
    await expectMapped(gateway)
  })

  it('falls back to the port of the description where URLBase names one that knows nothing of it', async () => {
    const web = await serve(() => http(404, '<html>not here</html>'))
    const gateway = await serve(soundRouter({ urlBase: `http://127.0.0.1:${web.port}/` }))
    await expectMapped(gateway)
    expect(postsTo(web)).toEqual(['GetStatusInfo /ctl/0']) // once: the one that answers is remembered
  })

  it.each([
    'http://10.99.99.99:5000/',
    'http://127.0.0.2/',
    'https://127.0.0.1/',
    'http://router.lan/',
    '',
    ' \0 ',
    'no URL',
    'http://',
  ])('maps where URLBase is %j, which is of no use', async (urlBase) => {
    const gateway = await serve(soundRouter({ urlBase }))
    await expectMapped(gateway)
  })

  it.each([
    ['from the root', '/ctl/0', '/ctl/0'],
    ['without a slash', 'ctl?x=1', '/upnp/ctl?x=1'],
    ['of a query only', '?10', '/upnp/root.xml?10'],
    ['that goes up', '../ctl', '/ctl'],
    ['with blanks around it', ' /ctl/0\n', '/ctl/0'],
    ['with an entity in it', '/ctl?a=1&amp;b=2', '/ctl?a=1&b=2'],
  ])('resolves a control URL %s', async (_, controlURL, path) => {
    const gateway = await serve(soundRouter({ services: [[WANIP1, controlURL]] }))
    await expectMapped(gateway, { answer: ({ ST }, at) => ssdpReply(at.replace('/root.xml', '/upnp/root.xml'), ST) })
    expect(new Set(gateway.requests.slice(1).map((request) => request.path))).toEqual(new Set([path]))
  })

  it('goes to an absolute control URL on the same host', async () => {
    const control = await serve(soundRouter())
    const services = [[WANIP1, control.url('/other')]] as const
    const gateway = await serve(() => http(200, igdDescription({ services })))
    await expectMapped(gateway)
    expect(control.requests.map((request) => request.path)).toEqual(['/other', '/other', '/other', '/other'])
  })

  it.each([
    ['on another host', 'http://10.99.99.99/ctl'],
    ['on another address of loopback', 'http://127.0.0.2/ctl'],
    ['with https', 'https://127.0.0.1/ctl'],
    ['that is empty', ''],
  ])('does not use a control URL %s', async (_, controlURL) => {
    const gateway = await serve(soundRouter({ services: [[WANIP1, controlURL]] }))
    const result = await mapOn(gateway, { advanceMs: 4000 })
    expect(result.exitCode).toBe(1)
    expect(postsTo(gateway)).toEqual([])
  })

  it('uses the second service where the first one has no usable control URL', async () => {
    const services = [
      [WANIP1, ''],
      [WANPPP1, '/ctl/0'],
    ] as const
    await expectMapped(await serve(soundRouter({ services })))
  })
})

describe('the search', () => {
  it('is not misled by a TV that answers first', async () => {
    const tv = await serve(() => http(200, TV_DESCRIPTION))
    const gateway = await serve(soundRouter())
    const result = await expectMapped(gateway, {
      answer: ({ ST, atMs }, at) => ssdpReply(atMs < 20 ? tv.url('/tv.xml') : at, ST),
      advanceMs: 20,
    })
    expect(result.stdout).toContain(tv.url('/tv.xml'))
    expect(tv.requests).toHaveLength(1)
  })

  it('finds a router that did not hear the first M-SEARCH, nor the first of every target', async () => {
    for (const heardFromMs of [20, 300, 2000]) {
      const gateway = await serve(soundRouter())
      const answer = (sent: SentDatagram, at: string) => (sent.atMs < heardFromMs ? undefined : ssdpReply(at, sent.ST))
      await expectMapped(gateway, { answer, advanceMs: heardFromMs })
    }
  })

  it.each([
    ['end in LF', '\n'],
    ['end in CR', '\r'],
  ])('reads a reply whose lines %s', async (_, newline) => {
    const gateway = await serve(soundRouter())
    await expectMapped(gateway, { answer: ({ ST }, at) => ssdpReply(at, ST, 'x', newline) })
  })

  it('reads a reply without SERVER, USN and blank line, with names in lower case and no blank after the colon', async () => {
    const gateway = await serve(soundRouter())
    await expectMapped(gateway, { answer: ({ ST }, at) => `HTTP/1.0 200 OK\r\nlocation:${at}\r\nst:${ST}` })
  })

  it('reads a reply that answers to another target than was asked for', async () => {
    const gateway = await serve(soundRouter())
    await expectMapped(gateway, { answer: (_, at) => ssdpReply(at, 'ssdp:all') })
  })
})

describe('HTTP and XML', () => {
  /** The same router with its replies, descriptions and SOAP alike, made odd. */
  const made = (odd: (reply: string) => Answer): Promise<ScriptedGateway> => {
    const sound = soundRouter()
    return serve((request) => odd(sound(request)))
  }
  const bodyOf = (reply: string): string => reply.slice(reply.indexOf('\r\n\r\n') + 4)
  const withBody = (change: (body: string) => string) => (reply: string) => http(200, change(bodyOf(reply)))

  it.each([
    ['a byte order mark before the XML', withBody((body) => `\ufeff${body}`)],
    ['a blank line before the XML', withBody((body) => `\r\n${body}`)],
    ['a byte order mark and blank lines before the XML', withBody((body) => `\ufeff\n \n${body}`)],
    ['NULs after the XML', withBody((body) => `${body}\0\0\0`)],
    ['no XML declaration', withBody((body) => body.replace(/<\?xml.*?\?>\s*/, ''))],
    ['comments in the XML', withBody((body) => body.replace(/><(?![?/])/g, '><!-- \u00e9 --><'))],
    ['no Content-Type', (reply: string) => reply.replace(/Content-Type:.*\r\n/, '')],
    ['the Content-Type of a web page', (reply: string) => reply.replace('text/xml', 'text/html')],
    ['no Content-Length', (reply: string) => reply.replace(/Content-Length:.*\r\n/, '')],
    ['a Content-Length that is too small', (reply: string) => reply.replace(/(Content-Length:) .*\r\n/, '$1 9\r\n')],
    ['a Content-Length that is too large', (reply: string) => reply.replace(/(Content-Length:) .*/, '$1 99999')],
    ['head lines that end in LF', (reply: string) => reply.replace(/\r\n/g, '\n')],
    ['HTTP/1.0', (reply: string) => reply.replace('HTTP/1.1', 'HTTP/1.0')],
    ['no reason phrase', (reply: string) => reply.replace('200 OK', '200')],
    ['a 100 Continue before the reply', (reply: string) => `HTTP/1.1 100 Continue\r\n\r\n${reply}`],
  ])('maps on a router that sends %s', async (_, odd) => {
    await expectMapped(await made(odd))
  })

  it('maps on a router that answers in chunks', async () => {
    const chunked = (reply: string): string => {
      const body = Buffer.from(bodyOf(reply))
      const chunks = [body.subarray(0, 10), body.subarray(10)].map(
        (chunk) => `${chunk.length.toString(16)}\r\n${chunk}`,
      )
      return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('\r\n')}\r\n0\r\n\r\n`
    }
    await expectMapped(await made(chunked))
  })

  it('asks once more where the router resets the first connection', async () => {
    const sound = soundRouter()
    let requests = 0
    const gateway = await serve((request) => (requests++ % 2 === 0 ? undefined : sound(request)))
    await expectMapped(gateway)
    expect(gateway.requests).toHaveLength(10)
  })

  it('takes a fault in HTTP 200 for what it says', async () => {
    const sound = soundRouter()
    const gateway = await serve((request) =>
      actionOf(request) === 'AddPortMapping' ? http(200, soapFault(718)) : sound(request),
    )
    const result = await mapOn(gateway)
    expect(result.exitCode).toBe(2)
    expect(result.stdout + result.stderr).toContain('failed with code 718 (ConflictInMappingEntry)')
  })

  it('takes an HTTP error without a fault for a failure', async () => {
    const sound = soundRouter()
    const gateway = await serve((request) =>
      actionOf(request) === 'AddPortMapping' ? http(404, '<html>gone</html>') : sound(request),
    )
    expect(await mapOn(gateway)).toMatchObject({ exitCode: 2 })
  })

  it('reads NewUpTime where NewUptime is meant', async () => {
    const sound = soundRouter()
    const gateway = await serve((request) => sound(request).replaceAll('NewUptime', 'NewUpTime'))
    await expectMapped(gateway)
  })

  it.each(['connected', 'CONNECTED', ' Connected\n', 'Up'])('takes the status %j for connected', async (status) => {
    const sound = soundRouter()
    const gateway = await serve((request) =>
      actionOf(request) === 'GetStatusInfo' ? http(200, statusReply(status)) : sound(request),
    )
    await expectMapped(gateway)
  })

  it('takes a status without an uptime for what it says', async () => {
    const sound = soundRouter()
    const bare = soapResponse('GetStatusInfo', tag('NewConnectionStatus', 'Connected'))
    const gateway = await serve((request) => (actionOf(request) === 'GetStatusInfo' ? http(200, bare) : sound(request)))
    await expectMapped(gateway)
  })

  it.each([
    ['line breaks', 'urn:schemas-upnp-org:service:WANIPConnection:1&#13;&#10;X-Evil: 1'],
    ['a NUL', 'urn:schemas-upnp-org:service:WANIPConnection:1&#0;x'],
    ['letters of another script', 'urn:schemas-upnp-org:service:WANIPConnection:\u4e00'],
    ['quotes', 'urn:schemas-upnp-org:service:WANIPConnection:1" x="'],
  ])(
    'goes on to the next service where the type of one has %s in it, and sends no header of its making',
    async (_, type) => {
      const services = [
        [type, '/ctl/bad'],
        [WANIP1, '/ctl/0'],
      ] as const
      const sound = soundRouter({ services })
      const gateway = await serve((request) => (request.path === '/ctl/bad' ? http(500, '') : sound(request)))
      await expectMapped(gateway)
      expect(gateway.requests.some((request) => /^x-evil/im.test(request.head))).toBe(false)
    },
  )
})
