/**
 * The same over IPv6 beside IPv4: at the same time, and reported after it. Nobody has asked for IPv6, so a failure there
 * is not one of the command, and the command does not wait long for it.
 */
import { NoReplyError } from '../../domain/errors.js'
import { deadlineAfter, sleep } from '../../net/clock.js'
import type { RunContext } from '../context.js'
import { type Reporting, reportedError } from '../failure.js'
import type { ExitCode, Report } from '../report.js'

/** After IPv4 is done. */
const LONGEST_WAIT_MS = 1000

type Run = (context: RunContext) => Reporting<ExitCode>

export async function* runBeside(context: RunContext, runIPv4: Run, runIPv6: Run): Reporting<ExitCode> {
  const late = new NoReplyError('the router has not answered in time over IPv6')
  const deadline = deadlineAfter(context.clock, Number.POSITIVE_INFINITY, () => late, context.signal)
  const heard: Report[] = []
  let hearing: Promise<void> | undefined
  const begin = (): Promise<void> => {
    hearing ??= hear(runIPv6({ ...context, signal: deadline.signal, onIdle: () => {} }), heard)
    return hearing
  }
  const onIdle = (): void => {
    context.onIdle?.()
    void begin()
  }
  try {
    const exitCode = yield* runIPv4({ ...context, onIdle })
    const isOver = new AbortController()
    const hearingIt = begin().finally(() => isOver.abort())
    await Promise.race([hearingIt, sleep(context.clock, LONGEST_WAIT_MS, isOver.signal)])
    yield* heard.splice(0)
    if (isOver.signal.aborted) return exitCode
    deadline.abort(late)
    await hearing
    yield* heard.filter(isOpen)
    yield notOverIPv6(late, true)
    return exitCode
  } catch (error) {
    deadline.abort(late)
    await hearing
    yield* heard.filter(isOpen)
    throw error
  } finally {
    deadline.abort(late)
    deadline.dispose()
    await hearing
  }
}

function isOpen(report: Report): boolean {
  return report.type === 'pinhole-added' && report.ok
}

/** What is said of pinholes; whom it asks has been said of IPv4. It never rejects. */
async function hear(reports: Reporting<ExitCode>, heard: Report[]): Promise<void> {
  try {
    for await (const report of reports) {
      if (report.type === 'error') heard.push(ended(report))
      else if (report.type.startsWith('pinhole-') && report.type !== 'pinhole-advice') heard.push(report)
      else if (report.type === 'notice' && report.kind.startsWith('pinhole-')) heard.push(report)
    }
  } catch (error) {
    heard.push(notOverIPv6(error, false))
  }
}

function ended({ error, searched }: Extract<Report, { readonly type: 'error' }>): Report {
  const facts = 'kind' in error ? reportedError(new NoReplyError(error.kind)) : error
  return { type: 'notice', kind: 'not-over-ipv6', error: facts, searched, late: false }
}

function notOverIPv6(error: unknown, late: boolean): Report {
  return { type: 'notice', kind: 'not-over-ipv6', error: reportedError(error), late }
}
