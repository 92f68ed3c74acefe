/** What --keep runs in, beside what every command does. */

import { setFlagsFromString } from 'node:v8'
import { listenToGateway } from '../../library/listening.js'
import { runInShell, startCommand } from '../../net/child-process.js'
import { writeFileAtomically } from '../../net/files/atomic-file.js'
import { nodeHttpServers } from '../../net/http/server.js'
import { InterfaceWatch } from '../../net/interface-watch.js'
import { notifyServiceManager } from '../../net/service-manager.js'
import type { Surroundings } from '../surroundings.js'
import type { KeepContext } from './session.js'

const HOOK_TIMEOUT_MS = 60_000

export function keepSurroundings(surroundings: Surroundings): KeepContext {
  keepYoungMemorySmall()
  const { env, onlyRoute } = surroundings
  const watch = new InterfaceWatch(surroundings.interfaces)
  const net = { ...surroundings, httpServers: nodeHttpServers, watch, isOnlyRoute: onlyRoute !== undefined }
  return {
    ...surroundings,
    interfaces: () => watch.look(), // the keeper looks in every turn
    startCommand,
    runHook: (command, variables, signal) => runInShell(command, variables, { timeoutMs: HOOK_TIMEOUT_MS, signal }),
    writeFile: writeFileAtomically,
    notifyServiceManager: (message) => notifyServiceManager(message, env),
    listen: (gateway, onSuspicion) => listenToGateway(net, gateway, onSuspicion),
  }
}

/**
 * For a process that does little for a long time. V8 doubles the space for new objects whenever much survives in it, as
 * in the first second of a keeper of many mappings, and then has no reason to give it back: 20 MB for nothing. To be
 * called before much has been done.
 */
export function keepYoungMemorySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
