/**
 * Recorded runs of real upnpc, replayed against this command line: stdout below the banner, stderr, exit code and the
 * requests that reach the gateway, line by line. Where this project decided to do otherwise the difference is on the
 * list below, with its reason; a run that differs in anything else fails, and so does a difference that no run needs.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli, withoutBanner } from '../support/run-cli.ts'
import {
  http,
  type ReceivedRequest,
  type ScriptedGateway,
  scriptedGateway,
  soapActionOf,
  soapFault,
  soapResponse,
} from '../support/scripted-gateway.ts'

type SoapAnswer =
  | string
  | readonly string[]
  | { readonly fault: number }
  | { readonly close: 1 }
  | { readonly raw: string }

interface GoldenRequest {
  readonly line: string
  readonly action?: string
  readonly arguments?: string
}

interface GoldenRun {
  readonly server: string | null
  readonly argv: readonly string[]
  readonly stdout: string
  readonly stderr: string
  readonly exit: number
  readonly requests?: readonly GoldenRequest[]
}

interface Golden {
  readonly description: string
  readonly servers: Readonly<Record<string, { readonly soap: Readonly<Record<string, SoapAnswer>> }>>
  readonly runs: readonly GoldenRun[]
}

function load(version: string): Golden {
  return JSON.parse(readFileSync(new URL(`./upnpc-${version}.json`, import.meta.url), 'utf8'))
}

/** What a run is expected to be: a recorded one, changed by the differences that apply. */
interface Expected {
  stdout: string
  stderr: string
  exit: number
  requests: GoldenRequest[]
}

interface Difference {
  readonly name: string
  readonly applies: (run: GoldenRun) => boolean
  readonly adjust: (expected: Expected, run: GoldenRun) => void
}

const ONE_LINE = '<ONE LINE>\n'
const has = (run: GoldenRun, ...words: string[]): boolean => words.every((word) => run.argv.includes(word))
const endsWith = (run: GoldenRun, ...words: string[]): boolean =>
  run.argv.slice(-words.length).join(' ') === words.join(' ')

/** Ends of command lines that are refused before anything is sent. */
const REFUSED = [
  ['-a', '1', '2', '3'],
  ['-a', '@', '80', '8080', 'sctp'],
  ['-d', '8080', 'x'],
  ['-r', '80', '81'],
  ['-r', '80', 'TCP', '81'],
  ['-r', 'x', 'TCP'],
  ['-r', '80', 'TCP', 'x', 'y'],
  ['-f', '80', 'TCP', '81'],
  ['-f', 'x'],
  ['-N', '1', '100', 'x'],
  ['-A', 'x', '0', '@', '80', 'foo', '60'],
  ['-u', 'foo', '-P'],
  ['-z', 'abc', '-P'],
  ['-z', '5', '-P'],
  ['-q'],
]

