/** The signals that a command in the foreground listens to. */

/**
 * The signals that ask upnp-ts to end. SIGBREAK is Ctrl-Break on Windows, which also has SIGINT and SIGHUP; other
 * systems do not have SIGBREAK.
 */
export const END_SIGNALS: readonly string[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK']
/** The signals to pass on to a program that upnp-ts runs. A system without one of them never sends it. */
export const PROGRAM_SIGNALS: readonly string[] = [...END_SIGNALS, 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']

/**
 * Calls the listener with the name of each signal, until the returned function is called. After that, a signal has its
 * default effect again.
 */
export type OnSignal = (names: readonly string[], listener: (name: string) => void) => () => void

export function onProcessSignal(names: readonly string[], listener: (name: string) => void): () => void {
  for (const name of names) process.on(name, listener)
  return () => {
    for (const name of names) process.off(name, listener)
  }
}
