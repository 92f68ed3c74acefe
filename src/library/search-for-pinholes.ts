/** The search for whoever opens pinholes for this computer. */
import type { OpeningNet } from '../client/search/open-gateway.js'
import { type Opened, type SearchWishes, searchGateway } from './search-gateway.js'

/**
 * Routers open a pinhole for whoever asks for it, so they are asked over IPv6 first. `isPlaceGiven`: there is one place
 * to ask. @throws whatever the signal aborts with
 */
export async function searchForPinholes(wishes: SearchWishes, isPlaceGiven: boolean, net: OpeningNet): Promise<Opened> {
  const forPinholes = true
  const opened = await searchGateway({ ...wishes, family: 6, forPinholes }, net)
  if (isPlaceGiven || (wishes.via ?? 'auto') !== 'auto') return opened
  if (opened.found === undefined) return searchGateway({ ...wishes, family: 4, forPinholes }, net)
  if (opened.found.protocol !== 'igd' || opened.found.gateway.firewall !== undefined) return opened
  const overPcp = await searchGateway({ ...wishes, via: 'pcp', family: 6, forPinholes }, net)
  return overPcp.found === undefined ? opened : overPcp
}