const DIFFERENCES: readonly Difference[] = [
  {
    name: 'arguments are checked before anything is sent: one line on stderr, exit 1',
    applies: (run) =>
      REFUSED.some((words) => endsWith(run, ...words)) ||
      (['-', '-u', 'x'].includes(run.argv[0] ?? '') && (run.argv.length === 1 || run.argv[0] === 'x')),
    adjust: (expected) => Object.assign(expected, { stdout: '', stderr: ONE_LINE, exit: 1, requests: [] }),
  },
  {
    name: 'without a command, the error is the last line',
    applies: (run) => run.stderr.startsWith('Command line argument error.'),
    adjust: (expected) => {
      if (expected.stderr !== ONE_LINE) expected.stderr = '<USAGE>\nno command was given; try: upnp-ts open 25565\n'
    },
  },
  {
    name: 'why a description could not be had is said in words, with the URL',
    applies: (run) => has(run, 'http://127.0.0.1:1/x') || has(run, 'http://127.0.0.1:{PORT}'),
    adjust: (expected, run) => {
      const refused = has(run, 'http://127.0.0.1:1/x')
      const why = refused
        ? 'description: http://127.0.0.1:1: connection refused'
        : 'description: http://127.0.0.1:{PORT}/ answered HTTP 404'
      expected.stderr = `${why}\nNo valid UPNP Internet Gateway Device found.\n`
      if (!refused) expected.requests = [{ line: 'GET /' }] // upnpc refuses a URL without a path
    },
  },
  {
    name: 'entities in replies are decoded',
    applies: (run) => run.stdout.includes('&amp;'),
    adjust: (expected) => {
      expected.stdout = expected.stdout.replaceAll('&amp;', '&')
    },
  },
  {
    name: 'the description is upnp-ts unless -e gives another',
    applies: (run) => run.requests?.some((each) => each.arguments?.includes('libminiupnpc')) === true,
    adjust: (expected) => {
      expected.requests = expected.requests.map((each) =>
        each.arguments === undefined ? each : { ...each, arguments: each.arguments.replace('libminiupnpc', 'upnp-ts') },
      )
    },
  },
  {
    name: 'what was asked and failed is exit 2, whatever the command',
    applies: (run) =>
      (run.server === 'allfault501' || run.server === 'close') &&
      ['-s', '-l', '-L', '-S', '-U', '-C', '-K', '-D', '-G'].some((letter) => has(run, letter)),
    adjust: (expected) => {
      expected.exit = 2
    },
  },
  {
    name: 'a counter or a flag that could not be had is unknown',
    applies: (run) =>
      (run.server === 'allfault501' || run.server === 'close') && (endsWith(run, '-s') || endsWith(run, '-S')),
    adjust: (expected) => {
      expected.stdout = expected.stdout
        .replace(/(Sent|Recv): (?:4294967293| {7}0)/g, '$1:  unknown')
        .replace(/(FirewallEnabled|Allowed): 0/g, '$1: unknown')
        .replace(/(Firewall Enabled|Allowed): No/g, '$1: unknown')
    },
  },
  {
    name: '-f without a port is refused',
    applies: (run) => endsWith(run, '-f'),
    adjust: (expected) => Object.assign(expected, { stdout: '', stderr: ONE_LINE, exit: 1, requests: [] }),
  },
  {
    name: 'the external address is asked for once in a run',
    applies: (run) => run.server === 'good' && run.stdout.split('ExternalIPAddress = ').length > 2,
    adjust: (expected) => {
      const isIt = (each: GoldenRequest): boolean => each.action?.endsWith('#GetExternalIPAddress') === true
      const first = expected.requests.findIndex(isIt)
      expected.requests = expected.requests.filter((each, at) => !isIt(each) || at === first)
    },
  },
  {
    name: 'an external address that is refused is asked for once more',
    applies: (run) => run.server === 'allfault501',
    adjust: (expected, run) => {
      const isIt = (each: GoldenRequest): boolean => each.action?.endsWith('#GetExternalIPAddress') === true
      const once = expected.requests.filter(isIt)
      // The questions of -s all wait already.
      expected.requests = has(run, '-s')
        ? [...expected.requests, ...once]
        : expected.requests.flatMap((each) => (isIt(each) ? [each, each] : [each]))
    },
  },
  {
    name: 'any remote host is the empty one, not ::, which gateways refuse',
    applies: (run) => run.argv.includes('::'),
    adjust: (expected) => {
      expected.requests = expected.requests.map((each) => replaced(each, '<RemoteHost>::<', '<RemoteHost><'))
    },
  },
  {
    name: '-G sends the number of the protocol, as -A does',
    applies: (run) => has(run, '-G'),
    adjust: (expected) => {
      expected.requests = expected.requests.map((each) => replaced(each, '<Protocol>TCP<', '<Protocol>6<'))
    },
  },
  {
    name: '-n goes on with AddPortMapping where the router does not have AddAnyPortMapping',
    applies: (run) => has(run, '-n') && run.server !== 'good',
    adjust: (expected) => {
      expected.stdout = expected.stdout
        .replace('AddAnyPortMapping(', 'AddPortMapping(')
        .replace(/^GetSpecific.*\n/m, '')
      const addAny = expected.requests.find((each) => each.action?.endsWith('#AddAnyPortMapping'))
      expected.requests = expected.requests.map((each) =>
        each.action?.endsWith('#GetSpecificPortMappingEntry') && addAny !== undefined
          ? { ...addAny, action: addAny.action?.replace('#AddAny', '#Add') ?? '' }
          : each,
      )
    },
  },
  {
    name: '-L goes on as -l lists where the router cannot list at once',
    applies: (run) => has(run, '-L') && run.server !== 'good',
    adjust: (expected, run) => {
      const failed = run.stdout.split('\n').find((line) => line.startsWith('GetListOf')) ?? ''
      const header = ' i protocol exPort->inAddr:inPort description remoteHost leaseTime'
      const walked = failed.replace('GetListOfPortMappings', 'GetGenericPortMappingEntry')
      expected.stdout = expected.stdout.replace(`${failed}\n${failed}`, `${failed}\n${header}\n${walked}`)
      const [description, first] = expected.requests
      const action = first?.action?.replace('#GetListOfPortMappings', '#GetGenericPortMappingEntry') ?? ''
      const walk = { line: first?.line ?? '', action, arguments: '<NewPortMappingIndex>0</NewPortMappingIndex>' }
      expected.requests = description && first ? [description, first, walk] : []
    },
  },
  {
    name: 'a router that closes the connection without an answer is asked once more',
    applies: (run) => run.server === 'close' && (run.requests?.length ?? 0) > 1,
    adjust: (expected) => {
      expected.requests = expected.requests.flatMap((each) => (each.line.startsWith('POST') ? [each, each] : [each]))
    },
  },
  {
    name: 'a mapping that the router then shows for another computer is a failure',
    applies: (run) =>
      run.stdout.includes('is redirected to internal 192.168.1.5') &&
      !has(run, '-a', '192.168.1.5') &&
      !startsInvalid(run),
    adjust: (expected, run) => {
      expected.exit = 2
      expected.stderr = expected.stdout
        .split('\n')
        .filter((line) => line.startsWith('external '))
        .map((line) =>
          line.replace(
            /^external [\d.]+:(\d+) (\w+) .*$/,
            'external port $1 $2: the gateway sends it to 192.168.1.5 and not to 127.0.0.1\n',
          ),
        )
        .join('')
      void run
    },
  },
]

