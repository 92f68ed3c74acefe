import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import {
  decodeSsdp,
  encodeNotify,
  encodeSearch,
  encodeSearchReply,
  MAX_SSDP_DATAGRAM_BYTES,
  MAX_SSDP_LINE_LENGTH,
  MAX_SSDP_LINES,
  mayBeSearchReply,
  type SearchReply,
  type SsdpMessage,
} from '../../src/wire/ssdp.ts'
import { mutations, randomBytes, randomFrom, thrownBy, truncations } from '../support/random.ts'

const IGD = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1'

const MESSAGES: readonly (readonly [name: string, value: SsdpMessage, text: string])[] = [
  [
    'a multicast search',
    { kind: 'search', HOST: '239.255.255.250:1900', MX: 2, ST: IGD },
    `M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 2\r\nST: ${IGD}\r\n\r\n`,
  ],
  [
    'a search without MX',
    { kind: 'search', HOST: '192.168.1.1:1900', MX: undefined, ST: 'ssdp:all' },
    'M-SEARCH * HTTP/1.1\r\nHOST: 192.168.1.1:1900\r\nMAN: "ssdp:discover"\r\nST: ssdp:all\r\n\r\n',
  ],
  [
    'a search reply',
    {
      kind: 'reply',
      ST: IGD,
      USN: `uuid:1::${IGD}`,
      LOCATION: 'http://192.168.1.1:5000/rootDesc.xml',
      SERVER: 'OpenWRT/1 UPnP/1.1 MiniUPnPd/2.3.3',
      maxAge: 120,
      BOOTID: '7',
    },
    `HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nEXT: \r\nLOCATION: http://192.168.1.1:5000/rootDesc.xml\r\nSERVER: OpenWRT/1 UPnP/1.1 MiniUPnPd/2.3.3\r\nST: ${IGD}\r\nUSN: uuid:1::${IGD}\r\nBOOTID.UPNP.ORG: 7\r\n\r\n`,
  ],
  [
    'a search reply without BOOTID (UDA 1.0)',
    {
      kind: 'reply',
      ST: 'upnp:rootdevice',
      USN: '',
      LOCATION: 'http://10.0.0.1/d',
      SERVER: '',
      maxAge: 1800,
      BOOTID: undefined,
    },
    'HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT: \r\nLOCATION: http://10.0.0.1/d\r\nSERVER: \r\nST: upnp:rootdevice\r\nUSN: \r\n\r\n',
  ],
  [
    'an ssdp:alive',
    {
      kind: 'notify',
      NT: IGD,
      NTS: 'ssdp:alive',
      USN: `uuid:1::${IGD}`,
      LOCATION: 'http://192.168.1.1:5000/rootDesc.xml',
      SERVER: 'x UPnP/1.1 y',
      maxAge: 60,
      BOOTID: '7de82dce',
    },
    `NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=60\r\nLOCATION: http://192.168.1.1:5000/rootDesc.xml\r\nNT: ${IGD}\r\nNTS: ssdp:alive\r\nSERVER: x UPnP/1.1 y\r\nUSN: uuid:1::${IGD}\r\nBOOTID.UPNP.ORG: 7de82dce\r\n\r\n`,
  ],
  [
    'an ssdp:byebye',
    {
      kind: 'notify',
      NT: IGD,
      NTS: 'ssdp:byebye',
      USN: 'uuid:1',
      LOCATION: '',
      SERVER: '',
      maxAge: undefined,
      BOOTID: undefined,
    },
    `NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: ${IGD}\r\nNTS: ssdp:byebye\r\nUSN: uuid:1\r\n\r\n`,
  ],
]

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

function encode(message: SsdpMessage): Uint8Array {
  switch (message.kind) {
    case 'search':
      return encodeSearch(message)
    case 'reply':
      return encodeSearchReply(message)
    case 'notify':
      return encodeNotify(message)
  }
}

describe('SSDP', () => {
  it.each(MESSAGES)('writes %s', (_name, value, text) => {
    expect(Buffer.from(encode(value)).toString()).toBe(text)
  })

  it.each(MESSAGES)('reads %s', (_name, value, text) => {
    expect(decodeSsdp(bytes(text))).toEqual(value)
  })

  it.each(MESSAGES)('reads every beginning of %s, or reports it as malformed', (_name, value, text) => {
    for (const part of truncations(bytes(text))) {
      const error = thrownBy(() => expect(decodeSsdp(part).kind).toBe(value.kind))
      if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
    }
  })

  it.each(MESSAGES)('throws nothing but MalformedMessageError if one byte of %s is wrong', (_name, _value, text) => {
    const random = randomFrom(1900)
    for (let round = 0; round < 10; round++) {
      for (const spoilt of mutations(bytes(text), random)) {
        const error = thrownBy(() => decodeSsdp(spoilt))
        if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
      }
    }
  })

  it('throws MalformedMessageError for random bytes (Q27)', () => {
    const random = randomFrom(27)
    for (let round = 0; round < 2000; round++) {
      const noise = randomBytes(random, Math.floor(random() * 600))
      expect(thrownBy(() => decodeSsdp(noise))).toBeInstanceOf(MalformedMessageError)
    }
  })

  it('throws nothing but MalformedMessageError for random bytes after a good first line', () => {
    const random = randomFrom(28)
    for (const start of ['HTTP/1.1 200 OK\r\n', 'NOTIFY * HTTP/1.1\r\n', 'M-SEARCH * HTTP/1.1\r\n']) {
      for (let round = 0; round < 500; round++) {
        const noise = Buffer.concat([bytes(start), randomBytes(random, Math.floor(random() * 600))])
        expect(thrownBy(() => decodeSsdp(noise))).toBeInstanceOf(MalformedMessageError)
      }
    }
  })
})

