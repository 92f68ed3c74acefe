import { describe, expect, it } from 'vitest'
import { encodeServiceDescription, IGD2, type IgdOffer } from '../../../src/emulator/igd/descriptions.ts'
import { IGD_ACTIONS, isIgdActionName } from '../../../src/wire/igd-actions.ts'
import { childNamed, parseXml, type XmlElement } from '../../../src/wire/xml.ts'

const text = (element: XmlElement, name: string): string => childNamed(element, name)?.text ?? ''
const items = (element: XmlElement, list: string): readonly XmlElement[] => childNamed(element, list)?.children ?? []

describe.each(IGD2.services)('the service description of $name', (service) => {
  const { root, complete } = parseXml(encodeServiceDescription(service, IGD2))
  const actions = items(root, 'actionList')
  const variables = items(root, 'serviceStateTable')

  it('is a complete scpd of specification version 1.1', () => {
    expect([root.name, complete]).toEqual(['scpd', true])
    expect(root.children.map((child) => child.name)).toEqual(['specVersion', 'actionList', 'serviceStateTable'])
    expect(items(root, 'specVersion').map((child) => child.text)).toEqual(['1', '1'])
  })

  it('has the actions of the table, with their arguments in order, in before out', () => {
    const names = Object.entries(IGD_ACTIONS).filter(([, action]) => action.service === service.name)
    expect(actions.map((action) => text(action, 'name'))).toEqual(names.map(([name]) => name))
    for (const action of actions) {
      const name = text(action, 'name')
      if (!isIgdActionName(name)) throw new Error(name)
      const args = items(action, 'argumentList').map((each) => [text(each, 'direction'), text(each, 'name')])
      const row = IGD_ACTIONS[name]
      expect(args).toEqual([...row.in.map((each) => ['in', each]), ...row.out.map((each) => ['out', each])])
    }
  })

  it('declares the related state variable of each argument once, and no other variable', () => {
    const related = actions.flatMap((action) =>
      items(action, 'argumentList').map((each) => text(each, 'relatedStateVariable')),
    )
    const declared = variables.map((variable) => text(variable, 'name'))
    expect(new Set(declared).size).toBe(declared.length)
    expect(new Set(declared)).toEqual(new Set(related))
  })

  it('gives every state variable a data type, allowed values only to strings and ranges only to numbers', () => {
    for (const variable of variables) {
      const type = text(variable, 'dataType')
      expect(['string', 'boolean', 'ui2', 'ui4']).toContain(type)
      if (childNamed(variable, 'allowedValueList') !== undefined) expect(type).toBe('string')
      if (childNamed(variable, 'allowedValueRange') !== undefined) expect(type).toMatch(/^ui/)
    }
  })

  it('says which variables send events: the address and the status of the WAN connection', () => {
    const evented = /<stateVariable sendEvents="yes"><name>(\w+)/g
    const names = [...encodeServiceDescription(service, IGD2).matchAll(evented)].map(([, name = '']) => name)
    expect(names.sort()).toEqual(service.name === 'WANConnection' ? ['ConnectionStatus', 'ExternalIPAddress'] : [])
  })
})

function rangeOf(service: string, name: string, offer: IgdOffer): string[] {
  const offered = offer.services.filter((each) => each.name === service)
  const { root } = parseXml(offered.map((each) => encodeServiceDescription(each, offer)).join(''))
  const variable = items(root, 'serviceStateTable').find((each) => text(each, 'name') === name)
  return variable === undefined ? ['no such variable'] : items(variable, 'allowedValueRange').map((each) => each.text)
}

describe('the ranges', () => {
  it.each([
    ['WANConnection', 'PortMappingLeaseDuration', '0', '604800'],
    ['WANConnection', 'InternalPort', '1', '65535'],
    ['WANIPv6FirewallControl', 'A_ARG_TYPE_LeaseTime', '1', '86400'],
  ] as const)("of %s are the standard's: %s", (service, name, minimum, maximum) => {
    expect(rangeOf(service, name, IGD2)).toEqual([minimum, maximum])
  })

  it('are missing for leases that need not end', () => {
    const offer = { ...IGD2, longestLeaseSeconds: Number.POSITIVE_INFINITY }
    expect(rangeOf('WANConnection', 'PortMappingLeaseDuration', offer)).toEqual([])
  })
})
