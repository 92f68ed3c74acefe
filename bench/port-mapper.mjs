/**
 * Opens a TCP port with a port mapper from npm, as that package's README shows, and ends:
 *
 *   node port-mapper.mjs PACKAGE PORT INTERNAL_CLIENT
 *
 * The bench copies this file to where the package is installed. It exits with 0 if the package says that the port is
 * open.
 */
const [name, portText, internalClient] = process.argv.slice(2)
const port = Number(portText)
const LEASE_SECONDS = 3600

/** Turns a function with a callback into a promise. */
const called = (start) => new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())))

const NAT_UPNP_OPTIONS = { public: port, private: port, protocol: 'TCP', ttl: LEASE_SECONDS, description: name }
const NAT_API_OPTIONS = { publicPort: port, privatePort: port, protocol: 'TCP', ttl: LEASE_SECONDS }

const OPENING = {
  'nat-upnp': ({ default: natUpnp }) => called((done) => natUpnp.createClient().portMapping(NAT_UPNP_OPTIONS, done)),
  '@runonflux/nat-upnp': ({ Client }) => new Client().createMapping(NAT_UPNP_OPTIONS),
  'nat-upnp-rejetto': ({ Client }) => new Client().createMapping(NAT_UPNP_OPTIONS),
  'nat-api': ({ default: NatAPI }) => called((done) => new NatAPI().map(NAT_API_OPTIONS, done)),
  '@silentbot1/nat-api': async ({ default: NatAPI }) => {
    if (!(await new NatAPI({ enablePMP: true, enableUPNP: true }).map(NAT_API_OPTIONS)))
      throw new Error('map() gave false')
  },
  async '@achingbrain/nat-port-mapper'({ upnpNat }) {
    for await (const gateway of upnpNat().findGateways({ signal: AbortSignal.timeout(10_000) })) {
      if (gateway.family !== 'IPv4') continue // the same router's IPv6 side, which maps no IPv4 ports
      await gateway.map(port, internalClient, { protocol: 'tcp', externalPort: port })
      return
    }
    throw new Error('found no gateway')
  },
}

try {
  await OPENING[name](await import(name))
  process.exit(0)
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
