import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import { decodePortListing, encodePortListing, type PortMappingEntry } from '../../src/wire/port-listing.ts'
import { thrownBy } from '../support/random.ts'

const WEB: PortMappingEntry = {
  NewRemoteHost: '',
  NewExternalPort: '8080',
  NewProtocol: 'TCP',
  NewInternalPort: '80',
  NewInternalClient: '192.168.1.5',
  NewEnabled: '1',
  NewDescription: 'web',
  NewLeaseTime: '0',
}
const NOTHING = Object.fromEntries(Object.keys(WEB).map((name) => [name, '']))

const HEAD =
  '<p:PortMappingList xmlns:p="urn:schemas-upnp-org:gw:WANIPConnection" ' +
  'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ' +
  'xsi:schemaLocation="urn:schemas-upnp-org:gw:WANIPConnection http://www.upnp.org/schemas/gw/WANIPConnection-v2.xsd">'
const WEB_TEXT =
  '<p:PortMappingEntry><p:NewRemoteHost></p:NewRemoteHost><p:NewExternalPort>8080</p:NewExternalPort>' +
  '<p:NewProtocol>TCP</p:NewProtocol><p:NewInternalPort>80</p:NewInternalPort>' +
  '<p:NewInternalClient>192.168.1.5</p:NewInternalClient><p:NewEnabled>1</p:NewEnabled>' +
  '<p:NewDescription>web</p:NewDescription><p:NewLeaseTime>0</p:NewLeaseTime></p:PortMappingEntry>'
const TAIL = '</p:PortMappingList>'

const ENTRIES: readonly (readonly [string, readonly PortMappingEntry[], string])[] = [
  ['no entry', [], HEAD + TAIL],
  ['one entry', [WEB], HEAD + WEB_TEXT + TAIL],
  [
    'two entries, in their order',
    [{ ...WEB, NewProtocol: 'UDP' }, WEB],
    HEAD + WEB_TEXT.replace('TCP', 'UDP') + WEB_TEXT + TAIL,
  ],
  [
    'texts that XML escapes',
    [{ ...WEB, NewDescription: `<a> & "b" 'c' ]]>`, NewRemoteHost: '1.2.3.4' }],
    HEAD + WEB_TEXT.replace('web', `&lt;a&gt; &amp; "b" 'c' ]]&gt;`).replace('Host></', 'Host>1.2.3.4</') + TAIL,
  ],
  [
    'a text that looks escaped already',
    [{ ...WEB, NewDescription: '&lt;&#65;' }],
    HEAD + WEB_TEXT.replace('web', '&amp;lt;&amp;#65;') + TAIL,
  ],
]

function complaintOf(listing: string): unknown {
  return thrownBy(() => decodePortListing(listing))
}

describe('a port listing', () => {
  it.each(ENTRIES)('is written with the names and the order of the schema: %s', (_, entries, text) => {
    expect(encodePortListing(entries)).toBe(text)
  })

  it.each(ENTRIES)('is read: %s', (_, entries, text) => {
    expect(decodePortListing(text)).toEqual(entries)
  })

  it.each([
    ['without a prefix', (text: string) => text.replaceAll('p:', '')],
    ['with another prefix', (text: string) => text.replaceAll('p:', 'gw2:')],
    ['with a declaration and blanks around it', (text: string) => `\n <?xml version="1.0"?>\n${text}\n`],
    ['indented', (text: string) => text.replaceAll('><p:', '>\n  <p:')],
    ['in the element that carries it', (text: string) => `<NewPortListing>${text}</NewPortListing>`],
    ['in lower case', (text: string) => text.toLowerCase().replace('tcp', 'TCP')],
  ])('is read %s', (_, change) => {
    expect(decodePortListing(change(HEAD + WEB_TEXT + TAIL))).toEqual([WEB])
  })

  it.each([
    ['a text with a raw <', 'web', 'I <3 <b> & you', 'I <3 <b> & you'],
    ['a text without its end', 'web</p:NewDescription>', 'web', 'web'],
    ['a stray end', 'web</p:NewDescription>', 'web</p:NewDescription></p:x>', 'web'],
  ])('is read with %s', (_, text, instead, NewDescription) => {
    const listing = HEAD + WEB_TEXT.replace(text, instead) + WEB_TEXT + TAIL
    expect(decodePortListing(listing)).toEqual([{ ...WEB, NewDescription }, WEB])
  })

  it.each(['', ' \n', HEAD + TAIL, '<p:PortMappingList/>', '<?xml version="1.0"?>\n<PortMappingList xmlns="x" />'])(
    'is empty if it is %j',
    (text) => {
      expect(decodePortListing(text)).toEqual([])
    },
  )

  it('has empty texts for what is missing in an entry, and ignores unknown elements', () => {
    const entry = '<PortMappingEntry><NewProtocol>UDP</NewProtocol><X_More>1</X_More></PortMappingEntry>'
    expect(decodePortListing(`<PortMappingList>${entry}</PortMappingList>`)).toEqual([
      { ...NOTHING, NewProtocol: 'UDP' },
    ])
  })

  it('is refused wherever it is cut off', () => {
    const whole = HEAD + WEB_TEXT + TAIL
    for (let length = 1; length < whole.length; length++) {
      expect(complaintOf(whole.slice(0, length))).toBeInstanceOf(MalformedMessageError)
    }
  })

  it('holds 1000 entries, the most that are requested', () => {
    const entries = Array.from({ length: 1000 }, (_, at) => ({ ...WEB, NewExternalPort: String(at + 1) }))
    expect(decodePortListing(encodePortListing(entries))).toEqual(entries)
  })

  it.each([
    ['more entries than any router has', HEAD + WEB_TEXT.repeat(2000) + TAIL],
    ['a DTD', `<!DOCTYPE p [<!ENTITY x "y">]>${HEAD}${WEB_TEXT.replace('web', '&x;')}${TAIL}`],
    ['elements without end', `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`],
    ['text that is no XML', 'none'],
    ['a bracket', '<'],
    ['two ends', HEAD + WEB_TEXT + TAIL + TAIL + WEB_TEXT],
  ])('is refused if it is %s', (_, text) => {
    expect(complaintOf(text)).toBeInstanceOf(MalformedMessageError)
  })

  it('decodes an entity once', () => {
    const [entry] = decodePortListing(HEAD + WEB_TEXT.replace('web', '&amp;lt;b&amp;gt;') + TAIL)
    expect(entry?.NewDescription).toBe('&lt;b&gt;')
  })
})
