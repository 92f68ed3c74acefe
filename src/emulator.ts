/** The public names of the emulated gateway. */

export type { Quirk } from './domain/quirk.js'
export type { EmulatorCounters } from './emulator/counters.js'
export { type Emulator, type EmulatorNetwork, startEmulator } from './emulator/emulator.js'
export type { EmulatorOptions } from './emulator/emulator-options.js'
export type { GatewayFacts } from './emulator/gateway-state.js'
export type { DescriptionFacts } from './emulator/igd/gateway-description.js'
export type { TableEntry } from './emulator/tables/mapping-table.js'
export type { PinholeEntry } from './emulator/tables/pinhole-table.js'
