/** Runs programs, npm among them, and gives back what they printed. */
import { execFile } from 'node:child_process'

export interface Running {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly timeoutMs?: number
}

/** @throws Error with all that was printed, if the program fails or takes too long */
export function outputOf([program = '', ...args]: readonly string[], options: Running = {}): Promise<string> {
  const { cwd, env, timeoutMs = 60_000 } = options
  const isScript = process.platform === 'win32' && !program.endsWith('.exe') // npm is npm.cmd there
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { cwd, env: { ...process.env, ...env }, timeout: timeoutMs, shell: isScript, maxBuffer: 10_000_000 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`${[program, ...args].join(' ')}: ${error.message}\n${stdout}\n${stderr}`))
      },
    )
  })
}