function replaced(request: GoldenRequest, from: string, to: string): GoldenRequest {
  return request.arguments === undefined ? request : { ...request, arguments: request.arguments.replace(from, to) }
}

function startsInvalid(run: GoldenRun): boolean {
  return DIFFERENCES[0]?.applies(run) === true
}

/** Hints are this project's own, on stderr, one line each, and begin with that word. */
function withoutHints(stderr: string): string {
  return stderr.replace(/^hint: .*\n/gm, '')
}

const used = new Set<string>()

function expectedOf(run: GoldenRun): Expected {
  const expected = { stdout: run.stdout, stderr: run.stderr, exit: run.exit, requests: [...(run.requests ?? [])] }
  for (const difference of DIFFERENCES) {
    if (!difference.applies(run)) continue
    used.add(difference.name)
    difference.adjust(expected, run)
  }
  return expected
}

function answerOf(golden: Golden, server: string | null, request: ReceivedRequest): string | undefined {
  if (request.method === 'GET')
    return request.path === '/desc.xml' ? http(200, golden.description) : http(404, 'not here')
  const [serviceType = '', action = ''] = soapActionOf(request).split('#')
  const scripted = server === null ? undefined : golden.servers[server]?.soap[action]
  if (scripted === undefined) return http(500, soapFault(401))
  if (typeof scripted === 'string') return http(200, soapResponse(action, scripted, serviceType))
  if (isList(scripted)) {
    const index = Number(/<NewPortMappingIndex>(\d+)</.exec(request.body)?.[1] ?? 0)
    const entry = scripted[index]
    return entry === undefined ? http(500, soapFault(713)) : http(200, soapResponse(action, entry, serviceType))
  }
  if ('fault' in scripted) return http(500, soapFault(scripted.fault))
  return 'raw' in scripted ? scripted.raw : undefined
}

