/** Bad messages, made from good ones. */

/** What the decoders look for, and what only looks like it. */
const TOKENS = [
  ...['<', '>', '</', '/>', '<a>', '</a>', '<a/>', '<!--', '-->', '<![CDATA[', ']]>', '<?', '?>', '<!', '<!DOCTYPE x>'],
  ...[
    '&',
    '&lt;',
    '&amp;',
    '&#x41;',
    '&#0;',
    '&#13;',
    '&#1114112;',
    ';',
    '"',
    "'",
    '=',
    ' a="b"',
    " a='",
    'xmlns:a=""',
  ],
  ...[
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'errorCode',
    'Envelope',
    'Body',
    'Fault',
    'device',
    'service',
    'root',
  ],
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    '\u00a0',
    '\u2028',
    '\ufeff',
    'é',
    '\u{1f600}',
    ':',
    '::',
    '%',
    '%25',
  ],
  ...[
    '0',
    '1',
    '-1',
    '65536',
    '4294967296',
    '99999999999999999999',
    '1e309',
    'ffffffff',
    'chunked',
    'HTTP/1.1 200',
    ',',
  ],
  ...['[', ']', '.', '..', '//', '@', '#', '?', 'http://', '-', '='.repeat(4), 'a'.repeat(130), '0'.repeat(32)],
].map((token) => Buffer.from(token))
const BYTES = [0, 1, 2, 3, 4, 16, 20, 0x7f, 0x80, 0x81, 0x82, 0xc2, 0xff]

export interface Chance {
  /** From 0 to below the number. */
  below(count: number): number
  of<T>(choices: readonly [T, ...T[]]): T
}

export function chanceFrom(random: () => number): Chance {
  const below = (count: number): number => Math.floor(random() * count)
  return { below, of: (choices) => choices[below(choices.length)] ?? choices[0] }
}

/** A part of it: where it begins, and where it ends. Most are short. */
export function sliceOf(
  bytes: Uint8Array,
  chance: Chance,
  longest = bytes.length,
): readonly [from: number, to: number] {
  const from = chance.below(bytes.length + 1)
  const length = chance.below(chance.of([2, 9, Math.max(1, longest)]))
  return [from, Math.min(bytes.length, from + length)]
}

type Mutation = (bytes: Uint8Array, chance: Chance, other: Uint8Array) => readonly Uint8Array[]

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
  function changesBits(bytes, chance) {
    const changed = bytes.slice()
    const at = chance.below(bytes.length)
    changed[at] = (changed[at] ?? 0) ^ (1 << chance.below(8))
    return [changed]
  },
  function changesByte(bytes, chance) {
    const changed = bytes.slice()
    changed[chance.below(bytes.length)] = chance.of([chance.below(256), BYTES[chance.below(BYTES.length)] ?? 0])
    return [changed]
  },
  function leavesOut(bytes, chance) {
    const [from, to] = sliceOf(bytes, chance)
    return [bytes.subarray(0, from), bytes.subarray(to)]
  },
  function repeats(bytes, chance) {
    const [from, to] = sliceOf(bytes, chance)
    const times = 1 + chance.below(chance.of([3, 100]))
    return [bytes.subarray(0, to), ...Array.from({ length: times }, () => bytes.subarray(from, to)), bytes.subarray(to)]
  },
  function inserts(bytes, chance) {
    const [from, to] = sliceOf(bytes, chance)
    const token = TOKENS[chance.below(TOKENS.length)] ?? Buffer.alloc(0)
    return [bytes.subarray(0, from), token, bytes.subarray(chance.of([from, to]))]
  },
  function moves(bytes, chance) {
    const [from, to] = sliceOf(bytes, chance)
    const at = chance.below(bytes.length + 1)
    return [bytes.subarray(0, at), bytes.subarray(from, to), bytes.subarray(at)]
  },
  function splices(bytes, chance, other) {
    const [from, to] = sliceOf(other, chance)
    const at = chance.below(bytes.length + 1)
    return [
      bytes.subarray(0, at),
      other.subarray(from, to),
      bytes.subarray(chance.of([at, Math.min(bytes.length, at + to - from)])),
    ]
  },
  (bytes, chance) => [bytes.subarray(0, chance.below(bytes.length + 1))],
]

export function mutated(bytes: Uint8Array, other: Uint8Array, chance: Chance, maxBytes: number): Uint8Array {
  let result = bytes
  for (let left = 1 + chance.below(4); left > 0; left--)
    result = Buffer.concat(chance.of(MUTATIONS)(result, chance, other)).subarray(0, maxBytes)
  return Uint8Array.from(result)
}
