/** The signals that a foreground command hears. */

/** By these the user wants it to end. (SIGBREAK is Ctrl-Break of Windows, which has SIGINT and SIGHUP too; others do not.) */
export const END_SIGNALS: readonly string[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK']
/** For a command that it runs. A system that does not have one never sends it. */
export const COMMAND_SIGNALS: readonly string[] = [...END_SIGNALS, 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']

/**
 * Calls back with the name of each signal, until the returned function is called: from then on a signal does what it
 * always does.
 */
export type OnSignal = (names: readonly string[], listener: (name: string) => void) => () => void

export function onProcessSignal(names: readonly string[], listener: (name: string) => void): () => void {
  for (const name of names) process.on(name, listener)
  return () => {
    for (const name of names) process.off(name, listener)
  }
}
