/** What V8 counts while code runs: how often each block of it ran. V8 calls this precise coverage. */
import { type Profiler, Session } from 'node:inspector'

export type Scripts = readonly Profiler.ScriptCoverage[]

export interface BlockCounter {
  /** Of the scripts that ran since the last call. */
  take(): Scripts
  stop(): void
}

export function countBlocks(isWanted: (url: string) => boolean): BlockCounter {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  return {
    take() {
      let scripts: Scripts = []
      session.post('Profiler.takePreciseCoverage', (error, taken) => {
        if (error !== null) throw error
        scripts = taken.result.filter(({ url }) => isWanted(url))
      })
      return scripts
    },
    stop() {
      session.post('Profiler.stopPreciseCoverage')
      session.disconnect()
    },
  }
}
