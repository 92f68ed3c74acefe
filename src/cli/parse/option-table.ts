/**
 * OPTIONS: one row for each option, with its facts, in the order of the usage text. option-values.ts checks the values.
 * Flag is what these rows and those of COMMANDS have in common: how to write one, and how to describe it.
 */
import { DEFAULT_DESCRIPTION, GATEWAY_PROTOCOLS } from '../../domain/port-mapping.js'

export const DEFAULT_TIMEOUT_MS = 60_000

export interface OptionRow extends Flag {
  /** The option means something to one of the two ways of writing a command only. If undefined, to both. */
  readonly only?: 'letters' | 'verbs'
  /** Labels of commands and options: the option needs one of them. */
  readonly goesWith?: readonly string[]
  /** The error "goes with ..." also names the command that was given. */
  readonly namesOther?: true
  /** The option may be given several times, and every value counts. */
  readonly isList?: true
  /** The option counts even if the rest of the command line is wrong: it says how to print the error. */
  readonly readFirst?: true
  /** The usage text shows the long name beside the letter. */
  readonly showsBothNames?: true
  /** One of the most used options: the first screen of help shows them. */
  readonly isOftenUsed?: true
}

const WITH_KEEP = { goesWith: ['--keep'] } as const
const WITH_OPEN = { goesWith: ['open'], only: 'verbs' } as const
const WITH_EMULATE = { goesWith: ['emulate'] } as const
const SECONDS = { form: 'SECONDS', wanted: 'a number of seconds' } as const
const MILLISECONDS = { form: 'MS', wanted: 'a number of milliseconds' } as const
const IPV4 = { form: 'IP', wanted: 'an IPv4 address' } as const

