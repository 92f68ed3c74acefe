/** The public names of the emulated gateway. */
export type { GatewayFacts } from './action-context.js'
export type { EmulatorCounters } from './counters.js'
export { type Emulator, type EmulatorNetwork, startEmulator } from './emulator.js'
export type { EmulatorOptions } from './emulator-options.js'
export type { DescriptionFacts } from './gateway-description.js'
export type { TableEntry } from './mapping-table.js'
export type { PinholeEntry } from './pinhole-table.js'
