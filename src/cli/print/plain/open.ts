/** `open`: held until the end, and then told as a whole. */
import { cleaned } from '../clean.js'
import { good } from '../pieces.js'
import type { Occasion, Telling } from './telling.js'

export function openTelling(_: Occasion): Telling {
  return {
    rows: {
      mapped: ({ mapping }) => [
        good(`Your router now lets port ${mapping.externalPort} ${cleaned(mapping.protocol)} in.\n`),
      ],
    },
    end: () => [],
  }
}
