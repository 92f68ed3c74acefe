/**
 * `upnp-ts/emulator`: a gateway for tests, which speaks UPnP IGD, PCP and NAT-PMP. This file lists its public names.
 *
 * @example
 * const emulator = await startEmulator({ quirks: [{ name: 'igd1' }] })
 * // ... point the program under test at emulator.descriptionUrl ...
 * console.log(emulator.mappings(), emulator.counters)
 * await emulator.close()
 */

export type { Quirk } from './domain/quirk.js'
export { type Emulator, type EmulatorNetwork, startEmulator } from './emulator/emulator.js'
export type { EmulatorOptions } from './emulator/emulator-options.js'
export type { EmulatorCounters, GatewayFacts } from './emulator/gateway-state.js'
export type { DescriptionFacts } from './emulator/igd/descriptions.js'
export type { TableEntry } from './emulator/tables/mapping-table.js'
export type { PinholeEntry } from './emulator/tables/pinhole-table.js'