function reply(...headers: string[]): SearchReply {
  const message = decodeSsdp(bytes(['HTTP/1.1 200 OK', ...headers, '', ''].join('\r\n')))
  if (message.kind !== 'reply') throw new Error('not a reply')
  return message
}

const GOOD = [`ST: ${IGD}`, 'LOCATION: http://192.168.1.1/d']

describe('a search reply', () => {
  it.each(['Location', 'LOCATION', 'location', 'lOCATION'])('may spell its header %s (Q13)', (name) => {
    expect(reply('st: x', `${name}: http://a/`).LOCATION).toBe('http://a/')
  })

  it.each(['LOCATION:http://a/', 'LOCATION:   http://a/   ', 'LOCATION:\thttp://a/\t', 'LOCATION : http://a/'])(
    'may have any blanks about its values (Q14): %j',
    (line) => {
      expect(reply('ST:x', line)).toMatchObject({ ST: 'x', LOCATION: 'http://a/' })
    },
  )

  it.each(['\n', '\r\n', '\r'])('may end its lines with %j (Q15)', (end) => {
    const text = ['HTTP/1.1 200 OK', ...GOOD, 'USN: u', '', ''].join(end)
    expect(decodeSsdp(bytes(text))).toMatchObject({ kind: 'reply', ST: IGD, USN: 'u' })
  })

  it('may lack the blank line, and the end of its last line (Q16)', () => {
    expect(decodeSsdp(bytes(['HTTP/1.1 200 OK', ...GOOD].join('\r\n')))).toMatchObject({
      ST: IGD,
      LOCATION: 'http://192.168.1.1/d',
    })
    expect(decodeSsdp(bytes(['HTTP/1.1 200 OK', ...GOOD, ''].join('\r\n')))).toMatchObject({ ST: IGD })
  })

  it.each([
    ['max-age=1800', 1800],
    ['max-age = 3600', 3600],
    ['MAX-AGE=100', 100],
    ['max-age="120"', 120],
    ['no-cache, max-age=40000', 40000],
    ['max-age=4294967296', 4294967296],
    ['max-age=-1', undefined],
    ['max-age=', undefined],
    ['no-cache', undefined],
    ['', undefined],
  ])('says CACHE-CONTROL: %s, which is %s s (Q17)', (value, seconds) => {
    expect(reply(...GOOD, `CACHE-CONTROL: ${value}`).maxAge).toBe(seconds)
  })

  it('may lack SERVER, USN and CACHE-CONTROL (Q18)', () => {
    expect(reply(...GOOD)).toEqual({
      kind: 'reply',
      ST: IGD,
      LOCATION: 'http://192.168.1.1/d',
      USN: '',
      SERVER: '',
      maxAge: undefined,
      BOOTID: undefined,
    })
  })

  it.each(['*', '192.168.1.1:80/d.xml'])(
    'keeps a LOCATION of %s as it is: whether to use it is not decided here (Q19)',
    (value) => {
      expect(reply(`ST: x`, `LOCATION: ${value}`).LOCATION).toBe(value)
    },
  )

  it.each(['LOCATION:', 'LOCATION:   ', 'X: y'])('is malformed without a LOCATION, as in %j (Q20)', (line) => {
    expect(() => reply('ST: x', line)).toThrow(MalformedMessageError)
  })

  it('is malformed without ST', () => {
    expect(() => reply('LOCATION: http://a/', 'NT: x')).toThrow(MalformedMessageError)
  })

  it.each(['1', '1718712345', 'uuid:7de82dce-4c3b', 'x'])('may have the BOOTID %s (Q40)', (value) => {
    expect(reply(...GOOD, `BOOTID.UPNP.ORG: ${value}`).BOOTID).toBe(value)
  })

  it('is written with the usual time, if it has none', () => {
    const reply = { ST: 'a', USN: '', LOCATION: 'http://a/', SERVER: '', maxAge: undefined, BOOTID: undefined }
    expect(decodeSsdp(encodeSearchReply(reply))).toEqual({ kind: 'reply', ...reply, maxAge: 1800 })
  })

  it('uses the first of several headers with one name', () => {
    expect(reply(...GOOD, 'LOCATION: http://evil/').LOCATION).toBe('http://192.168.1.1/d')
  })

  it('ends at the blank line', () => {
    expect(() => reply('ST: x', '', 'LOCATION: http://a/')).toThrow(MalformedMessageError)
  })

  it('ignores lines that are not headers', () => {
    expect(reply('nonsense', ': empty name', '\0\x01\xff', ...GOOD).ST).toBe(IGD)
  })

  it.each(['__proto__', 'constructor', 'toString'])('may have a header called %s, which means nothing', (name) => {
    expect(reply(`${name}: x`, ...GOOD).ST).toBe(IGD)
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  it.each(['HTTP/1.1 404 Not Found', 'HTTP/1.1 2000 OK', 'HTTP/2 200', 'xHTTP/1.1 200 OK', '200 OK', ''])(
    'is malformed if its first line is %j',
    (line) => {
      expect(() => decodeSsdp(bytes([line, ...GOOD, '', ''].join('\r\n')))).toThrow(MalformedMessageError)
    },
  )

  it.each(['HTTP/1.0 200 OK', 'HTTP/1.1 200', 'http/1.1  200 ok'])('may begin with %j', (line) => {
    expect(decodeSsdp(bytes([line, ...GOOD, '', ''].join('\r\n'))).kind).toBe('reply')
  })
})

describe('what may be a search reply', () => {
  it.each([
    ['HTTP/1.1 200 OK', true],
    ['http/1.1 200 ok', true],
    ['NOTIFY * HTTP/1.1', false],
    ['', false],
    ['H'.padEnd(MAX_SSDP_DATAGRAM_BYTES + 1), false],
  ])('%.20j: %j', (text, expected) => expect(mayBeSearchReply(bytes(text))).toBe(expected))
})

describe('the bounds of an SSDP datagram', () => {
  const padded = (length: number): Uint8Array => {
    const head = ['HTTP/1.1 200 OK', ...GOOD, ''].join('\r\n')
    return bytes(head + '\n'.repeat(length - head.length))
  }

  it('are its size', () => {
    expect(decodeSsdp(padded(MAX_SSDP_DATAGRAM_BYTES)).kind).toBe('reply')
    expect(() => decodeSsdp(padded(MAX_SSDP_DATAGRAM_BYTES + 1))).toThrow(MalformedMessageError)
  })

  it('are the number of its lines, the first included', () => {
    const fill = (count: number): string[] => Array.from({ length: count }, (_, at) => `X-${at}: y`)
    expect(reply(...fill(MAX_SSDP_LINES - 1 - GOOD.length), ...GOOD).ST).toBe(IGD)
    expect(() => reply(...fill(MAX_SSDP_LINES - GOOD.length), ...GOOD)).toThrow(MalformedMessageError)
  })

  it('are the length of a line: a longer one is ignored', () => {
    const url = (length: number): string => `LOCATION: http://a/${'x'.repeat(length - 'LOCATION: http://a/'.length)}`
    expect(reply('ST: x', url(MAX_SSDP_LINE_LENGTH)).LOCATION).toMatch(/xxx$/)
    expect(() => reply('ST: x', url(MAX_SSDP_LINE_LENGTH + 1))).toThrow(MalformedMessageError)
  })
})

describe('a search', () => {
  const search = (...headers: string[]): SsdpMessage =>
    decodeSsdp(bytes(['M-SEARCH * HTTP/1.1', ...headers, '', ''].join('\r\n')))

  it.each(['ssdp:discover', '"ssdp:discover', '"ssdp:other"', ''])(
    'is malformed with MAN: %s (UDA 1.1 1.3.2)',
    (man) => {
      expect(() => search(`MAN: ${man}`, 'MX: 1', 'ST: x')).toThrow(MalformedMessageError)
    },
  )

  it.each([
    ['1', 1],
    ['0', 0],
    ['99999', 99999],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['9999999', undefined],
    ['x', undefined],
  ])('with MX: %s waits %s s', (text, MX) => {
    expect(search('MAN: "ssdp:discover"', `MX: ${text}`, 'ST: x')).toMatchObject({ MX })
  })

  it('is malformed without ST', () => {
    expect(() => search('MAN: "ssdp:discover"', 'MX: 1')).toThrow(MalformedMessageError)
  })
})

describe('a notification', () => {
  it('of older devices has its address in AL', () => {
    const text = 'NOTIFY * HTTP/1.1\r\nNT: x\r\nNTS: ssdp:alive\r\nAL: http://a/\r\n\r\n'
    expect(decodeSsdp(bytes(text))).toMatchObject({ kind: 'notify', LOCATION: 'http://a/' })
  })

  it.each(['NT', 'NTS'])('is malformed without %s', (name) => {
    const lines = ['NOTIFY * HTTP/1.1', 'NT: x', 'NTS: ssdp:alive', 'LOCATION: http://a/'].filter(
      (line) => !line.startsWith(`${name}:`),
    )
    expect(() => decodeSsdp(bytes(lines.join('\r\n')))).toThrow(MalformedMessageError)
  })
})
