/** Runs programs in a plain environment, not the test runner's; every wait has a deadline. */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'

/** What takes longer hangs. */
const DEADLINE_MS = 30_000

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>
  /**
   * Its standard input stays open until endInput() or the end of this process, however that comes; and it is in a
   * session of its own, so that Ctrl-C at the terminal does not reach it. Otherwise there is no input.
   */
  readonly untilEndOfInput?: boolean
}

export interface Finished {
  readonly stdout: string
  readonly stderr: string
  /** As a shell counts: 128 and the number of the signal, for a command that a signal ended. */
  readonly exit: number
  readonly wallMs: number
}

export class Command {
  readonly #argv: readonly string[]
  readonly #child: ChildProcess
  readonly #ended: Promise<Finished>
  #stdout = ''
  #stderr = ''

  constructor(argv: readonly string[], { env = {}, untilEndOfInput = false }: CommandOptions = {}) {
    const [program = '', ...args] = argv
    const { PATH = '', TZ, XDG_CACHE_HOME } = process.env
    const kept = Object.entries({ TZ, XDG_CACHE_HOME }).filter(([, value]) => value !== undefined)
    const startMs = performance.now()
    this.#argv = argv
    this.#child = spawn(program, args, {
      detached: untilEndOfInput,
      stdio: [untilEndOfInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      env: { PATH: `${PATH}:/usr/sbin:/sbin`, ...Object.fromEntries(kept), ...env },
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.#child.stdin?.on('error', () => {}) // that it ended before its input shows in how it ended
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on('error', (cause) => reject(new Error(`cannot run ${this}: ${cause.message}`, { cause })))
      this.#child.on('close', (code, signal) => {
        const exit = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
        resolve({ stdout: this.#stdout, stderr: this.#stderr, exit, wallMs: performance.now() - startMs })
      })
    })
    this.#ended.catch(() => {}) // whoever waits is told
  }

  toString(): string {
    return this.#argv.join(' ')
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** What it has written to its standard output so far. */
  get stdout(): string {
    return this.#stdout
  }

  endInput(): void {
    this.#child.stdin?.end()
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Waits until its standard output, or the other one, matches; that it ends before is an error, which says what it wrote to stderr. */
  async says(
    pattern: RegExp,
    deadlineMs = DEADLINE_MS,
    name: 'stdout' | 'stderr' = 'stdout',
  ): Promise<RegExpExecArray> {
    const stream = this.#child[name]
    const said = new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(name === 'stdout' ? this.#stdout : this.#stderr)
        if (match === null) return
        stream?.off('data', look)
        resolve(match)
      }
      stream?.on('data', look)
      look()
      this.#ended.then(({ exit, stderr }) => reject(new Error(stderr.trim() || `${this} ended with ${exit}`)), reject)
    })
    return this.#within(deadlineMs, said)
  }

  /** Waits for its end; what is not over at the deadline is ended, and that is an error. */
  async ends(deadlineMs = DEADLINE_MS): Promise<Finished> {
    return this.#within(deadlineMs, this.#ended)
  }

  async #within<T>(deadlineMs: number, promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.kill('SIGTERM')
        const soFar = `${this.#stdout}${this.#stderr}`.trim()
        reject(new Error(`${this} was not done after ${deadlineMs} ms; so far it said: ${soFar}`))
      }, deadlineMs)
    })
    return Promise.race([promise, deadline]).finally(() => clearTimeout(timer))
  }
}
