/**
 * Everything that reads bytes from elsewhere, in one table: for the fuzzer, for the count of steps, and for what was
 * found before (test/fixtures/corpus).
 */
import { deepStrictEqual } from 'node:assert'
import { cleaned } from '../../src/cli/print/clean.ts'
import { trustedUrl } from '../../src/client/trusted-url.ts'
import { MalformedMessageError, unlessMalformed } from '../../src/domain/errors.ts'
import { HeadReader, MAX_HEAD_BYTES } from '../../src/net/http/head.ts'
import { ChunkedBody } from '../../src/net/http/lean-exchange.ts'
import { parseNetstatOfBsd, parseNetstatOfWindows, parseProcNet } from '../../src/net/tables/listeners.ts'
import { hardwareAddressIn } from '../../src/net/tables/neighbours.ts'
import {
  parseNetstat,
  parseNetstatIPv6,
  parseProcNetIPv6Route,
  parseProcNetRoute,
  parseRoutePrint,
  parseRoutePrintIPv6,
} from '../../src/net/tables/routes.ts'
import { decodeDescription, encodeDescription } from '../../src/wire/description.ts'
import { decodeCallback, decodeEventHead, decodePropertySet, decodeSubscription } from '../../src/wire/gena.ts'
import {
  decodeMiniSsdpdReply,
  decodeMiniSsdpdRequest,
  decodeMiniSsdpdVersion,
  encodeMiniSsdpdReply,
  encodeMiniSsdpdRequest,
  encodeMiniSsdpdVersion,
  MAX_MINISSDPD_REPLY_BYTES,
} from '../../src/wire/minissdpd.ts'
import {
  decodeNatPmpRequest,
  decodeNatPmpResponse,
  encodeNatPmpRequest,
  encodeNatPmpResponse,
} from '../../src/wire/natpmp.ts'
import {
  decodePcpRequest,
  decodePcpResponse,
  encodePcpRequest,
  encodePcpResponse,
  MAX_PCP_BYTES,
} from '../../src/wire/pcp.ts'
import { decodePortListing, encodePortListing } from '../../src/wire/port-listing.ts'
import {
  decodePlainResponse,
  decodeSoapReply,
  decodeSoapRequest,
  encodeSoapFault,
  encodeSoapRequest,
  encodeSoapResponse,
  leadingNumber,
  parseSoapReply,
} from '../../src/wire/soap.ts'
import {
  decodeSsdp,
  encodeNotify,
  encodeSearch,
  encodeSearchReply,
  MAX_SSDP_DATAGRAM_BYTES,
} from '../../src/wire/ssdp.ts'
import { decodeText, decodeXml, encodeXml, endsWithRoot } from '../../src/wire/xml.ts'

