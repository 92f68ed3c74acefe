/** A network that tells of every message that it carries, for --verbose: the command line knows the library, not the client. */
export { type TracedMessage, tracedNet } from '../client/trace.js'