function isList(answer: SoapAnswer): answer is readonly string[] {
  return Array.isArray(answer)
}

function asGolden(request: ReceivedRequest): GoldenRequest {
  const line = `${request.method} ${request.path}`
  if (request.method === 'GET') return { line }
  const args = /<u:\w+ [^>]*>(.*)<\/u:\w+>/s.exec(request.body)?.[1] ?? ''
  return { line, action: soapActionOf(request), arguments: args }
}

/** -l is ahead of what it reads, so it asks beyond the end of the table too: how far is what test/client/igd/listing.test.ts is about. */
function isBeyondTheEnd(golden: Golden, { action, arguments: args }: GoldenRequest): boolean {
  const table = golden.servers.good?.soap.GetGenericPortMappingEntry ?? []
  const index = Number(/<NewPortMappingIndex>(\d+)</.exec(args ?? '')?.[1] ?? 0)
  return action?.endsWith('#GetGenericPortMappingEntry') === true && isList(table) && index > table.length
}

function replay(version: string, runs: (golden: Golden) => readonly GoldenRun[], extra: readonly string[]): void {
  const golden = load(version)
  let gateway: ScriptedGateway
  let server: string | null = null
  beforeAll(async () => {
    gateway = await scriptedGateway((request) => answerOf(golden, server, request))
  })
  afterAll(() => gateway.close())

  for (const [at, run] of runs(golden).entries()) {
    it(`${at}: ${run.server ?? 'no server'}: ${run.argv.join(' ')}`, async () => {
      server = run.server
      const before = gateway.requests.length
      const withPort = (text: string): string => text.replaceAll('{PORT}', String(gateway.port))
      const result = await runCli([...run.argv.map(withPort), ...extra])
      const expected = expectedOf(run)
      const requests = gateway.requests.slice(before).map(asGolden)
      const isHelp = has(run, '-h') || has(run, '--help') // without the banner
      expect({
        stdout: comparable(isHelp ? result.stdout : withoutBanner(result.stdout)),
        stderr: expected.stderr === ONE_LINE ? oneLine(result.stderr) : comparable(withoutHints(result.stderr)),
        exit: result.exitCode,
        requests: requests.filter((each) => !isBeyondTheEnd(golden, each)),
      }).toEqual({
        stdout: comparable(withPort(expected.stdout)),
        stderr: withPort(expected.stderr),
        exit: expected.exit,
        requests: expected.requests,
      })
    })
  }
}

/** How the command is written may stand before the line. */
function oneLine(stderr: string): string {
  return /^(?:usage: upnp-ts -[^\n]+\n)?[^\n]+\n$/.test(stderr) ? ONE_LINE : stderr
}

/** The usage text is each project's own, and ctime() depends on the moment. */
function comparable(text: string): string {
  return text
    .replace(/^upnp-ts opens ports [\s\S]* troubleshooting\n/, '<USAGE>\n')
    .replace(/^usage: upnp-ts COMMAND[\s\S]* upnp-ts help letters\n/, '<USAGE>\n')
    .replace(/Time started : \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}/g, 'Time started : <CTIME>')
    .replace(/<USAGE>\n+/, '<USAGE>\n')
}

describe('upnpc 2.3.3, every recorded run', () => {
  replay('2.3.3', (golden) => golden.runs, [])

  it('needs every difference on the list', () => {
    expect(DIFFERENCES.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([])
  })
})

describe('upnpc 2.1, -l with --compat 2.1', () => {
  replay('2.1', (golden) => golden.runs.filter((run) => endsWith(run, '-l')), ['--compat', '2.1'])
})