export interface Decoder {
  readonly name: string
  /** The most that gets to it, or more. */
  readonly maxBytes: number
  readonly isText: boolean
  /** Good messages, from which the bad ones are made. */
  readonly seeds: readonly Uint8Array[]
  /** @throws MalformedMessageError, and nothing else */
  decode(bytes: Uint8Array): unknown
  /** Reads it, and what it was read as once more. @throws whatever it should not do */
  check(bytes: Uint8Array): void
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

interface Row<T> {
  readonly maxBytes: number
  readonly seeds: readonly (string | Uint8Array)[]
  readonly decode: (bytes: Uint8Array) => T
  /** Undefined if there is nothing to write, or more than one message may hold. */
  readonly encode?: (value: T) => string | Uint8Array | undefined
}

function decoder<T>(name: string, { maxBytes, seeds, decode, encode = () => undefined }: Row<T>): Decoder {
  const again = (value: T): T | undefined => {
    const written = encode(value)
    return written === undefined ? undefined : decode(typeof written === 'string' ? utf8(written) : written)
  }
  return {
    name,
    maxBytes,
    decode,
    isText: seeds.every((seed) => typeof seed === 'string'),
    seeds: seeds.map((seed) => (typeof seed === 'string' ? utf8(seed) : seed)),
    check(bytes) {
      const value = unlessMalformed(() => decode(bytes))
      const second = value === undefined ? undefined : again(value)
      if (second !== undefined) deepStrictEqual(again(second), second)
    },
  }
}

const MAX_FILE_BYTES = 64 * 1024
const MAX_XML_BYTES = 512 * 1024
const WANIP = 'urn:schemas-upnp-org:service:WANIPConnection:1'
const ACTION = 'GetStatusInfo'
const REPLY = encodeSoapResponse({
  serviceType: WANIP,
  action: ACTION,
  arguments: [
    ['NewConnectionStatus', 'Connected & <up>'],
    ['NewLastConnectionError', ''],
    ['NewUptime', '77'],
  ],
})
const SOAP_SEEDS = [
  REPLY,
  REPLY.replace('>77<', '><![CDATA[77]]><').replace('<NewUptime', '<!-- x --><NewUptime a="b" c=\'d\''),
  encodeSoapFault(718, 'ConflictInMappingEntry'),
]
const DESCRIPTION = encodeDescription({
  URLBase: 'http://192.168.1.1:5000/',
  device: {
    deviceType: 'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
    friendlyName: 'a & b',
    manufacturer: 'm',
    modelName: 'n',
    modelNumber: '1',
    UDN: 'uuid:1',
    presentationURL: '/',
    serviceList: [{ serviceType: WANIP, serviceId: 'i', SCPDURL: '/s', controlURL: '/c', eventSubURL: '/e' }],
    deviceList: [],
  },
})

/** Header lines -> a map, as the HTTP server gives them. */
function headersOf(bytes: Uint8Array): ReadonlyMap<string, string> {
  const lines = latin1(bytes).split('\r\n')
  return new Map(lines.map((line) => [line.split(':', 1)[0]?.toLowerCase() ?? '', line.slice(line.indexOf(':') + 1)]))
}

/** The readers of HTTP throw plain errors, which end the exchange. */
function refused<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error && error.constructor === Error)
      throw new MalformedMessageError('HTTP', '', { cause: error })
    throw error
  }
}

/** In pieces whose length the first byte tells, as a connection may deliver them. */
function* piecesOf(bytes: Uint8Array): Generator<Buffer> {
  const size = 1 + ((bytes[0] ?? 0) % 64)
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size))
}

