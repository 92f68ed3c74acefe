/** Why the system refused something: its error codes, in words that fit what was attempted. */

const CLOSED_WITHOUT_ANSWER = 'connection closed without an answer'
const NO_SUCH_LOCAL_ADDRESS = 'this computer does not have that address'
const NO_SUCH_COMMAND = 'no such command'
const NO_SUCH_FILE = 'there is no such file'
const NO_SUCH_DIRECTORY = 'there is no such directory'
const MAY_NOT_WRITE = 'this user may not write there'
const MAY_NOT_READ = 'this user may not read it'
const NOTHING_LISTENS = 'nothing listens there'

const REASONS = {
  listen: {
    EADDRINUSE: 'another program has that port',
    EADDRNOTAVAIL: NO_SUCH_LOCAL_ADDRESS,
    EACCES: 'this user may not use that port',
  },
  'ask over UDP': {
    ECONNREFUSED: NOTHING_LISTENS,
    ECONNRESET: NOTHING_LISTENS, // Windows
    EADDRNOTAVAIL: NO_SUCH_LOCAL_ADDRESS,
  },
  'ask over HTTP': {
    ECONNREFUSED: 'connection refused',
    ECONNRESET: CLOSED_WITHOUT_ANSWER,
    UND_ERR_SOCKET: CLOSED_WITHOUT_ANSWER,
    EPIPE: CLOSED_WITHOUT_ANSWER,
    EHOSTUNREACH: 'no route to host',
    ENETUNREACH: 'network is unreachable',
    ETIMEDOUT: 'connection timed out',
    EINVAL: 'no such address or interface', // a zone that does not exist
    ENOTFOUND: 'no such host name',
    EAI_AGAIN: 'the host name could not be looked up',
    EADDRNOTAVAIL: NO_SUCH_LOCAL_ADDRESS,
  },
  read: {
    ENOTDIR: NO_SUCH_FILE,
    EACCES: MAY_NOT_READ,
    EPERM: MAY_NOT_READ,
    EISDIR: 'it is not a regular file', // Windows
    ELOOP: 'it became a link just now',
  },
  start: {
    ENOENT: NO_SUCH_COMMAND,
    ENOTDIR: NO_SUCH_COMMAND,
    EACCES: 'this user may not run it',
    E2BIG: 'its arguments are too long',
    ENOEXEC: 'it is not a program',
  },
  write: {
    ENOENT: NO_SUCH_DIRECTORY,
    ENOTDIR: NO_SUCH_DIRECTORY,
    EACCES: MAY_NOT_WRITE,
    EPERM: MAY_NOT_WRITE,
    EROFS: 'nothing can be written there',
    ENOSPC: 'there is no space left',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>

/** `otherwise` is the reason if the table has no words for the code. */
export function reasonOf(
  error: unknown,
  attempted: keyof typeof REASONS,
  otherwise = error instanceof Error ? error.message : 'it failed',
): string {
  const reasons: Readonly<Record<string, string | undefined>> = REASONS[attempted]
  return reasons[codeOf(error)] ?? otherwise
}

/** The system's code, such as ENOENT; empty if the error has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
