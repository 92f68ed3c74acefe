/**
 * What comes after the wait for a gateway's answer, done during it and for nobody, so that its code has been loaded and
 * compiled when it counts. Nothing is sent. A failure shows again, with a reason, at the first use.
 */
import type { Clock } from '../net/clock.js'

export async function rehearseIgd(clock: Clock): Promise<void> {
  const { rehearse } = await import('../client/search/first-answer.js')
  await rehearse(clock)
}

export async function rehearsePortControl(clock: Clock): Promise<void> {
  const { rehearseMapping } = await import('../client/port-control/first-answer.js')
  await rehearseMapping(clock)
}
