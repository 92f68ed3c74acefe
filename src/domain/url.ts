/**
 * URLs in descriptions (UPnP Device Architecture 1.1, 2.3), and of link-local IPv6 hosts, whose zone a URL object cannot
 * hold: it goes beside it.
 */
import { isLinkLocalIPv6, withoutBrackets } from './address.js'

/** RFC 3986 5.2; undefined where the result is no URL. An absolute reference needs no base: that may be empty then. */
export function resolveUrl(reference: string, base?: string): URL | undefined {
  const against = base === '' ? undefined : base
  const { text } = takeOutZone(reference) // a zone that a device writes is a name of its own interface
  return parseUrl(text, against)
}

/** A URL and the zone of its host: empty unless that is a link-local IPv6 address. */
export interface ZonedUrl {
  readonly url: URL
  readonly zone: string
}

/** `http://[fe80::1%25eth0]:5000/` (RFC 6874 2) and, as people and upnpc write it, `http://[fe80::1%eth0]:5000/`. */
export function parseZonedUrl(text: string): ZonedUrl | undefined {
  const { text: unzoned, zone } = takeOutZone(text)
  const url = parseUrl(unzoned)
  return url && { url, zone: isLinkLocal(url) ? zone : '' }
}

/** The only place that parses a text from the network. URL.canParse says yes to some of what URL then throws on. */
function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

/** The opposite, in the way of RFC 6874. */
export function zonedUrlText({ url, zone }: ZonedUrl): string {
  return zone !== '' && isLinkLocal(url) ? url.href.replace(']', `%25${zone}]`) : url.href
}

function isLinkLocal(url: URL): boolean {
  return isLinkLocalIPv6(withoutBrackets(url.hostname))
}

/** [what comes before, zone, what comes after]; zones are names of interfaces, or numbers. */
const WITH_ZONE = /^(\s*(?:[a-z][a-z0-9+.-]*:)?\/\/(?:[^/?#[\]]*@)?\[[0-9a-f:.]+)%(?:25)?([\w.~-]{1,64})(\].*)$/is

function takeOutZone(text: string): { text: string; zone: string } {
  const [, before, zone, after] = WITH_ZONE.exec(text) ?? []
  return zone === undefined ? { text, zone: '' } : { text: `${before}${after}`, zone }
}
