/** What `upnp-ts service` prints: the file on stdout, and on stderr what has to be done before it works. */
import { isWithin } from '../../parse/service-words.js'
import { composeFile } from './compose.js'
import type { ServicePlan } from './plan.js'
import { systemdUnit } from './systemd.js'

export function serviceText(plan: ServicePlan): string {
  return plan.invocation.form === 'systemd' ? systemdUnit(plan) : composeFile(plan)
}

const RUNTIME_FOLDERS = ['/run/upnp-ts', '/var/lib/upnp-ts'] as const

/** `closedToOthers` tells the first part of a path that other users cannot use, if there is one. */
export function serviceHints(
  { invocation, installed }: ServicePlan,
  closedToOthers: (path: string) => string | undefined,
  platform: string,
): string[] {
  const hints: string[] = []
  const isUnit = invocation.form === 'systemd'
  if (installed.isTemporary)
    hints.push(
      `upnp-ts is in a temporary folder, ${installed.folder}: install it first (in a clone: npm pack, and then ` +
        'sudo npm install --global ./upnp-ts-*.tgz), and make this again',
    )
  const programs = [
    installed.node,
    installed.script,
    ...invocation.program.slice(0, 1).filter((each) => each.startsWith('/')),
  ]
  const closed = programs.map(closedToOthers).find((path) => path !== undefined)
  if (isUnit && closed !== undefined && !installed.isTemporary)
    hints.push(
      `the service runs as a user of its own, who cannot use ${closed}: install what is in there for all users of this ` +
        'computer, then make this again',
    )
  if (isUnit && platform !== 'linux')
    hints.push(
      'systemd is on Linux only: in ExecStart, put the paths of Node and upnp-ts on the computer where it runs',
    )
  const { stateFile } = invocation
  if (isUnit && stateFile !== undefined && !RUNTIME_FOLDERS.some((folder) => isWithin(stateFile, folder)))
    hints.push(
      `the service runs as a user of its own, who may not be allowed to write ${stateFile}: a file in /run/upnp-ts it ` +
        'may always write',
    )
  return hints.map((hint) => `hint: ${hint}\n`)
}
