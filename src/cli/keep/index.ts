/** --keep: keeps ports open until the user stops it. This file makes what only --keep needs; session.ts runs it. */

import { setFlagsFromString } from 'node:v8'
import { listenToGateway } from '../../library/listening.js'
import { notifyServiceManager, runInShell, startCommand } from '../../net/child-process.js'
import { writeFileAtomically } from '../../net/files/atomic-file.js'
import { nodeHttpServers } from '../../net/http/server.js'
import { InterfaceWatch } from '../../net/interfaces.js'
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
    interfaces: () => watch.look(), // the keeper looks on every round
    startCommand,
    runHook: (command, variables, signal) => runInShell(command, variables, { timeoutMs: HOOK_TIMEOUT_MS, signal }),
    writeFile: writeFileAtomically,
    notifyServiceManager: (message) => notifyServiceManager(message, env),
    listen: (gateway, onSuspicion) => listenToGateway(net, gateway, onSuspicion),
  }
}

/**
 * Saves memory in a process that does little for a long time. V8 doubles its space for new objects if many of them
 * survive, as they do in the first second of a keeper with many mappings. It then never has a reason to give that space
 * back: 20 MB for nothing. Call this early.
 */
export function keepYoungMemorySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
