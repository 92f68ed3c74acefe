/** URLs in descriptions (UDA 1.1 2.3). A URL object cannot hold a link-local host's zone, which is kept next to it. */
import { isLinkLocalIPv6, withoutBrackets } from './address.js'

/** RFC 3986 5.2; undefined if the result is no URL, or too long. An absolute reference needs no base, which may then be empty. */
export function resolveUrl(reference: string, base?: string): URL | undefined {
  const against = base === '' ? undefined : base
  const { text } = takeOutZone(reference) // a device writes the zone of its own interface, which means nothing here
  return parseUrl(text, against)
}

/** A URL and the zone of its host, which is empty unless the host is a link-local IPv6 address. */
export interface ZonedUrl {
  readonly url: URL
  readonly zone: string
}

/** Reads `http://[fe80::1%25eth0]/` (RFC 6874 2) and, as people and upnpc write it, `http://[fe80::1%eth0]:5000/`. */
export function parseZonedUrl(text: string): ZonedUrl | undefined {
  const { text: unzoned, zone } = takeOutZone(text)
  const url = parseUrl(unzoned)
  return url && { url, zone: isLinkLocal(url) ? zone : '' }
}

/** A description could have one of 500,000 letters, and a host in letters of other scripts takes quadratic time. */
export const MAX_URL_LENGTH = 2048

/** The only place that parses a URL from the network. URL.canParse accepts some texts on which URL then throws. */
function parseUrl(text: string, base?: string): URL | undefined {
  if (text.length > MAX_URL_LENGTH) return undefined
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

/** Writes the URL with its zone, as in RFC 6874. */
export function zonedUrlText({ url, zone }: ZonedUrl): string {
  return zone !== '' && isLinkLocal(url) ? url.href.replace(']', `%25${zone}]`) : url.href
}

function isLinkLocal(url: URL): boolean {
  return isLinkLocalIPv6(withoutBrackets(url.hostname))
}

/** [what comes before, zone, what comes after]; zones are names of interfaces, or numbers. */
const WITH_ZONE = /^(\s*(?:[a-z][a-z0-9+.-]*:)?\/\/(?:[^/?#[\]]*@)?\[[0-9a-f:.]+)%(?:25)?([\w.~-]{1,64})(\].*)$/is

function takeOutZone(text: string): { text: string; zone: string } {
  if (!text.includes('%')) return { text, zone: '' } // nearly always: and compiling the expression takes 0.6 ms
  const [, before, zone, after] = WITH_ZONE.exec(text) ?? []
  return zone === undefined ? { text, zone: '' } : { text: `${before}${after}`, zone }
}
