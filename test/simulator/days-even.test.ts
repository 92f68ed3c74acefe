/** The other half of the simulated days: the files of tests run side by side. */
import { describeDays } from './days.ts'

describeDays((seed) => seed % 2 === 0)
