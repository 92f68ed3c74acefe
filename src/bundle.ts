/**
 * All that the package runs, as the build makes one file of it (esbuild.config.js): the command line, and what the doors
 * of the library open, each evaluated when it is first asked for. One file is loaded faster than two hundred, and the
 * package has the code once.
 */
export { main } from './cli/main.js'

export const doors = {
  index: (): typeof import('./index.js') => require('./index.js'),
  emulator: (): typeof import('./emulator.js') => require('./emulator.js'),
  wire: (): typeof import('./wire.js') => require('./wire.js'),
}
