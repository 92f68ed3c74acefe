/** What upnp-ts says before everything else: three lines of its own and a blank one. */

const BANNER = /^(?:.+\n){3}\n/

/** The rest, which is to be upnpc's. */
export function belowBanner(stdout: string): string {
  const banner = BANNER.exec(stdout)
  if (banner === null)
    throw new Error(`no banner of three lines and a blank one: ${JSON.stringify(stdout.slice(0, 300))}`)
  return stdout.slice(banner[0].length)
}
