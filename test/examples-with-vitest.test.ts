/** The examples that are tests themselves. */
import { vi } from 'vitest'
import '../examples/with-fake-timers.test.mjs'
import '../examples/with-vitest.test.mjs'

vi.mock('upnp-ts', () => import('../src/index.ts'))
vi.mock('upnp-ts/emulator', () => import('../src/emulator.ts'))
