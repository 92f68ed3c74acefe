/**
 * The same arguments to upnpc and to upnp-ts, each on a router that has just been started: what they write below their
 * banners, their exit codes and what they leave in the router are the same, except for the differences that were
 * decided, which stand here by name.
 */
import { afterAll, describe, expect, test, vi } from 'vitest'
import { belowBanner } from './banner.ts'
import type { Finished } from './command.ts'
import { COMPUTER, COMPUTER_SECOND, DESCRIPTION_URL, Lab } from './lab.ts'

interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly exit: number
}

/** A difference that was decided (or that time makes), as what hides it: on upnpc's side, on ours, or on both. */
interface Difference {
  readonly name: string
  readonly upnpc?: (outcome: Outcome) => Outcome
  readonly upnpTs?: (outcome: Outcome) => Outcome
}

function inStdout(pattern: RegExp, replacement: string | ((match: string) => string)) {
  return (outcome: Outcome): Outcome => ({
    ...outcome,
    stdout: outcome.stdout.replace(pattern, typeof replacement === 'string' ? () => replacement : replacement),
  })
}

function both(change: (outcome: Outcome) => Outcome): Pick<Difference, 'upnpc' | 'upnpTs'> {
  return { upnpc: change, upnpTs: change }
}

const DIFFERENCES: readonly Difference[] = [
  {
    name: 'the end of the list is no error (as upnpc since 2.2.7)',
    upnpc: inStdout(/^GetGenericPortMappingEntry\(\) returned 713 \(SpecifiedArrayIndexInvalid\)\n$/m, ''),
  },
  {
    name: 'the description that nobody gave is the name of the program',
    upnpc: inStdout(/^( *\d+ .+) 'libminiupnpc' /gm, (entry) => entry.replace("'libminiupnpc'", "'(default)'")),
    upnpTs: inStdout(/^( *\d+ .+) 'upnp-ts' /gm, (entry) => entry.replace("'upnp-ts'", "'(default)'")),
  },
  {
    name: 'one program runs after the other: the uptime',
    ...both(inStdout(/(?<=^Status : .*, uptime=)[1-9]\d*(?=s, )/m, 'N')),
  },
  {
    name: 'one program runs after the other: when the router started, as counted back from now',
    ...both(inStdout(/(?<=^ {2}Time started : )[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/m, '(ctime)')),
  },
  {
    name: 'one program runs after the other: what is left of a lease',
    ...both(inStdout(/(?<=^ *\d+ (?:TCP|UDP) .*' )\d+$/gm, (seconds) => `${Math.ceil(Number(seconds) / 10) * 10}`)),
  },
  {
    name: 'one program runs after the other: the counters of the interface, eight columns wide',
    ...both(inStdout(/(?<=(?:Sent|Recv): )(?= {0,7}\d)[ \d]{8}(?=[\t\n])/g, '       N')),
  },
  {
    name: 'the usage is the text of each program; help goes to stdout and is a success (as upnpc since 2.2.7)',
    upnpc: ({ stdout, stderr, exit }) =>
      stderr.startsWith('Usage :') && stdout === '' && exit === 1
        ? { stdout: '(usage)', stderr: '', exit: 0 }
        : { stdout: stdout.startsWith('Usage') ? '(usage)' : stdout, stderr, exit },
    upnpTs: ({ stdout, stderr, exit }) => ({ stdout: /^usage\b/i.test(stdout) ? '(usage)' : stdout, stderr, exit }),
  },
  {
    name: 'what to do about a refusal is said in addition, on stderr',
    upnpTs: (outcome) => ({ ...outcome, stderr: outcome.stderr.replace(/^hint: .+\n/gm, '') }),
  },
  {
    name: 'why a description cannot be had is said in other words',
    ...both((outcome) => ({ ...outcome, stderr: outcome.stderr.replace(/^.+\n(?=No valid UPNP )/, '(why)\n') })),
  },
]

interface Comparison {
  readonly args: readonly string[]
  /** What is in the router before: arguments of upnpc. */
  readonly before?: readonly (readonly string[])[]
  readonly secureMode?: boolean
}

const ONE_MAPPING = [['-e', 'ssh', '-r', '22', 'TCP']]
const OF_ANOTHER = [['-e', 'theirs', '-a', COMPUTER_SECOND, '22', '22', 'TCP', '600']]
const MAPPINGS = [
  ...ONE_MAPPING,
  ['-e', 'web', '-a', COMPUTER_SECOND, '80', '8080', 'TCP', '600'],
  ['-e', '', '-r', '53', '5353', 'UDP'],
]

const COMPARISONS: readonly Comparison[] = [
  { args: ['-h'] },
  { args: ['-l'] },
  { args: ['-l'], before: MAPPINGS },
  { args: ['-i', '-l'], before: ONE_MAPPING },
  { args: ['-u', DESCRIPTION_URL, '-l'], before: ONE_MAPPING },
  { args: ['-u', 'http://192.168.86.1:1/rootDesc.xml', '-l'] },
  { args: ['-s'] },
  { args: ['-u', DESCRIPTION_URL, '-i', '-s'] },
  { args: ['-P'] },
  { args: ['-u', DESCRIPTION_URL, '-P'] },
  { args: ['-r', '22', 'TCP'] },
  { args: ['-r', '22', 'tcp'], before: ONE_MAPPING },
  { args: ['-r', '22', '8022', 'TCP', '53', 'UDP'] },
  { args: ['-r', '80', '22', 'TCP', '53', 'UDP'], before: OF_ANOTHER },
  { args: ['-e', 'my web server', '-r', '80', 'TCP'] },
  { args: ['-e', '', '-r', '80', 'TCP'] },
  { args: ['-a', '@', '80', '8080', 'TCP', '600'] },
  { args: ['-a', COMPUTER, '80', '8080', 'TCP'] },
  { args: ['-a', COMPUTER_SECOND, '80', '8081', 'TCP', '600'] },
  { args: ['-e', 'camera', '-a', '192.168.86.77', '554', '554', 'UDP', '0'] },
  { args: ['-a', '@', '80', '8080', 'TCP', '600', '203.0.113.99'] },
  { args: ['-a', '@', '80', '8080', 'TCP', '203.0.113.99'] },
  { args: ['-a', COMPUTER_SECOND, '22', '22', 'TCP'], before: ONE_MAPPING },
  { args: ['-a', COMPUTER_SECOND, '22', '22', 'TCP'], secureMode: true },
  { args: ['-a', '@', '22', '22', 'TCP'], secureMode: true },
  { args: ['-d', '22', 'TCP'], before: MAPPINGS },
  { args: ['-d', '22', 'udp'], before: ONE_MAPPING },
  { args: ['-d', '9999', 'TCP'] },
]

/**
 * Words that upnpc ignores, or stumbles over once it has found the router or even mapped something: upnp-ts says at
 * once, in one line, what is wrong, and sends nothing.
 */
const REFUSALS: readonly { readonly args: readonly string[]; readonly upnpcExit: number }[] = [
  { args: ['-l', 'more', 'words'], upnpcExit: 0 },
  { args: ['word', '-l'], upnpcExit: 0 },
  { args: ['-q'], upnpcExit: 1 },
  { args: ['-r', '22', 'SCTP', '53', 'UDP'], upnpcExit: 2 },
  { args: ['-r', '22', 'TCP', '53'], upnpcExit: 2 },
  { args: ['-r', '22', 'TCP', 'ssh', 'TCP'], upnpcExit: 1 },
  { args: ['-r', '22', '70000', 'TCP'], upnpcExit: 0 },
  { args: ['-a', '@', '80', '8080', 'ICMP'], upnpcExit: 2 },
  { args: ['-a', '192.168.86.300', '80', '8080', 'TCP'], upnpcExit: 2 },
  { args: ['-d', '22', 'GRE'], upnpcExit: 2 },
]

/** The mappings that the router has, and the rules of its firewall and NAT. */
async function stateOf(lab: Lab): Promise<string> {
  const { stdout } = await quickUpnpc(lab, '-l')
  const mappings = stdout.match(/^ *\d+ (?:TCP|UDP) .*\n/gm) ?? []
  const rules = await lab.on('router', ['nft', 'list', 'ruleset'])
  return mappings.join('') + rules.stdout
}

/** upnpc without the two seconds of its search. */
async function quickUpnpc(lab: Lab, ...args: string[]): Promise<Finished> {
  const finished = await lab.upnpc('-u', DESCRIPTION_URL, ...args)
  expect(finished).toMatchObject({ exit: 0, stderr: '' })
  return finished
}

/** A router that has just been started, with some mappings. */
async function prepare(lab: Lab, igd: 1 | 2, { args, before = [], secureMode = false }: Comparison): Promise<void> {
  await lab.reboot({ igd, secureMode })
  for (const mapping of before) await quickUpnpc(lab, ...mapping)
  // In its first second, nobody says since when the router runs.
  if (args.includes('-l') || args.includes('-s')) await vi.waitFor(() => upForASecond(lab), { timeout: 5_000 })
}

async function upForASecond(lab: Lab): Promise<void> {
  expect((await quickUpnpc(lab, '-s')).stdout).toMatch(/ uptime=[1-9]/)
}

/** Labs that no comparison uses at the moment. */
const freeLabs: Lab[] = []
afterAll(() => Promise.all(freeLabs.map((lab) => lab.down())))

function without(side: 'upnpc' | 'upnpTs', outcome: Outcome): Outcome {
  return DIFFERENCES.reduce((current, difference) => difference[side]?.(current) ?? current, outcome)
}

describe.each([1, 2] as const)('side by side, at an InternetGatewayDevice:%i', { timeout: 60_000 }, (igd) => {
  test.concurrent.for(COMPARISONS)('%j', async (comparison, { expect, onTestFinished }) => {
    const lab = freeLabs.pop() ?? (await Lab.up())
    onTestFinished(() => void freeLabs.push(lab))

    await prepare(lab, igd, comparison)
    const theirs = await lab.upnpc(...comparison.args)
    const theirState = await stateOf(lab)

    await prepare(lab, igd, comparison)
    const ours = await lab.upnpTs(...comparison.args)
    const ourState = await stateOf(lab)

    // Without arguments upnpc writes its usage to stderr and its banner, alone, to stdout.
    const { stdout: banner } = await lab.upnpc()
    expect(theirs.stdout.slice(0, banner.length)).toBe(banner)
    const theirOutcome = { ...outcomeOf(theirs), stdout: theirs.stdout.slice(banner.length) }
    const ourOutcome = { ...outcomeOf(ours), stdout: belowBanner(ours.stdout) }
    expect(without('upnpTs', ourOutcome)).toEqual(without('upnpc', theirOutcome))
    expect(without('upnpTs', { ...ourOutcome, stdout: ourState }).stdout).toBe(
      without('upnpc', { ...theirOutcome, stdout: theirState }).stdout,
    )
  })
})

describe('words that cannot be meant', { timeout: 60_000 }, () => {
  test.concurrent.for(REFUSALS)('%j', async ({ args, upnpcExit }, { expect, onTestFinished }) => {
    const lab = freeLabs.pop() ?? (await Lab.up())
    onTestFinished(() => void freeLabs.push(lab))
    await lab.reboot({ igd: 2, secureMode: false })
    const untouched = await stateOf(lab)

    const { stdout, stderr, exit } = await lab.upnpTs(...args)
    expect({ stdout: belowBanner(stdout), exit }).toEqual({ stdout: '', exit: 1 })
    expect(stderr).toMatch(/^.+\n$/)
    expect(await stateOf(lab)).toBe(untouched)
    expect(await lab.upnpc(...args)).toMatchObject({ exit: upnpcExit })
  })
})

function outcomeOf({ stdout, stderr, exit }: Finished): Outcome {
  return { stdout, stderr, exit }
}