export const OPTIONS: readonly OptionRow[] = [
  {
    flag: 'keep',
    isOftenUsed: true,
    goesWith: ['open', '-r', '-a', '-n', '-A'],
    help: 'keep the ports open until stopped',
  },
  {
    flag: 'require',
    ...WITH_KEEP,
    moreExamples: ['open 25565 --keep --require -- ./server'],
    help: 'do not run PROGRAM unless the ports are open',
  },
  {
    flag: 'on-change',
    form: 'COMMAND',
    wanted: 'a command for the shell',
    ...WITH_KEEP,
    example: './tell.sh',
    help: 'run this in a shell when the address and the ports are known, and when they change',
  },
  {
    flag: 'state',
    values: 'file',
    form: 'FILE',
    wanted: 'a file',
    ...WITH_KEEP,
    example: 'ports.json',
    help: 'write what is open to this file, as JSON',
  },
  {
    flag: 'check',
    ...SECONDS,
    ...WITH_KEEP,
    example: '60',
    help: 'check at least this often that the router still has them [120]',
  },
  {
    flag: 'description',
    letter: '-e',
    form: 'TEXT',
    wanted: 'a text',
    example: '"my web server"',
    help: `the description of the ports opened [${DEFAULT_DESCRIPTION}]`,
  },
  { flag: 'ignore', letter: '-i', help: 'go on with a router that says it is not connected' },
  {
    flag: 'lease',
    ...SECONDS,
    goesWith: ['open', '-r', '-a', '-n'],
    namesOther: true,
    example: '3600',
    help: 'for how long the router is asked to keep a port open',
  },
  {
    flag: 'external',
    isOftenUsed: true,
    form: 'PORT',
    wanted: "a port, or 'any' for one that the router chooses",
    ...WITH_OPEN,
    example: '2222',
    help: 'the port outside, if it is another one; any: one that is free',
  },
  {
    flag: 'to',
    ...IPV4,
    ...WITH_OPEN,
    example: '192.168.1.5',
    help: 'let the port lead to this computer at home, and not to this one',
  },
  {
    flag: 'only',
    ...IPV4,
    ...WITH_OPEN,
    example: '203.0.113.7',
    help: 'let nobody in but this address of the internet',
  },
  {
    flag: 'for',
    isOftenUsed: true,
    form: 'TIME',
    wanted: 'a time, such as 30m, 2h or 7d',
    ...WITH_OPEN,
    example: '2h',
    help: 'close it after this time, such as 30m, 2h or 7d; with --keep, upnp-ts ends then, and asks its program to end',
  },
  {
    flag: 'as',
    form: 'NAME',
    wanted: 'the name of a server, such as ssh or http',
    example: 'ssh',
    ...WITH_OPEN,
    help: 'what listens there, such as ssh, http or minecraft: the answer has the line that others type',
  },
  {
    flag: 'print',
    values: ['endpoint'],
    form: 'endpoint',
    wanted: 'the word endpoint',
    example: 'endpoint',
    ...WITH_OPEN,
    help: 'print the address and the port, as in 203.0.113.7:25565, and nothing else',
  },
  { flag: 'qr', ...WITH_OPEN, help: 'show the address and the port as a QR code, for a phone' },
  {
    flag: 'mine',
    goesWith: ['close'],
    only: 'verbs',
    moreExamples: ['close --mine'],
    help: 'close all that upnp-ts has opened and nothing keeps open',
  },
  {
    flag: 'unused',
    goesWith: ['--mine'],
    only: 'verbs',
    moreExamples: ['close --mine --unused'],
    help: 'of these, the ports that no program here listens on',
  },
  {
    flag: 'yes',
    goesWith: ['--mine'],
    only: 'verbs',
    moreExamples: ['close --mine --yes'],
    help: 'close them without asking',
  },
  { flag: 'ipv4', ...WITH_OPEN, help: 'over IPv4 only' },
  {
    flag: 'via',
    values: ['auto', ...GATEWAY_PROTOCOLS],
    form: 'PROTOCOL',
    wanted: 'auto, igd, pcp or nat-pmp',
    example: 'igd',
    help: 'ask only over igd (UPnP), pcp or nat-pmp [auto: over all three at once, and UPnP is preferred]',
  },
  {
    flag: 'gateway',
    form: 'ADDRESS[:PORT]',
    wanted: 'the address of a router',
    example: '192.168.1.1',
    help: 'ask this router and no other; PORT is for PCP and NAT-PMP [the default gateway, 5351]',
  },
  {
    flag: 'nonce',
    values: '@file',
    form: '@FILE',
    wanted: '@ and the name of a file that has 24 hexadecimal digits, or - for standard input',
    help:
      'with --via pcp: the nonce of the mappings, 24 hexadecimal digits, from a file that nobody else can read; - is ' +
      'standard input [made from a key of this user]',
  },
  {
    flag: 'url',
    letter: '-u',
    form: 'URL',
    wanted: "the URL of a router's description",
    example: 'http://192.168.1.1:5000/rootDesc.xml',
    help: 'do not search; ask the router whose root description is at this URL',
  },
  { flag: 'ipv6', letter: '-6', help: 'search over IPv6' },
  { flag: 'any-host', help: 'use an IGD also if another host of its subnet tells of it' },
  {
    flag: 'interface',
    letter: '-m',
    form: 'INTERFACE',
    wanted: 'the name or an address of an interface',
    example: 'eth0',
    help: 'use one interface only: its name or an address',
  },
  {
    flag: 'local-port',
    letter: '-z',
    form: 'PORT',
    wanted: 'a port number',
    example: '1900',
    help: 'search from this port (1 is 1900) [any]',
  },
  {
    flag: 'ttl',
    letter: '-t',
    form: 'TTL',
    wanted: 'a number from 0 to 255',
    example: '2',
    help: 'the time to live of searches [2]',
  },
  {
    flag: 'minissdpd',
    values: 'file',
    letter: '-p',
    form: 'PATH',
    wanted: 'the path of a socket',
    example: '/run/minissdpd.sock',
    help: 'the socket of MiniSSDPd; "" to leave it out',
  },
  {
    flag: 'discovery-time',
    ...MILLISECONDS,
    example: '2000',
    help: 'search for exactly this long, and list all devices',
  },
  {
    flag: 'timeout',
    ...MILLISECONDS,
    example: '10000',
    help: `the time limit of the whole command [${DEFAULT_TIMEOUT_MS}]`,
  },
  { flag: 'json', isOftenUsed: true, readFirst: true, help: 'print one JSON object per line' },
  {
    flag: 'quiet',
    isOftenUsed: true,
    letter: '-q',
    readFirst: true,
    showsBothNames: true,
    help: 'print nothing unless it fails',
  },
  {
    flag: 'verbose',
    isOftenUsed: true,
    letter: '-v',
    readFirst: true,
    showsBothNames: true,
    help: 'show every request and reply on stderr',
  },
  {
    flag: 'color',
    values: ['auto', 'always', 'never'],
    form: 'WHEN',
    wanted: 'auto, always or never',
    readFirst: true,
    example: 'never',
    help: 'colour: auto, always or never [auto: on a terminal]',
  },
  {
    flag: 'compat',
    values: ['2.1', '2.3.3'],
    form: '2.1',
    wanted: '2.1 or 2.3.3',
    readFirst: true,
    only: 'letters',
    example: '2.1',
    help: 'print -l as upnpc 2.1 does',
  },
  { flag: 'emulate', isOftenUsed: true, help: 'run the command on an emulated router of its own' },
  { flag: 'address', ...IPV4, ...WITH_EMULATE, example: '127.0.0.1', help: 'where it listens' },
  {
    flag: 'port',
    form: 'N',
    wanted: 'a number',
    ...WITH_EMULATE,
    example: '5000',
    help: 'the port of its HTTP server',
  },
  {
    flag: 'external-address',
    ...IPV4,
    ...WITH_EMULATE,
    example: '203.0.113.7',
    help: 'what it says its external address is',
  },
  {
    flag: 'quirk',
    form: 'NAME[=VALUE]',
    wanted: 'a quirk and its value',
    isList: true,
    goesWith: ['emulate', '--emulate'],
    example: 'igd1',
    help:
      'with emulate or --emulate: the emulated router acts like some real ones; may be given several times: ' +
      'igd1, late-search=MS, refuse=ACTION:CODE[:TIMES]',
  },
  { flag: 'version', letter: '-V', showsBothNames: true, help: 'print the version' },
  { flag: 'help', letter: '-h', showsBothNames: true, help: 'print this' },
]

