/** What is kept: a port mapping or a pinhole. */
import type { Kept } from './kept.js'
import type { HeldMapping } from './kept-mapping.js'
import type { HeldPinhole } from './kept-pinhole.js'

export type HeldEither = HeldMapping | HeldPinhole
export type KeptEither = Kept<HeldEither>