export const DECODERS: readonly Decoder[] = [
  decoder('ssdp', {
    maxBytes: MAX_SSDP_DATAGRAM_BYTES,
    seeds: [
      latin1(encodeSearch({ HOST: '239.255.255.250:1900', MX: 2, ST: 'ssdp:all' })),
      'HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age = "120"\r\nLOCATION: http://192.168.1.1/d\r\nSERVER: s\r\nST: t\r\nUSN: u\r\nBOOTID.UPNP.ORG: 1\r\n\r\n',
      'NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nAL: http://192.168.1.1/d\r\nNT: t\r\nNTS: ssdp:alive\r\n\r\n',
    ],
    decode: (bytes) => decodeSsdp(bytes),
    encode(message) {
      const texts = Object.values(message).map(String)
      // Latin-1 is read and UTF-8 is written. A line gets a blank, and is not read if it is too long then.
      if (texts.some((text) => text.length > 1000 || /[^\0-\x7f]/.test(text))) return undefined
      if (message.kind === 'search') return encodeSearch(message)
      return message.kind === 'reply' ? encodeSearchReply(message) : encodeNotify(message)
    },
  }),
  decoder('soap-reply', {
    maxBytes: MAX_XML_BYTES,
    seeds: SOAP_SEEDS,
    decode: (bytes) => decodeSoapReply(bytes, ACTION),
    encode: (reply) =>
      reply.kind === 'fault'
        ? encodeSoapFault(reply.errorCode, reply.errorDescription)
        : encodeSoapResponse({ serviceType: WANIP, action: ACTION, arguments: [...reply.arguments] }),
  }),
  decoder('soap-reply-parsed', {
    maxBytes: MAX_XML_BYTES,
    seeds: SOAP_SEEDS,
    decode: (bytes) => parseSoapReply(bytes, ACTION),
  }),
  decoder('soap-reply-plain', {
    maxBytes: MAX_XML_BYTES,
    seeds: SOAP_SEEDS,
    decode: (bytes) => [decodePlainResponse(latin1(bytes), ACTION), leadingNumber(latin1(bytes))],
  }),
  decoder('soap-request', {
    maxBytes: MAX_FILE_BYTES,
    seeds: [
      encodeSoapRequest({ serviceType: WANIP, action: 'DeletePortMapping', arguments: [['NewExternalPort', '1']] }),
    ],
    decode: (bytes) => decodeSoapRequest(bytes, `"${WANIP}#DeletePortMapping"`),
    encode: (request) => encodeSoapRequest(request),
  }),
  decoder('soap-action', {
    maxBytes: MAX_HEAD_BYTES,
    seeds: [`"${WANIP}#DeletePortMapping"`],
    decode: (bytes) => decodeSoapRequest(utf8('<Envelope><Body><x/></Body></Envelope>'), latin1(bytes)),
  }),
  decoder('xml', {
    maxBytes: MAX_XML_BYTES,
    seeds: [
      '<?xml version="1.0"?>\r\n<a:b xmlns:a="c"><d e=\'f\'>1 &lt; &#x41;&#66;</d><!-- g --><![CDATA[<h>]]><i/></a:b>\0',
    ],
    decode: (bytes) => ({ ...decodeXml(bytes), isWhole: endsWithRoot(bytes) }),
    encode: ({ root }) => encodeXml(root),
  }),
  decoder('description', {
    maxBytes: MAX_XML_BYTES,
    seeds: [DESCRIPTION, DESCRIPTION.replace('</device>', `<deviceList>${DESCRIPTION}</deviceList></device>`)],
    decode: (bytes) => decodeDescription(bytes),
    // Each device gets a list around it, and a document has a largest depth.
    encode: (description) =>
      JSON.stringify(description).includes('"deviceList":[{"') ? undefined : encodeDescription(description),
  }),
  decoder('port-listing', {
    maxBytes: 1024 * 1024,
    seeds: [
      encodePortListing([
        {
          NewRemoteHost: '',
          NewExternalPort: '22',
          NewProtocol: 'TCP',
          NewInternalPort: '22',
          NewInternalClient: '192.168.1.2',
          NewEnabled: '1',
          NewDescription: 'a & b',
          NewLeaseTime: '0',
        },
      ]),
    ],
    decode: (bytes) => decodePortListing(decodeText(bytes)),
    encode: (entries) => encodePortListing(entries),
  }),
  decoder('gena-event', {
    maxBytes: MAX_FILE_BYTES,
    seeds: [
      '<e:propertyset xmlns:e="urn:schemas-upnp-org:event-1-0"><e:property><A>1</A></e:property><e:property><B/></e:property></e:propertyset>',
    ],
    decode: (bytes) => decodePropertySet(bytes),
  }),
  decoder('gena-heads', {
    maxBytes: MAX_HEAD_BYTES,
    seeds: [
      'SID: uuid:1\r\nTIMEOUT: Second-1800\r\nNT: upnp:event\r\nNTS: upnp:propchange\r\nSEQ: 7',
      'SID: a\r\nTIMEOUT: infinite',
    ],
    decode: (bytes) => [decodeSubscription(headersOf(bytes)), unlessMalformed(() => decodeEventHead(headersOf(bytes)))],
  }),
  decoder('gena-callback', {
    maxBytes: MAX_HEAD_BYTES,
    seeds: ['CALLBACK: <http://192.168.1.10:40000/x>\r\nNT: upnp:event', 'CALLBACK: <http://[::1]/> <b>\r\nNT: x'],
    decode: (bytes) => decodeCallback(headersOf(bytes)),
  }),
  decoder('pcp-request', {
    maxBytes: MAX_PCP_BYTES,
    seeds: [
      hex('0200000000000000 00000000000000000000ffffc0a80102'),
      hex(
        `0201000000000e10 00000000000000000000ffffc0a80102 ${'ab'.repeat(12)} 06000000 00160016 00000000000000000000ffff00000000 02000000`,
      ),
      hex(
        `0202000000000e10 00000000000000000000ffffc0a80102 ${'ab'.repeat(12)} 06000000 00160016 ${'00'.repeat(16)} 00500000 ${'20'.repeat(16)} 01000010 ${'30'.repeat(16)} 03000014 00600050 ${'00'.repeat(16)} 80000003 01020300`,
      ),
    ],
    decode: (bytes) => decodePcpRequest(bytes),
    encode: (request) => (request.kind === 'bad-request' ? undefined : encodePcpRequest(request)),
  }),
  decoder('pcp-response', {
    maxBytes: MAX_PCP_BYTES,
    seeds: [
      hex(`0280000000000000 00000007 ${'00'.repeat(12)}`),
      hex(
        `0281000000000e10 00000007 ${'00'.repeat(12)} ${'ab'.repeat(12)} 06000000 00160016 00000000000000000000ffffcb007101 02000000`,
      ),
      hex(
        `0282000000000e10 00000007 ${'00'.repeat(12)} ${'ab'.repeat(12)} 06000000 00160016 ${'20'.repeat(16)} 00500000 ${'20'.repeat(16)}`,
      ),
      hex(`02ff000400000000 00000007 ${'00'.repeat(12)}`),
      hex('0081000100000000'),
    ],
    decode: (bytes) => decodePcpResponse(bytes),
    encode: (response) => (response.kind === 'other-version-response' ? undefined : encodePcpResponse(response)),
  }),
  decoder('natpmp-request', {
    maxBytes: MAX_PCP_BYTES,
    seeds: [hex('0000'), hex('000100000016001600000e10'), hex('000200000016001600000000')],
    decode: (bytes) => decodeNatPmpRequest(bytes),
    encode: (request) => (request.kind === 'unsupported-request' ? undefined : encodeNatPmpRequest(request)),
  }),
  decoder('natpmp-response', {
    maxBytes: MAX_PCP_BYTES,
    seeds: [
      hex('0080000000000007cb007101'),
      hex('00810000000000070016001600000e10'),
      hex('0082000200000007'),
      hex('0000000100000000'),
    ],
    decode: (bytes) => decodeNatPmpResponse(bytes),
    encode: (response) => encodeNatPmpResponse(response),
  }),
  decoder('minissdpd-reply', {
    maxBytes: MAX_MINISSDPD_REPLY_BYTES,
    seeds: [
      encodeMiniSsdpdReply([
        { LOCATION: 'http://192.168.1.1/d', ST: 'upnp:rootdevice', USN: 'u' },
        { LOCATION: 'l'.repeat(200), ST: '', USN: '' },
      ]),
    ],
    decode: (bytes) => decodeMiniSsdpdReply(bytes).devices,
    // What is no UTF-8 is three bytes each when it is written, and a text has a largest length.
    encode: (devices) =>
      devices.some((each) => Object.values(each).join().length > 600) ? undefined : encodeMiniSsdpdReply(devices),
  }),
  decoder('minissdpd-request', {
    maxBytes: 2048,
    seeds: [
      encodeMiniSsdpdRequest({ kind: 'type', ST: 'upnp:rootdevice' }),
      encodeMiniSsdpdRequest({ kind: 'all' }),
      hex('0000'),
    ],
    decode: (bytes) => [decodeMiniSsdpdRequest(bytes)],
    encode: ([request]) =>
      request === undefined || (request.kind === 'type' && request.ST.length > 600)
        ? undefined
        : encodeMiniSsdpdRequest(request),
  }),
  decoder('minissdpd-version', {
    maxBytes: 2048,
    seeds: [encodeMiniSsdpdVersion('1.6.0')],
    decode: (bytes) => decodeMiniSsdpdVersion(bytes) ?? '',
    encode: (version) => (version.length > 600 ? undefined : encodeMiniSsdpdVersion(version)),
  }),
  decoder('http-head', {
    maxBytes: MAX_HEAD_BYTES + 64,
    seeds: [
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nServer: x\r\n\r\nabc',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 no\nTransfer-Encoding: gzip, chunked\n\n',
    ],
    decode: (bytes) =>
      refused(() => {
        const reader = new HeadReader()
        for (const piece of piecesOf(bytes)) {
          const read = reader.read(piece)
          if (read !== undefined) return { ...read.head }
        }
        return undefined
      }),
  }),
  decoder('http-chunks', {
    maxBytes: 128 * 1024,
    seeds: ['4;ext=1\r\nabcd\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n', `${'1\r\na\r\n'.repeat(20)}0\n\n`],
    decode: (bytes) =>
      refused(() => {
        const body = new ChunkedBody()
        return [...piecesOf(bytes)].reduce((size, piece) => size + body.decode(piece).length, 0)
      }),
  }),
  decoder('url', {
    maxBytes: MAX_FILE_BYTES,
    seeds: [
      'http://192.168.1.1:5000/d.xml?a#b',
      '/control',
      'http://[fe80::1%25eth0]:80/',
      '//user:a@192.168.1.1/../x',
      'http://0xc0.0250.257/',
    ],
    decode(bytes) {
      const url = trustedUrl(latin1(bytes), 'http://192.168.1.1:5000/', { hosts: ['192.168.1.1'] })
      if (url !== undefined) deepStrictEqual([url.protocol, url.hostname, url.username], ['http:', '192.168.1.1', ''])
      return url?.href
    },
  }),
  decoder('text', {
    maxBytes: MAX_FILE_BYTES,
    seeds: ['a \u001b[2J\u202e\u{e0041}é\r\n'],
    decode(bytes) {
      const text = cleaned(new TextDecoder().decode(bytes))
      deepStrictEqual(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.exec(text), null)
      return text
    },
  }),
  decoder('routes', {
    maxBytes: 8 * 1024,
    seeds: [
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n',
      `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0\n`,
      'default            192.168.1.1        UGScg                 en0\ndefault   fe80::1%en0  UGcg  en0\n',
      '          0.0.0.0          0.0.0.0      192.168.1.1     192.168.1.50     25\r\n',
      ' 12    281 ::/0                     fe80::1\r\n=====\r\n  0    281 ::/0\r\n          fe80::2\r\n',
    ],
    decode: (bytes) =>
      [
        parseProcNetRoute,
        parseProcNetIPv6Route,
        parseNetstat,
        parseNetstatIPv6,
        parseRoutePrint,
        parseRoutePrintIPv6,
      ].map((parse) => parse(latin1(bytes))),
  }),
  decoder('listeners', {
    maxBytes: 8 * 1024,
    seeds: [
      '  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n',
      `  sl  local_address\n   0: ${'0'.repeat(32)}:63DD ${'0'.repeat(32)}:0000 07 00000000:00000000\n`,
      'tcp46      0      0  *.25565                *.*                    LISTEN\nudp6  0  0  fe80::1%lo0.5353  *.*\n',
      '  TCP    [::1]:49669            [::]:0                 LISTENING\r\n  UDP    0.0.0.0:5353           *:*\r\n',
    ],
    decode: (bytes) => {
      const text = latin1(bytes)
      return [parseProcNet(text, 'TCP'), parseNetstatOfBsd(text), parseNetstatOfWindows(text)]
    },
  }),
  decoder('neighbours', {
    maxBytes: 8 * 1024,
    seeds: [
      '192.168.1.1      0x1         0x2         02:00:5e:10:00:01     *        eth0\n',
      '? (192.168.1.1) at 2:0:5e:10:0:1 on en0 ifscope [ethernet]\n  192.168.1.1   02-00-5e-10-00-01   dynamic\r\n',
    ],
    decode: (bytes) => hardwareAddressIn(latin1(bytes), '192.168.1.1'),
  }),
]