/** Whether only `emulate` takes the option. */
export function isOnlyOfEmulate({ goesWith }: OptionRow): boolean {
  return goesWith?.every((label) => label === 'emulate') === true
}

export interface Flag {
  /** The long name, without its dashes. */
  readonly flag: string
  /** The short name, with its dash. */
  readonly letter?: string
  /** It is a word of its own, without dashes, and comes first: `open`. */
  readonly isVerb?: true
  /** What follows the flag, as the usage text writes it; undefined if nothing does. */
  readonly form?: string
  /** What follows the flag, as an error message asks for it; undefined if the form will do. */
  readonly wanted?: string
  /** What may follow the flag, as an error message and help show it. */
  readonly example?: string
  /** More examples, for help: command lines without the name of the program. */
  readonly moreExamples?: readonly string[]
  /** What the flag does, for the usage text; a default is in brackets. */
  readonly help: string
  /** The form of a verb for the first screen of help, if its own one is too long. */
  readonly brief?: string
  /** What may follow the flag, for completion: these words, a file, or @ and a file. If undefined, nobody can know. */
  readonly values?: readonly string[] | 'file' | '@file'
}

export function longOf({ flag }: Pick<Flag, 'flag'>): string {
  return `--${flag}`
}

/** The name that messages and the usage text use: the verb, or the letter if there is one. */
export function labelOf({ letter, flag, isVerb }: Pick<Flag, 'letter' | 'flag' | 'isVerb'>): string {
  return isVerb === true ? flag : (letter ?? longOf({ flag }))
}

/** The key under which commander stores the value: `--add-any` is addAny. */
export function keyOf({ flag }: Pick<Flag, 'flag'>): string {
  return flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

/** Whether commander has found a flag. Its few keys are read back, because to make one for each row takes longer. */
export function givenIn(options: Readonly<Record<string, unknown>>): (row: Pick<Flag, 'flag'>) => boolean {
  const flags = new Set(
    Object.keys(options).map((key) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)),
  )
  return ({ flag }) => flags.has(flag)
}

/** A command line that shows how the command is written; undefined if there is none. */
export function exampleOf(row: Flag): string | undefined {
  if (row.form === undefined) return labelOf(row)
  return row.example === undefined ? undefined : `${labelOf(row)} ${row.example}`
}

/** All examples of a command. */
export function examplesOf(row: Flag): readonly string[] {
  const first = exampleOf(row)
  return [...(first === undefined ? [] : [first]), ...(row.moreExamples ?? [])]
}
