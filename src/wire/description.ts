/**
 * The root device description (UPnP Device Architecture 1.1, chapter 2): XML <-> a tree of devices and services, with
 * the names of the standard.
 *
 * Only the local names of elements count, because real devices have the namespace `urn:dslforum-org:device-1-0`, or
 * none. Devices, services and their texts count wherever they stand, because real devices have tags too few or too many
 * (TP-Link Archer C9).
 */
import { MalformedMessageError } from '../domain/errors.js'
import { decodeXml, encodeElement, trimmed, type XmlElement } from './xml.js'

/** Bounds what one description can make the reader keep. */
export const MAX_DEVICES = 64
export const MAX_SERVICES_PER_DEVICE = 64

const SERVICE_TEXTS = ['serviceType', 'serviceId', 'SCPDURL', 'controlURL', 'eventSubURL'] as const
const DEVICE_TEXTS = [
  'deviceType',
  'friendlyName',
  'manufacturer',
  'modelName',
  'modelNumber',
  'UDN',
  'presentationURL',
] as const

/** UDA 1.1 2.3. The URLs are as in the document: relative to URLBase, or to where it came from. */
export type Service = Readonly<Record<(typeof SERVICE_TEXTS)[number], string>>

/** UDA 1.1 2.3. A text that is missing is empty. */
export interface Device extends Readonly<Record<(typeof DEVICE_TEXTS)[number], string>> {
  readonly serviceList: readonly Service[]
  readonly deviceList: readonly Device[]
}

/** UDA 1.1 2.3: the document that LOCATION leads to. */
export interface RootDescription {
  /** Empty if there is none. */
  readonly URLBase: string
  readonly device: Device
}

/** @throws MalformedMessageError */
export function decodeDescription(bytes: Uint8Array): RootDescription {
  const { root, rest } = decodeXml(bytes)
  const document = { name: '', text: '', children: [root, ...rest] }
  const [device, ...devices] = below(document, 'device', DEVICE)
  const services = [...below(document, 'service', DEVICE)]
  if (device === undefined && services.length === 0) {
    throw new MalformedMessageError('a device description with a <device>', root.name)
  }
  // What a damaged document has outside of its root device belongs to it.
  const whole = { name: 'device', text: '', children: [...(device?.children ?? []), ...services, ...devices] }
  return { URLBase: textOf(document, 'URLBase'), device: decodeDevice(whole, { devices: MAX_DEVICES }) }
}

const DEVICE: ReadonlySet<string> = new Set(['device'])
const DEVICE_OR_SERVICE: ReadonlySet<string> = new Set(['device', 'service'])

/** The elements with that name at any depth, but not those in `owners`. Case does not matter. */
function* below(element: XmlElement, name: string, owners: ReadonlySet<string>): Generator<XmlElement> {
  for (const child of element.children) {
    const childName = child.name.toLowerCase()
    if (childName === name.toLowerCase()) yield child
    if (!owners.has(childName)) yield* below(child, name, owners)
  }
}

/** NULs and blanks at the end are common. TP-Link Archer C8 has them around URLBase and presentationURL. */
function textOf(element: XmlElement, name: string): string {
  const [found] = below(element, name, DEVICE_OR_SERVICE)
  return trimmed(found?.text ?? '')
}

function textsOf<Name extends string>(element: XmlElement, names: readonly Name[]): Record<Name, string> {
  return Object.fromEntries(names.map((name) => [name, textOf(element, name)])) as Record<Name, string>
}

function decodeDevice(element: XmlElement, budget: { devices: number }): Device {
  budget.devices--
  const services = [...below(element, 'service', DEVICE)].slice(0, MAX_SERVICES_PER_DEVICE)
  const devices = [...below(element, 'device', DEVICE)]
  return {
    ...textsOf(element, DEVICE_TEXTS),
    serviceList: services.map((service) => textsOf(service, SERVICE_TEXTS)),
    deviceList: devices.flatMap((device) => (budget.devices > 0 ? [decodeDevice(device, budget)] : [])),
  }
}

/** The document of a device (UDA 1.1 2.3). */
export function encodeDescription(description: RootDescription): string {
  const base = description.URLBase === '' ? '' : encodeElement('URLBase', description.URLBase)
  return (
    '<?xml version="1.0"?>\n<root xmlns="urn:schemas-upnp-org:device-1-0">' +
    `<specVersion><major>1</major><minor>1</minor></specVersion>${base}${encodeDevice(description.device)}</root>\n`
  )
}

function encodeDevice(device: Device): string {
  const optional = (name: string, text: string): string => (text === '' ? '' : encodeElement(name, text))
  const list = (name: string, items: readonly string[]): string =>
    items.length === 0 ? '' : `<${name}>${items.join('')}</${name}>`
  // The elements are in the order of UDA 1.1 2.3, in which presentationURL is the last.
  const content = [
    encodeElement('deviceType', device.deviceType),
    encodeElement('friendlyName', device.friendlyName),
    encodeElement('manufacturer', device.manufacturer),
    encodeElement('modelName', device.modelName),
    optional('modelNumber', device.modelNumber),
    encodeElement('UDN', device.UDN),
    list('serviceList', device.serviceList.map(encodeService)),
    list('deviceList', device.deviceList.map(encodeDevice)),
    optional('presentationURL', device.presentationURL),
  ]
  return `<device>${content.join('')}</device>`
}

function encodeService(service: Service): string {
  const content = SERVICE_TEXTS.map((name) => encodeElement(name, service[name]))
  return `<service>${content.join('')}</service>`
}

/** Depth first, the device itself included. */
export function* allDevices(device: Device): Generator<Device> {
  yield device
  for (const child of device.deviceList) yield* allDevices(child)
}

/** Every service of the device and of the devices in it, in the order of the document. */
export function allServices(device: Device): Service[] {
  return [...allDevices(device)].flatMap((each) => each.serviceList)
}

/** Such as `WANIPConnection`, whether the type is `urn:schemas-upnp-org:…` or the older `urn:dslforum-org:…`. */
export function serviceKind(serviceType: string): string {
  return /^urn:[^:]+:service:([^:]+)(:|$)/.exec(serviceType)?.[1] ?? ''
}
