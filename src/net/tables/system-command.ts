/** Runs one of the system's own commands: by absolute path, without a shell, with a limit for its time and its output. */
const TIMEOUT_MS = 1000
const MAX_OUTPUT_BYTES = 256 * 1024

/** What it prints. @throws if it fails */
export async function outputOf(file: string, args: readonly string[]): Promise<string> {
  const { execFile } = await import('node:child_process') // loaded only if there is no file to read: it takes 3 ms
  const limits = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES }
  return new Promise((resolve, reject) => {
    execFile(file, args, { ...limits, windowsHide: true, encoding: 'latin1' }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
  })
}

/** The path of a program of Windows. */
export function system32(program: string): string {
  return `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\${program}`
}
