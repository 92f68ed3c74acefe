/** Descriptions with tags too few, too many or in the wrong place: a service that is itself whole is found in all of them. */
import { describe, expect, it } from 'vitest'
import { allServices, decodeDescription, encodeDescription, type Service } from '../../src/wire/description.ts'
import { randomFrom } from '../support/random.ts'

const service = (kind: string): Service => ({
  serviceType: `urn:schemas-upnp-org:service:${kind}:1`,
  serviceId: `urn:upnp-org:serviceId:${kind}1`,
  SCPDURL: `/${kind}.xml`,
  controlURL: `/ctl/${kind}`,
  eventSubURL: `/evt/${kind}`,
})

const texts = {
  manufacturer: 'ACME',
  modelName: 'M',
  modelNumber: '1',
  UDN: 'uuid:1',
  presentationURL: 'http://192.168.1.1/',
}
const device = (kind: string) => ({ ...texts, deviceType: `urn:schemas-upnp-org:device:${kind}:1`, friendlyName: 'r' })

const WANTED = service('WANIPConnection')
const DESCRIPTION = {
  URLBase: 'http://192.168.1.1:5000/',
  device: {
    ...device('InternetGatewayDevice'),
    serviceList: [service('Layer3Forwarding')],
    deviceList: [
      {
        ...device('WANDevice'),
        serviceList: [service('WANCommonInterfaceConfig')],
        deviceList: [
          {
            ...device('WANConnectionDevice'),
            serviceList: [service('WANEthernetLinkConfig'), WANTED, service('WANPPPConnection')],
            deviceList: [],
          },
        ],
      },
    ],
  },
}
const TEXT = encodeDescription(DESCRIPTION)
const [WHOLE = ''] = TEXT.match(/<service><serviceType>[^<]*WANIPConnection.*?<\/service>/) ?? []
const [BEFORE = '', AFTER = ''] = TEXT.split(WHOLE)

const servicesIn = (text: string): readonly Service[] => {
  try {
    return allServices(decodeDescription(new TextEncoder().encode(text)).device)
  } catch {
    return []
  }
}
const isFound = (text: string): boolean =>
  servicesIn(text).some((each) => JSON.stringify(each) === JSON.stringify(WANTED))

/** The service, and between the tags about it the texts, one by one. */
const PIECES = [...pieces(BEFORE), WHOLE, ...pieces(AFTER)]
const TAGS = [...PIECES.keys()].filter((at) => /^<[^?]/.test(PIECES[at] ?? '') && PIECES[at] !== WHOLE)

function pieces(text: string): string[] {
  return text.match(/<[^>]*>|[^<]+/g) ?? []
}

type Damage = (into: string[], one: number, other: number) => void
const DAMAGES: Readonly<Record<string, Damage>> = {
  remove: (into, one) => void into.splice(one, 1, ''),
  duplicate: (into, one) => void into.splice(one, 1, `${into[one]}${into[one]}`),
  swap: (into, one, other) => {
    const [first = '', second = ''] = [into[one], into[other]]
    into[one] = second
    into[other] = first
  },
  copy: (into, one, other) => void into.splice(other, 1, `${into[other]}${into[one]}`),
}

