/**
 * Counts the steps of every decoder for messages that repeat something, and writes a list of kinds that take too many. It
 * is a program of its own, because it puts methods of JavaScript in place of others, which V8 never forgets.
 */
import { DECODERS, type Decoder } from './decoders.ts'
import { PLANTED } from './planted.ts'
import { countSteps } from './steps.ts'

const counter = countSteps((url) => url === import.meta.url)

/** What is repeated. */
const PUMPS = [
  ...[
    ' ',
    '\t',
    '\r\n',
    '\n',
    '\0',
    '\u00a0',
    'a',
    '1',
    'é',
    '0 ',
    'a ',
    ' 1\r\n',
    ': ',
    ':',
    'a:',
    '-',
    '.',
    '=',
    '%',
    '\\',
  ],
  ...[
    '<',
    '>',
    '</',
    '<a',
    '<a ',
    '<a>',
    '</a>',
    '<a/>',
    '<a></a>',
    '<a>1',
    '</a',
    '<a><b></a>',
    '< <3 </> ',
    '</b></a>',
  ],
  ...[' a="b"', " a='", ' a="', '"', "'", '=""', '<!--', '-->', '<!-- -->', '<!', '<![CDATA[', ']]>', '<![CDATA[]]>'],
  ...[
    '<?x',
    '?>',
    '<?x?>',
    '&',
    '&amp;',
    '&#',
    '&#x41;',
    '&#x4',
    ';',
    '/',
    '//',
    '[',
    ']',
    '@',
    '#',
    '?',
    ',',
    '(',
    '|',
  ],
  ...[
    'a: b\r\n',
    '1\r\na\r\n',
    '0\r\n',
    '1;',
    'HTTP/1.1 100\r\n\r\n',
    '\x01',
    '\x7f',
    '\x80',
    '\xff',
    '\x01\x61',
    '\x00\x04',
  ],
]

/** Before and after what is repeated: the beginning and the end of a good message, cut in many places. */
function contextsOf({ seeds, isText }: Decoder): readonly Context[] {
  const texts = seeds.map((seed) => Buffer.from(seed).toString('latin1'))
  const cuts = texts.flatMap((text) => {
    const places = isText ? [...text.matchAll(/(?<=[<>"'=:])|(?=[<>"'=:&])/g)].map(({ index }) => index) : []
    return [...new Set([0, ...some(places, 3), text.length])].map((at) => [text.slice(0, at), text.slice(at)] as const)
  })
  return [['', ''], ...some(cuts, isText ? 7 : 2)]
}

/** At most so many, from all over. */
function some<T>(all: readonly T[], most: number): readonly T[] {
  const step = Math.max(1, all.length / most)
  return all.filter((_, at) => Math.floor(at / step) !== Math.floor((at - 1) / step))
}

type Read = Pick<Decoder, 'decode'>
type Context = readonly [before: string, after: string]

function stepsFor({ decode }: Read, [before, after]: Context, pumps: readonly string[], size: number): number {
  const messages = pumps.map((pump) =>
    Buffer.from(before + pump.repeat(Math.ceil(size / pump.length)) + after, 'latin1'),
  )
  return counter.steps(messages.map((message) => () => decode(message)))
}

/** So many kinds are counted at once, because to ask V8 takes longer than to decode. */
const AT_ONCE = 8
const SLACK = 500

/** The kinds of repetition of which `times` as much takes more than `times` the steps. */
function tooMany(decoder: Read, context: Context, size: number, times: number, all = PUMPS): string[] {
  const isTooMany = (pumps: readonly string[]): boolean => {
    const [few, many] = [size / times, size].map((each) => stepsFor(decoder, context, pumps, each))
    return few === undefined || many === undefined || many > few * times * 1.1 + SLACK
  }
  const groups = Array.from({ length: Math.ceil(all.length / AT_ONCE) }, (_, at) =>
    all.slice(at * AT_ONCE, (at + 1) * AT_ONCE),
  )
  return groups.filter(isTooMany).flatMap((group) => {
    const single = group.filter((pump) => isTooMany([pump]))
    return (single.length > 0 ? single : group).map((pump) => JSON.stringify([...context, pump]))
  })
}

function faultsOf(decoder: Decoder): string[] {
  const contexts = contextsOf(decoder)
  const small = contexts.flatMap((context) => tooMany(decoder, context, Math.min(1024, decoder.maxBytes), 2))
  // XML has one reader for all of its decoders: the largest good beginning of one of them will do.
  const most = decoder.maxBytes > 128 * 1024 && decoder.name !== 'description' ? 1 : 2
  const large = some(contexts, most).flatMap((context) => tooMany(decoder, context, decoder.maxBytes, 32))
  return [...small, ...large]
}

const planted = PLANTED.map((each) => [each.name, tooMany(each, ['', ''], 1024, 2, [' ', '<a>', '-->'])] as const)
const found = DECODERS.map((decoder) => [decoder.name, faultsOf(decoder)] as const)
console.log(JSON.stringify(Object.fromEntries([...planted, ...found])))
