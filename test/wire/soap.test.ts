import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import {
  decodeSoapReply,
  decodeSoapRequest,
  encodeSoapFault,
  encodeSoapRequest,
  encodeSoapResponse,
  leadingNumber,
  type SoapReply,
  soapActionHeader,
} from '../../src/wire/soap.ts'
import { mutations, randomBytes, randomFrom, thrownBy, truncations } from '../support/random.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const WANIP = 'urn:schemas-upnp-org:service:WANIPConnection:1'

const ADD = {
  serviceType: WANIP,
  action: 'AddPortMapping',
  arguments: [
    ['NewRemoteHost', ''],
    ['NewExternalPort', '8080'],
    ['NewProtocol', 'TCP'],
  ],
} as const

const ADD_TEXT =
  '<?xml version="1.0"?>\r\n' +
  '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">' +
  `<s:Body><u:AddPortMapping xmlns:u="${WANIP}">` +
  '<NewRemoteHost></NewRemoteHost><NewExternalPort>8080</NewExternalPort><NewProtocol>TCP</NewProtocol>' +
  '</u:AddPortMapping></s:Body></s:Envelope>\r\n'

const entry = (values: Readonly<Record<string, string>>): SoapReply => ({
  kind: 'response',
  arguments: new Map(Object.entries(values)),
})

const STATUS = entry({ newconnectionstatus: 'Connected', newlastconnectionerror: 'ERROR_NONE', newuptime: '12345' })
const STATUS_CONTENT =
  '<NewConnectionStatus>Connected</NewConnectionStatus><NewLastConnectionError>ERROR_NONE</NewLastConnectionError><NewUptime>12345</NewUptime>'
const STATUS_TEXT = encodeSoapResponse({
  serviceType: WANIP,
  action: 'GetStatusInfo',
  arguments: [
    ['NewConnectionStatus', 'Connected'],
    ['NewLastConnectionError', 'ERROR_NONE'],
    ['NewUptime', '12345'],
  ],
})

describe('a request', () => {
  it('is written to the byte as upnpc writes it, on one line without blanks between the tags', () => {
    expect(encodeSoapRequest(ADD)).toBe(ADD_TEXT)
  })

  it('without arguments is an empty element', () => {
    expect(encodeSoapRequest({ serviceType: WANIP, action: 'GetStatusInfo', arguments: [] })).toContain(
      `<s:Body><u:GetStatusInfo xmlns:u="${WANIP}"></u:GetStatusInfo></s:Body>`,
    )
  })

  it('names its action in a header value with quotes', () => {
    expect(soapActionHeader(ADD)).toBe(`"${WANIP}#AddPortMapping"`)
  })

  it('cannot be changed by the texts in it', () => {
    const evil = 'a</NewPortMappingDescription><NewLeaseDuration>0</NewLeaseDuration>&lt;<b>'
    const text = encodeSoapRequest({ ...ADD, arguments: [['NewPortMappingDescription', evil]] })
    expect(decodeSoapRequest(utf8(text), soapActionHeader(ADD)).arguments).toEqual([
      ['NewPortMappingDescription', evil],
    ])
  })

  it('is read back as it was written', () => {
    expect(decodeSoapRequest(utf8(ADD_TEXT), soapActionHeader(ADD))).toEqual(ADD)
  })

  it.each([`"${WANIP}#AddPortMapping"`, `${WANIP}#AddPortMapping`, ` "${WANIP}#AddPortMapping" `])(
    'is read with the SOAPAction %j',
    (header) => {
      expect(decodeSoapRequest(utf8(ADD_TEXT), header)).toEqual(ADD)
    },
  )

  it.each(['', '""', '"#"', WANIP, `"${WANIP}"`, `"${WANIP}#Add PortMapping"`, `"${WANIP}#<x>"`])(
    'is malformed with the SOAPAction %j',
    (header) => {
      expect(() => decodeSoapRequest(utf8(ADD_TEXT), header)).toThrow(MalformedMessageError)
    },
  )

  it('is malformed if header and body do not name the same action', () => {
    expect(() => decodeSoapRequest(utf8(ADD_TEXT), `"${WANIP}#DeletePortMapping"`)).toThrow(MalformedMessageError)
  })

  it('is malformed wherever it is cut off', () => {
    for (const part of truncations(utf8(ADD_TEXT.trimEnd()))) {
      expect(thrownBy(() => decodeSoapRequest(part, soapActionHeader(ADD)))).toBeInstanceOf(MalformedMessageError)
    }
  })

  it('throws nothing but MalformedMessageError if one byte is wrong', () => {
    for (const spoilt of mutations(utf8(ADD_TEXT), randomFrom(3))) {
      const error = thrownBy(() => decodeSoapRequest(spoilt, soapActionHeader(ADD)))
      if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
    }
  })
})

