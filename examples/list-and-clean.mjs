// Lists what is open at the router, and takes away what earlier runs on this computer have left.
import { findGateway } from 'upnp-ts'

const gateway = await findGateway({ via: 'igd' }) // the other protocols cannot list
for (const { protocol, externalPort, internalClient, internalPort, description } of await gateway.mappings())
  console.log(`${protocol} ${externalPort} -> ${internalClient}:${internalPort} ${description}`)

const { removed, left } = await gateway.removeOwn({ description: 'game server' })
console.log(`${removed.length} removed`)
for (const { mapping, why } of left) console.log(`${mapping.externalPort} stays: ${why}`)
