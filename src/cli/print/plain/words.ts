/** How the plain voice says a date, a port, a list, and a command that can be copied. Pure. */
import { hostAndPort } from '../../../domain/address.js'
import { DEFAULT_DESCRIPTION } from '../../../domain/port-mapping.js'
import type { GatewayInvocation } from '../../parse/invocation.js'
import { shellLine } from '../../parse/shell-words.js'
import { cleaned } from '../clean.js'

const MONTHS = 'January February March April May June July August September October November December'.split(' ')

/** What is that near is told to the second. */
const NEAR_MS = 120_000

/** `6 December, 10:14` in local time; the year stands there only if it is another one. */
export function dateText(wallMs: number, nowMs: number): string {
  const date = new Date(wallMs)
  const year = date.getFullYear()
  const day = `${date.getDate()} ${MONTHS[date.getMonth()]}${year === new Date(nowMs).getFullYear() ? '' : ` ${year}`}`
  const time = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`
  return `${day}, ${time}${wallMs - nowMs < NEAR_MS ? `:${twoDigits(date.getSeconds())}` : ''}`
}

/** `6 Dec 10:14`, or `6 Dec 2027` in another year: 12 columns at most. */
export function shortDateText(wallMs: number, nowMs: number): string {
  const date = new Date(wallMs)
  const year = date.getFullYear()
  const day = `${date.getDate()} ${MONTHS[date.getMonth()]?.slice(0, 3)}`
  if (year !== new Date(nowMs).getFullYear()) return `${day} ${year}`
  return `${day} ${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`
}

/** `2026-12-06 10:14:05` in local time, for lines that come one after the other over months. */
export function timeText(wallMs: number): string {
  const date = new Date(wallMs)
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

/** `a`, `a and b`, `a, b and c` */
export function listed(all: readonly string[]): string {
  if (all.length < 2) return all.join('')
  return `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
}

const LABEL_WIDTH = 21

/** One line of an answer: `  It leads to          this computer`. Without a label, it belongs to the line above. */
export function line(label: string, text: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${cleaned(text)}\n`
}

/** The same text with a capital and a full stop, and nothing in it that could harm a terminal. */
export function sentence(text: string): string {
  const whole = /[.!?:]$/.test(text) ? text : `${text}.`
  return `${cleaned(/^(upnp-ts|--|[\d'"[])/.test(whole) ? whole : whole.charAt(0).toUpperCase() + whole.slice(1))}\n`
}

/** A named port, as a person calls it. */
export function portName({
  externalPort,
  protocol,
}: {
  readonly externalPort: number | undefined
  readonly protocol: string
}) {
  return `port ${externalPort ?? ''} ${protocol}`
}

/** `25565`, `2222:22/udp`, as `open` and `close` take it. */
export function portWord(
  port: { readonly externalPort?: number; readonly internalPort?: number },
  protocols: readonly string[],
) {
  const { internalPort, externalPort = internalPort } = port
  const outside = internalPort === undefined || externalPort === internalPort ? '' : `${externalPort}:`
  const protocol = protocols.length > 1 ? '/both' : protocols[0] === 'UDP' ? '/udp' : ''
  return `${outside}${internalPort ?? externalPort}${protocol}`
}

/** A command line that can be copied: the verb, its words, and those options of this one that still count. */
export function commandLine(
  verb: 'open' | 'close' | 'list' | 'status' | '--delete',
  words: readonly string[],
  {
    url,
    description,
    ignoreState,
    emulate,
    portControl,
  }: Pick<GatewayInvocation, 'url' | 'description' | 'ignoreState' | 'emulate' | 'portControl'>,
): string {
  const { via, gateway } = portControl
  const options = [
    ...(via === 'auto' ? [] : ['--via', via]),
    ...(gateway === undefined ? [] : ['--gateway', gateway.port === 5351 ? gateway.address : hostAndPort(gateway)]),
    ...(url === undefined ? [] : ['--url', url]),
    ...(ignoreState ? ['--ignore'] : []),
    ...(emulate ? ['--emulate'] : []),
    ...(verb !== 'open' || description === DEFAULT_DESCRIPTION ? [] : ['--description', description]),
  ]
  return shellLine(['upnp-ts', verb, ...words, ...options])
}

/** The same command once more, with an option. */
export function againWith({ argv }: { readonly argv: readonly string[] }, option: string): string {
  const at = argv[0]?.startsWith('-') === false ? 1 : 0
  return shellLine(['upnp-ts', ...argv.slice(0, at), option, ...argv.slice(at)])
}