describe('a response', () => {
  it.each([
    ['as it should be', STATUS_TEXT],
    ['after a byte order mark', `\ufeff${STATUS_TEXT}`],
    ['after blank lines', `\r\n\r\n${STATUS_TEXT}`],
    ['before NULs', `${STATUS_TEXT}\0\0`],
    ['before a comment', `${STATUS_TEXT}<!-- 3 ms -->`],
    ['with a prefix that nobody declared (Q105)', STATUS_TEXT.replace(/ xmlns:\w="[^"]*"/g, '')],
    ['in a namespace that is the name of the action (Q106)', STATUS_TEXT.replace(WANIP, 'GetStatusInfo')],
    ['in another namespace', STATUS_TEXT.replace(WANIP, 'urn:dslforum-org:service:WANIPConnection:1')],
    [
      'with the prefixes SOAP-ENV and m (Q107)',
      STATUS_TEXT.replace(/([</])s:/g, '$1SOAP-ENV:').replace(/([</])u:/g, '$1m:'),
    ],
    ['without any prefix (Q107)', STATUS_TEXT.replace(/([</])[su]:/g, '$1')],
    ['with a line end in its tag (Q107)', STATUS_TEXT.replace('Response xmlns', 'Response\r\n  xmlns')],
    ['with line ends between its elements', STATUS_TEXT.replaceAll('><', '>\r\n  <')],
    ['with NewUpTime in Huawei’s spelling (Q145)', STATUS_TEXT.replaceAll('NewUptime', 'NewUpTime')],
    ['with comments', STATUS_TEXT.replaceAll('><', '><!-- <errorCode>1</errorCode> --><')],
    ['with CDATA', STATUS_TEXT.replace('Connected<', '<![CDATA[Connected]]><')],
    ['under another name', STATUS_TEXT.replaceAll('GetStatusInfoResponse', 'GetStatusInfoResult')],
    ['without an envelope', `<u:GetStatusInfoResponse>${STATUS_CONTENT}</u:GetStatusInfoResponse>`],
    ['with a header in the envelope', STATUS_TEXT.replace('<s:Body>', '<s:Header><x>1</x></s:Header><s:Body>')],
  ])('is read %s', (_name, text) => {
    expect(decodeSoapReply(utf8(text), 'GetStatusInfo')).toEqual(STATUS)
  })

  it('is read in Latin-1', () => {
    const text = encodeSoapResponse({
      serviceType: WANIP,
      action: 'X',
      arguments: [['NewPortMappingDescription', 'Büro']],
    })
    expect(decodeSoapReply(Buffer.from(text, 'latin1'), 'X')).toEqual(entry({ newportmappingdescription: 'Büro' }))
  })

  it('has its entities decoded once', () => {
    const text = STATUS_TEXT.replace('Connected<', '&amp;lt;&#x41;&lt;b&gt;<')
    expect(decodeSoapReply(utf8(text), 'GetStatusInfo')).toMatchObject({
      arguments: new Map([
        ...(STATUS.kind === 'response' ? STATUS.arguments : []),
        ['newconnectionstatus', '&lt;A<b>'],
      ]),
    })
  })

  it.each([
    ['I <3 you', 'I <3 you'],
    ['a <b> c', 'a <b> c'],
    ['a < b & c', 'a < b & c'],
    ['<>', '<>'],
    ['1 <2> </3> <-- <!x <?', '1 <2> </3> <-- <!x <?'],
    ['a </b', 'a </b'],
    ['<b>x</b>', '<b>x</b>'],
    ['Tom & <Jerry', 'Tom & <Jerry'],
    ['Tom &amp; <Jerry', 'Tom & <Jerry'],
  ])('with the raw text %j has it as text, and all that follows', (text, description) => {
    const [first, last] = ['<NewEnabled>1</NewEnabled>', '<NewLeaseDuration>60</NewLeaseDuration>']
    const content = `${first}<NewPortMappingDescription>${text}</NewPortMappingDescription>${last}`
    const reply = `<s:Envelope><s:Body><u:XResponse>${content}</u:XResponse></s:Body></s:Envelope>`
    expect(decodeSoapReply(utf8(reply), 'X')).toEqual(
      entry({ newenabled: '1', newportmappingdescription: description, newleaseduration: '60' }),
    )
  })

  it.each([
    ['a value', '</NewUptime>', '</NewUptme>'],
    ['a value, in another case', '</NewUptime>', '</newuptime>'],
    ['an empty value', '<NewLastConnectionError>ERROR_NONE</New', '<NewLastConnectionError></New'],
    ['no value', '</NewConnectionStatus>', ''],
    ['the response', '</u:GetStatusInfoResponse>', '</u:GetStatusInfo>'],
    ['no response', '</u:GetStatusInfoResponse>', ''],
    ['the body twice', '</s:Body>', '</s:Body></s:Body>'],
    ['nothing that was begun', '</NewUptime>', '</NewUptime></DeviceList>'],
  ])('is read with an end tag of %s', (_name, tag, instead) => {
    const reply = decodeSoapReply(utf8(STATUS_TEXT.replace(tag, instead)), 'GetStatusInfo')
    expect(reply.kind === 'response' && [...reply.arguments.values()]).toEqual([
      'Connected',
      instead.startsWith('<NewLast') ? '' : 'ERROR_NONE',
      '12345',
    ])
  })

  it.each([
    ['nothing (Q112)', ''],
    ['a line end', '\r\n'],
    ['NULs', '\0\0'],
    ['an empty response element', encodeSoapResponse({ serviceType: WANIP, action: 'AddPortMapping', arguments: [] })],
    ['a response element that closes itself', '<s:Envelope><s:Body><u:AddPortMappingResponse/></s:Body></s:Envelope>'],
  ])('without arguments is %s', (_name, text) => {
    expect(decodeSoapReply(utf8(text), 'AddPortMapping')).toEqual(entry({}))
  })

  it.each([
    ['an HTML page', '<html><body><h1>404 Not Found</h1></body></html>'],
    ['an HTML page with a document type', '<!DOCTYPE html><html><body></body></html>'],
    ['plain text', 'Not Found'],
    ['an envelope without a body', '<s:Envelope></s:Envelope>'],
    ['binary garbage', '\x01\x02\xff<\xfe>'],
  ])('is malformed if it is %s', (_name, text) => {
    expect(() => decodeSoapReply(Buffer.from(text, 'latin1'), 'AddPortMapping')).toThrow(MalformedMessageError)
  })

  it.each(['__proto__', 'constructor', 'toString'])('may have an argument called %s, or be malformed by it', (name) => {
    const text = `<s:Envelope><s:Body><u:XResponse><${name}>1</${name}><NewA>2</NewA></u:XResponse></s:Body></s:Envelope>`
    const error = thrownBy(() => {
      const reply = decodeSoapReply(utf8(text), 'X')
      expect(reply.kind === 'response' && reply.arguments.get('newa')).toBe('2')
    })
    if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
    expect(({} as Record<string, unknown>).newa).toBeUndefined()
  })

  it('cut anywhere is not a success', () => {
    const whole = utf8(STATUS_TEXT.trimEnd())
    for (const part of truncations(whole).filter(({ length }) => length > 0)) {
      expect(thrownBy(() => decodeSoapReply(part, 'GetStatusInfo'))).toBeInstanceOf(MalformedMessageError)
    }
  })

  it('with one byte wrong throws nothing but MalformedMessageError', () => {
    const random = randomFrom(4)
    for (let round = 0; round < 5; round++) {
      for (const spoilt of mutations(utf8(STATUS_TEXT), random)) {
        const error = thrownBy(() => decodeSoapReply(spoilt, 'GetStatusInfo'))
        if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
      }
    }
  })

  it('of random bytes throws nothing but MalformedMessageError', () => {
    const random = randomFrom(5)
    for (let round = 0; round < 2000; round++) {
      const error = thrownBy(() => decodeSoapReply(randomBytes(random, 1 + random() * 300), 'X'))
      if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
    }
  })
})

const FAULT_TEXT = encodeSoapFault(718, 'ConflictInMappingEntry')
const FAULT: SoapReply = { kind: 'fault', errorCode: 718, errorDescription: 'ConflictInMappingEntry' }

describe('a fault', () => {
  it('is written as in UDA 1.1 3.2.2', () => {
    expect(FAULT_TEXT).toBe(
      '<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
        's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><s:Fault><faultcode>s:Client</faultcode>' +
        '<faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0">' +
        '<errorCode>718</errorCode><errorDescription>ConflictInMappingEntry</errorDescription></UPnPError></detail>' +
        '</s:Fault></s:Body></s:Envelope>\r\n',
    )
  })

  it.each([
    ['as it should be', FAULT_TEXT],
    ['with faultCode (Q108)', FAULT_TEXT.replaceAll('faultcode', 'faultCode').replaceAll('faultstring', 'faultString')],
    [
      'with errorcode (Q108)',
      FAULT_TEXT.replaceAll('errorCode', 'errorcode').replaceAll('errorDescription', 'errordescription'),
    ],
    ['with ErrorCode', FAULT_TEXT.replaceAll('errorCode', 'ErrorCode')],
    ['with prefixes everywhere', FAULT_TEXT.replace(/<(\/?)(?=[a-zU])/g, '<$1e:').replace('e:s:', 's:')],
    ['with blanks about the number', FAULT_TEXT.replace('718', '\r\n 718 ')],
    ['without a namespace', FAULT_TEXT.replace(/ xmlns(:\w)?="[^"]*"/g, '')],
    ['with the error outside of the detail', FAULT_TEXT.replace(/<\/?detail>/g, '')],
  ])('is read %s', (_name, text) => {
    expect(decodeSoapReply(utf8(text), 'AddPortMapping')).toEqual(FAULT)
  })

  it.each([
    ['-911', -911],
    ['0', 0],
    ['899', 899],
    ['718 or so', 718],
    ['', -1],
    ['x', -1],
  ])('with the number %j has the number %d (Q111)', (text, errorCode) => {
    expect(decodeSoapReply(utf8(FAULT_TEXT.replace('718', text)), 'X')).toMatchObject({ kind: 'fault', errorCode })
  })

  it('with garbage in its text is still a fault with its number (Q109)', () => {
    const garbage = Buffer.from(
      FAULT_TEXT.replace('718', '401').replace(
        'ConflictInMappingEntry</errorDescription>',
        'Invalid Actio\xff\x00\xferrorDescription>',
      ),
      'latin1',
    )
    expect(decodeSoapReply(garbage, 'X')).toMatchObject({ kind: 'fault', errorCode: 401 })
  })

  it('that is not XML is still a fault with its number (Q109)', () => {
    expect(decodeSoapReply(utf8('<x y="<errorCode>402</errorCode>'), 'X')).toEqual({
      kind: 'fault',
      errorCode: 402,
      errorDescription: '',
    })
  })

  it('without UPnP’s detail is a fault, not a success', () => {
    const text =
      '<s:Envelope><s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>Internal</faultstring></s:Fault></s:Body></s:Envelope>'
    expect(decodeSoapReply(utf8(text), 'AddPortMapping')).toEqual({
      kind: 'fault',
      errorCode: -1,
      errorDescription: 'Internal',
    })
  })

  it('without a word is a fault too', () => {
    const text = '<s:Envelope><s:Body><s:Fault></s:Fault></s:Body></s:Envelope>'
    expect(decodeSoapReply(utf8(text), 'X')).toEqual({ kind: 'fault', errorCode: -1, errorDescription: '' })
  })

  it('cut anywhere is never a success, and never another number', () => {
    for (const text of [FAULT_TEXT, `<!DOCTYPE x>${FAULT_TEXT}`, FAULT_TEXT.replace('<s:Fault>', '<s:Fault><x y=">')]) {
      for (const part of truncations(utf8(text)).filter(({ length }) => length > 0)) {
        const error = thrownBy(() => {
          const reply = decodeSoapReply(part, 'AddPortMapping')
          expect(reply.kind === 'fault' && [718, -1].includes(reply.errorCode)).toBe(true)
        })
        if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
      }
    }
  })
})

describe('a number at the beginning of a value', () => {
  it.each([
    ['77', 77],
    [' +4294967296 bit/s', 4_294_967_296],
    ['1234567890123456789', 123_456_789_012_345],
    ['-1', undefined],
    ['x1', undefined],
    ['', undefined],
  ])('of %j is %j', (value, number) => expect(leadingNumber(value)).toBe(number))
})