describe('a service that is whole is found', () => {
  it.each(Object.entries(DAMAGES))('in every description after: %s one tag', (name, damage) => {
    const lost: string[] = []
    let cases = 0
    for (const one of TAGS) {
      const others = TAGS.filter((_, place) => (place + one) % 8 === 0)
      for (const other of name === 'remove' || name === 'duplicate' ? [one] : others) {
        const damaged = [...PIECES]
        damage(damaged, one, other)
        cases++
        if (!isFound(damaged.join(''))) lost.push(`${PIECES[one]} (${one}), ${PIECES[other]} (${other})`)
      }
    }
    expect(lost, `found in ${cases - lost.length} of ${cases}`).toEqual([])
    expect(cases).toBeGreaterThan(90)
  })

  it('in every one of 1000 descriptions with two to six tags damaged', () => {
    const random = randomFrom(11)
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
    const lost: string[] = []
    for (let round = 0; round < 1000; round++) {
      const damaged = [...PIECES]
      for (let left = 2 + Math.floor(random() * 5); left > 0; left--) {
        pick(Object.values(DAMAGES))(damaged, pick(TAGS), pick(TAGS))
      }
      if (!isFound(damaged.join(''))) lost.push(damaged.join(''))
    }
    expect(lost, `found in ${1000 - lost.length} of 1000`).toEqual([])
  })

  const inWords = (change: (text: string) => string) => change(BEFORE) + WHOLE + change(AFTER)

  it.each([
    ['a friendlyName without its end', TEXT.replace('</friendlyName>', '')],
    ['no friendlyName that has an end', inWords((text) => text.replaceAll('</friendlyName>', ''))],
    ['a stray end of nothing known', TEXT.replace('</UDN>', '</UDN></UPC>')],
    ['no ends after it', BEFORE + WHOLE],
    ['half an end after it', `${BEFORE}${WHOLE}</serv`],
    ['no ends about it at all', inWords((text) => text.replace(/<\/[^>]*>/g, ''))],
    ['no starts about it at all', inWords((text) => text.replace(/<[a-z][^>]*>/gi, ''))],
    ['nothing about it', WHOLE],
    ['a root that ends at once', TEXT.replace(/<root[^>]*>/, '$&</root>')],
    ['a root that ends twice', TEXT.replace('</root>', '</root></root>')],
    ['two roots', TEXT.replace('<root', '<root><root')],
    [
      'the ends of serviceList and device crossed',
      TEXT.replaceAll('</serviceList></device>', '</device></serviceList>'),
    ],
    ['ends in upper case', TEXT.replace(/<\/[^>]*>/g, (end) => end.toUpperCase())],
    ['starts in lower case', TEXT.replace(/<[a-z][^>]*>/gi, (start) => start.toLowerCase())],
    ['ends with blanks', TEXT.replace(/<\/([^>]*)>/g, '</ $1\n >')],
    ['ends with words', TEXT.replace(/<\/([^>]*)>/g, '</$1 of="it">')],
    ['ends without a prefix', TEXT.replace(/<(?=[a-z])/gi, '<d:')],
    ['garbage between its tags', inWords((text) => text.replaceAll('><', '> & < 3 <> </> <- \u0001 <'))],
    ['a raw < in its names', inWords((text) => text.replaceAll('>r<', '>I <3 <b you></b<'))],
    ['a comment that speaks of ends', inWords((text) => text.replaceAll('><', '><!-- </device></root> --><'))],
  ])('in a description with %s', (_, text) => {
    expect(isFound(text)).toBe(true)
  })
})

describe('the other texts of a damaged description', () => {
  const read = (text: string) => decodeDescription(new TextEncoder().encode(text))

  it.each([
    ['a text has no end', TEXT.replaceAll('</friendlyName>', '')],
    ['a text has another end', TEXT.replaceAll('</friendlyName>', '</frendlyName>')],
    ['an end stands alone', TEXT.replaceAll('</UDN>', '</UDN></UPC>')],
    ['a list has no end', TEXT.replaceAll('</serviceList>', '')],
    ['a list has no start', TEXT.replaceAll('<serviceList>', '')],
    ['the root has no end', TEXT.replace('</root>', '')],
    ['the root has no start', TEXT.replace(/<root[^>]*>/, '')],
    ['a device has no end', TEXT.replace('</device></deviceList>', '</deviceList>')],
    ['the last service of a list has no end', TEXT.replaceAll('</service></serviceList>', '</serviceList>')],
    ['a text of a service has no end', TEXT.replaceAll('</serviceId>', '').replaceAll('</SCPDURL>', '')],
  ])('are read as if it were whole if %s', (_, text) => {
    expect(read(text)).toEqual(DESCRIPTION)
  })
})
