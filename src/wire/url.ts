/** URLs in descriptions (UPnP Device Architecture 1.1, 2.3). Apart from description.ts, so that it needs no XML parser. */

/** RFC 3986 5.2; undefined where the result is no URL. An absolute reference needs no base: that may be empty then. */
export function resolveUrl(reference: string, base?: string): URL | undefined {
  const against = base === '' ? undefined : base
  return URL.canParse(reference, against) ? new URL(reference, against) : undefined
}
