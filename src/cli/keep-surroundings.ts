/** What --keep runs in, beside what every command does. */
import { writeFileAtomically } from '../net/atomic-file.js'
import { runInShell, startCommand } from '../net/child-process.js'
import { nodeHttpServers } from '../net/http-server.js'
import { InterfaceWatch } from '../net/interface-watch.js'
import { notifyServiceManager } from '../net/service-manager.js'
import { keepYoungMemorySmall } from '../net/young-memory.js'
import { listenToGateway } from './keep-listening.js'
import type { KeepContext } from './keep-run.js'
import type { Surroundings } from './main.js'

const HOOK_TIMEOUT_MS = 60_000

export function keepSurroundings(surroundings: Surroundings): Omit<KeepContext, 'whileWaiting'> {
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
