/**
 * The root device description (UPnP Device Architecture 1.1, chapter 2): XML <-> a tree of devices and services, with
 * the names of the standard.
 *
 * Only the local names of elements count, because real devices have the namespace `urn:dslforum-org:device-1-0`, or
 * none.
 */
import { MalformedMessageError } from '../domain/errors.js'
import { childNamed, decodeXml, descendants, encodeEntities, trimmed, type XmlElement } from './xml.js'

/** Bounds what one description can make the reader keep. */
export const MAX_DEVICES = 64
export const MAX_SERVICES_PER_DEVICE = 64

export interface Service {
  readonly serviceType: string
  readonly serviceId: string
  readonly SCPDURL: string
  readonly controlURL: string
  readonly eventSubURL: string
}

export interface Device {
  readonly deviceType: string
  readonly friendlyName: string
  readonly manufacturer: string
  readonly modelName: string
  readonly modelNumber: string
  readonly UDN: string
  readonly presentationURL: string
  readonly serviceList: readonly Service[]
  readonly deviceList: readonly Device[]
}

export interface RootDescription {
  /** Empty if there is none. */
  readonly URLBase: string
  readonly device: Device
}

/** @throws MalformedMessageError */
export function decodeDescription(bytes: Uint8Array): RootDescription {
  const { root } = decodeXml(bytes)
  const device = [...descendants(root)].find((element) => element.name === 'device')
  if (device === undefined) throw new MalformedMessageError('a device description with a <device>', root.name)
  const budget = { devices: MAX_DEVICES }
  return { URLBase: textOf(root, 'URLBase'), device: decodeDevice(device, budget) }
}

function textOf(element: XmlElement, name: string): string {
  // NULs and blanks at the end are common. TP-Link Archer C8 has them around URLBase and presentationURL.
  return trimmed(childNamed(element, name)?.text ?? '')
}

function decodeDevice(element: XmlElement, budget: { devices: number }): Device {
  budget.devices--
  const services = childNamed(element, 'serviceList')?.children.filter((child) => child.name === 'service') ?? []
  const devices = childNamed(element, 'deviceList')?.children.filter((child) => child.name === 'device') ?? []
  return {
    deviceType: textOf(element, 'deviceType'),
    friendlyName: textOf(element, 'friendlyName'),
    manufacturer: textOf(element, 'manufacturer'),
    modelName: textOf(element, 'modelName'),
    modelNumber: textOf(element, 'modelNumber'),
    UDN: textOf(element, 'UDN'),
    presentationURL: textOf(element, 'presentationURL'),
    serviceList: services.slice(0, MAX_SERVICES_PER_DEVICE).map(decodeService),
    deviceList: devices.flatMap((child) => (budget.devices > 0 ? [decodeDevice(child, budget)] : [])),
  }
}

function decodeService(element: XmlElement): Service {
  return {
    serviceType: textOf(element, 'serviceType'),
    serviceId: textOf(element, 'serviceId'),
    SCPDURL: textOf(element, 'SCPDURL'),
    controlURL: textOf(element, 'controlURL'),
    eventSubURL: textOf(element, 'eventSubURL'),
  }
}

export function encodeDescription(description: RootDescription): string {
  const base = description.URLBase === '' ? '' : tag('URLBase', description.URLBase)
  return (
    '<?xml version="1.0"?>\n<root xmlns="urn:schemas-upnp-org:device-1-0">' +
    `<specVersion><major>1</major><minor>1</minor></specVersion>${base}${encodeDevice(description.device)}</root>\n`
  )
}

function tag(name: string, text: string): string {
  return `<${name}>${encodeEntities(text)}</${name}>`
}

function encodeDevice(device: Device): string {
  const optional = (name: string, text: string): string => (text === '' ? '' : tag(name, text))
  const list = (name: string, items: readonly string[]): string =>
    items.length === 0 ? '' : `<${name}>${items.join('')}</${name}>`
  // The elements are in the order of UDA 1.1 2.3, in which presentationURL is the last.
  return (
    `<device>${tag('deviceType', device.deviceType)}${tag('friendlyName', device.friendlyName)}` +
    `${tag('manufacturer', device.manufacturer)}${tag('modelName', device.modelName)}` +
    `${optional('modelNumber', device.modelNumber)}${tag('UDN', device.UDN)}` +
    `${list('serviceList', device.serviceList.map(encodeService))}${list('deviceList', device.deviceList.map(encodeDevice))}` +
    `${optional('presentationURL', device.presentationURL)}</device>`
  )
}

function encodeService(service: Service): string {
  return (
    `<service>${tag('serviceType', service.serviceType)}${tag('serviceId', service.serviceId)}` +
    `${tag('SCPDURL', service.SCPDURL)}${tag('controlURL', service.controlURL)}${tag('eventSubURL', service.eventSubURL)}</service>`
  )
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
