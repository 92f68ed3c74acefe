/** The one search for a gateway: by what is wished for, or by the URL of an IGD. */
import {
  type GatewayWishes,
  type Opened,
  type OpeningNet,
  openGateway,
  openNamedGateway,
} from '../client/search/open-gateway.js'
import { InvalidArgumentError } from '../domain/errors.js'
import { parseZonedUrl, type ZonedUrl } from '../domain/url.js'

export type { FoundGateway, FoundIgd, FoundPortControl, Opened } from '../client/search/open-gateway.js'
export { rehearse } from '../client/search/rehearsal.js'

export interface SearchWishes extends GatewayWishes {
  /** Of the root description: no search is made. Its host is trusted, and may be a name; a link-local one needs its zone. */
  readonly url?: string | undefined
}

/** @throws InvalidArgumentError; whatever the signal aborts with */
export async function searchGateway({ url, ...wishes }: SearchWishes, net: OpeningNet): Promise<Opened> {
  return url === undefined ? openGateway(wishes, net) : openNamedGateway(descriptionUrl(url), net)
}

function descriptionUrl(text: string): ZonedUrl {
  const zoned = parseZonedUrl(text)
  const { protocol, port, username, password } = zoned?.url ?? {}
  if (zoned !== undefined && protocol === 'http:' && port !== '0' && username === '' && password === '') return zoned
  throw new InvalidArgumentError('url is not the http:// URL of a description, without user name and password')
}
