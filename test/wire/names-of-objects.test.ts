/** Names that every object of JavaScript has are only names, wherever a peer or a file may write them. */
import { describe, expect, it } from 'vitest'
import { UPNP_ERRORS } from '../../src/domain/upnp-errors.ts'
import { readHead } from '../../src/net/http/head.ts'
import { allServices, decodeDescription } from '../../src/wire/description.ts'
import { decodeEventHead, decodePropertySet } from '../../src/wire/gena.ts'
import { decodePortListing } from '../../src/wire/port-listing.ts'
import { decodePlainResponse, decodeSoapReply, decodeSoapRequest, parseSoapReply } from '../../src/wire/soap.ts'
import { decodeSsdp } from '../../src/wire/ssdp.ts'
import { ask } from '../emulator/asking.ts'
import { NAMES_OF_OBJECTS } from '../fuzz/xml-differential.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

describe.each(NAMES_OF_OBJECTS)('%s', (name) => {
  const element = `<${name}>x</${name}>`

  it('beside the texts of a description hides none of them', () => {
    const service = `<service>${element}<serviceType>t</serviceType><controlURL>/c</controlURL></service>`
    const text = `<root>${element}<device>${element}<UDN>u</UDN><serviceList>${element}${service}</serviceList></device></root>`
    const { device } = decodeDescription(utf8(text))
    expect(device.UDN).toBe('u')
    expect(allServices(device)).toMatchObject([{ serviceType: 't', controlURL: '/c', eventSubURL: '' }])
  })

  it('is an argument of a response like any other, to both readers', () => {
    const body = `<Envelope><Body><XResponse><A>1</A>${element}<B>2</B></XResponse></Body></Envelope>`
    const read = new Map([
      ['a', '1'],
      [name.toLowerCase(), 'x'],
      ['b', '2'],
    ])
    expect(parseSoapReply(utf8(body), 'X')).toEqual({ kind: 'response', arguments: read })
    expect(decodeSoapReply(utf8(body), 'X')).toEqual({ kind: 'response', arguments: read })
    if (!name.startsWith('_')) expect(decodePlainResponse(body, 'X')).toEqual(read)
  })

  it('is an argument of a request like any other', () => {
    const body = `<Envelope><Body><X><A>1</A>${element}</X></Body></Envelope>`
    expect(decodeSoapRequest(utf8(body), '"s#X"').arguments).toEqual([
      ['A', '1'],
      [name, 'x'],
    ])
  })

  it('is no action of a gateway', () => {
    expect(ask({ action: name })).toBe(UPNP_ERRORS.InvalidAction)
  })

  it('is an evented variable like any other', () => {
    const text = `<propertyset><property>${element}</property><property><A>1</A></property></propertyset>`
    expect([...decodePropertySet(utf8(text))]).toEqual([
      [name, 'x'],
      ['A', '1'],
    ])
  })

  it('in a listing hides no entry', () => {
    const entry = `<PortMappingEntry>${element}<NewExternalPort>22</NewExternalPort></PortMappingEntry>`
    expect(decodePortListing(`<PortMappingList>${entry}${element}${entry}</PortMappingList>`)).toMatchObject([
      { NewExternalPort: '22', NewProtocol: '' },
      { NewExternalPort: '22', NewProtocol: '' },
    ])
  })

  it('is a header like any other', () => {
    const reply = `HTTP/1.1 200 OK\r\n${name}: x\r\nST: s\r\n${name}: y\r\nLOCATION: http://192.168.1.1/\r\n\r\n`
    expect(decodeSsdp(utf8(reply))).toMatchObject({ kind: 'reply', ST: 's', USN: '' })
    const { status, declaredLength } = readHead(`HTTP/1.1 200 OK\r\n${name}: x\r\nContent-Length: 5\r\n\r\n`)
    expect([status, declaredLength]).toEqual([200, 5])
    const headers = new Map([[name.toLowerCase(), 'x'], ...HEAD])
    expect(decodeEventHead(headers)).toEqual({ SID: 'uuid:1', SEQ: 0 })
  })

  it('changes no object', () => {
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(Object.keys({})).toEqual([])
  })
})

const HEAD: readonly [string, string][] = [
  ['nt', 'upnp:event'],
  ['nts', 'upnp:propchange'],
  ['sid', 'uuid:1'],
  ['seq', '0'],
]
