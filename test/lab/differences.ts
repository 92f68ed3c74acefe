/**
 * What may differ between upnpc 2.2.4, which runs in the lab, and upnp-ts: by name, and as what hides it. Three kinds:
 * what time makes, where upnpc 2.3.3, the reference, is not as 2.2.4, and what was decided.
 */

export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly exit: number
}

export interface Asked {
  readonly args: readonly string[]
}

type Change = (outcome: Outcome, asked: Asked) => Outcome

/** What hides it: on upnpc's side, on ours, or on both. */
interface Difference {
  readonly name: string
  readonly upnpc?: Change
  readonly upnpTs?: Change
}

function inStdout(pattern: RegExp, replacement: string | ((match: string) => string)): Change {
  return (outcome) => ({
    ...outcome,
    stdout: outcome.stdout.replace(pattern, typeof replacement === 'string' ? () => replacement : replacement),
  })
}

function both(change: Change): Pick<Difference, 'upnpc' | 'upnpTs'> {
  return { upnpc: change, upnpTs: change }
}

const isLetter = ({ args }: Asked, letters: string): boolean =>
  args.some((arg) => /^-[A-Za-z]$/.test(arg) && letters.includes(arg.slice(1)))

const MADE_BY_TIME: readonly Difference[] = [
  {
    name: 'the uptime',
    ...both(inStdout(/(?<=^Status : .*, uptime=)[1-9]\d*(?=s, )/m, 'N')),
  },
  {
    name: 'when the router started, as counted back from now',
    ...both(inStdout(/(?<=^ {2}Time started : )[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/m, '(ctime)')),
  },
  {
    name: 'what is left of a lease',
    ...both(inStdout(/(?<=^ *\d+ (?:TCP|UDP) .*' )\d+$/gm, (seconds) => `${Math.ceil(Number(seconds) / 10) * 10}`)),
  },
  {
    name: 'what is left of a lease that has just been given',
    ...both(
      inStdout(/(?<=^external .*\(duration=)\d+(?=\)$)/gm, (seconds) => `${Math.ceil(Number(seconds) / 10) * 10}`),
    ),
  },
  {
    name: 'the counters of the interface, eight columns wide',
    ...both(inStdout(/(?<=(?:Sent|Recv): )(?= {0,7}\d)[ \d]{8}(?=[\t\n])/g, '       N')),
  },
]

const ADVICE = 'Use IPv6 (option -6) GUA address to ensure UPnP IGDv2 pinholes are allowed\n\n'

const SINCE_2_2_4: readonly Difference[] = [
  {
    name: 'the end of the list is no error (2.2.7)',
    upnpc: inStdout(/^GetGenericPortMappingEntry\(\) returned 713 \(SpecifiedArrayIndexInvalid\)\n$/m, ''),
  },
  {
    name: 'help goes to stdout and is a success (2.2.7); the usage is the text of each program',
    upnpc: ({ stdout, stderr, exit }) =>
      stderr.startsWith('Usage :') && stdout === '' && exit === 1
        ? { stdout: '(usage)', stderr: '', exit: 0 }
        : { stdout: stdout.startsWith('Usage') ? '(usage)' : stdout, stderr, exit },
    upnpTs: ({ stdout, stderr, exit }) => ({
      stdout: stdout.startsWith('upnp-ts opens ports') ? '(usage)' : stdout,
      stderr,
      exit,
    }),
  },
  {
    name: 'who asks for a pinhole without -6 is advised to use it (2.2.7)',
    upnpc: (outcome, asked) =>
      isLetter(asked, 'ADUKCG') && !asked.args.includes('-6')
        ? { ...outcome, stdout: ADVICE + outcome.stdout }
        : outcome,
  },
  {
    name: '-A that failed exits 2 (2.2.8)',
    upnpc: (outcome, asked) =>
      isLetter(asked, 'A') && /^AddPinhole\(/m.test(outcome.stdout) ? failed(outcome) : outcome,
  },
  {
    name: 'error 709 has the name that the standard gives it (2.2.6)',
    upnpc: inStdout(/(?<= 709 )\(NoPacketSent\)$/gm, '(NoTrafficReceived)'),
  },
]

const failed = (outcome: Outcome): Outcome => ({ ...outcome, exit: 2 })

const DECIDED: readonly Difference[] = [
  {
    name: 'what to do about a failure, and what it went on with, is said in addition, on stderr',
    upnpTs: (outcome) => ({ ...outcome, stderr: outcome.stderr.replace(/^hint: .+\n/gm, '') }),
  },
  {
    name: 'why a description cannot be had is said in other words',
    ...both((outcome) => ({ ...outcome, stderr: outcome.stderr.replace(/^.+\n(?=No valid UPNP )/, '(why)\n') })),
  },
  {
    name: '-L -S -C -K -D -G exit 2 when what was asked failed (and -U: see its rows)',
    upnpc: (outcome, asked) =>
      isLetter(asked, 'LSCKDG') && /(?: failed with code|\(\) returned(?: :)?) [1-9-]/.test(outcome.stdout)
        ? failed(outcome)
        : outcome,
  },
  {
    name: '-n that was refused does not look at the port that it did not get',
    upnpc: (outcome, asked) =>
      isLetter(asked, 'n')
        ? inStdout(/(?<=^AddAnyPortMapping\(.*\n)GetSpecificPortMappingEntry\(\) failed .*\n/m, '')(outcome, asked)
        : outcome,
  },
]

const DEFAULT_DESCRIPTION: Difference = {
  name: 'the description that nobody gave is the name of the program',
  upnpc: inStdout(/^( *\d+ .+) 'libminiupnpc' /gm, (entry) => entry.replace("'libminiupnpc'", "'(default)'")),
  upnpTs: inStdout(/^( *\d+ .+) 'upnp-ts' /gm, (entry) => entry.replace("'upnp-ts'", "'(default)'")),
}

/** In what is left in the router, as `-l` lists it and nft shows it. */
const IN_STATE: readonly Difference[] = [
  {
    name: 'the remote host :: is sent as the empty one, so that the firewall does not compare',
    upnpc: inStdout(/ @nh,64,128 0x0(?= )/g, ''),
  },
]

type Side = 'upnpc' | 'upnpTs'

function hide(differences: readonly Difference[], side: Side, outcome: Outcome, asked: Asked): Outcome {
  return differences.reduce((current, difference) => difference[side]?.(current, asked) ?? current, outcome)
}

/** What is left to compare of an outcome. */
export function without(side: Side, outcome: Outcome, asked: Asked): Outcome {
  return hide([...MADE_BY_TIME, ...SINCE_2_2_4, ...DECIDED, DEFAULT_DESCRIPTION], side, outcome, asked)
}

/** What is left to compare of what a router was left with. */
export function withoutInState(side: Side, state: string): string {
  const asked: Asked = { args: [] }
  return hide([...MADE_BY_TIME, DEFAULT_DESCRIPTION, ...IN_STATE], side, { stdout: state, stderr: '', exit: 0 }, asked)
    .stdout
}
