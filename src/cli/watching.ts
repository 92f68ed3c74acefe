/** `watch`: goes on until a signal or --timeout ends it. On a terminal it has a screen of its own. */
import { NoReplyError } from '../domain/errors.js'
import { listenToGateway } from '../library/listening.js'
import { deadlineAfter, OncePer } from '../net/clock.js'
import { nodeHttpServers } from '../net/http/server.js'
import { InterfaceWatch } from '../net/interfaces.js'
import { reportedError } from './failure.js'
import type { GatewayInvocation } from './parse/invocation.js'
import { WatchScreen } from './print/plain/watch/screen.js'
import type { Printer } from './print/printer.js'
import type { ExitCode, Report } from './report.js'
import { watch } from './run/watch.js'
import { END_SIGNALS, type Surroundings } from './surroundings.js'

/** Of a router that is there: one that takes longer is gone. */
const ANSWER_MS = 8000
/** Of a terminal that does not tell its size. */
const [WIDTH, HEIGHT] = [80, 24]
const RESIZED = ['SIGWINCH'] as const
/** A long table comes in as thousands of reports. */
const DRAWN_ONCE_PER_MS = 50

export async function watching(
  invocation: GatewayInvocation,
  printer: Printer,
  surroundings: Surroundings,
  onReport: (report: Report) => void,
): Promise<ExitCode> {
  const { clock, onSignal, onlyRoute } = surroundings
  const { timeoutMs } = invocation
  const outOfTime = new NoReplyError(`gave up after ${timeoutMs / 1000} s; --timeout MS gives the command more time`)
  const interrupted = new Error('interrupted')
  const end = deadlineAfter(clock, timeoutMs, () => outOfTime)
  const screen = printer.hasScreen ? screenOf(printer, surroundings) : undefined
  const drawing = new OncePer(clock, DRAWN_ONCE_PER_MS, () => screen?.draw())
  const stopResizing = onSignal(RESIZED, () => screen?.draw())
  const stopHearing = onSignal(END_SIGNALS, () => {
    stopHearing() // a second one ends the process at once
    screen?.leave()
    end.abort(interrupted)
  })
  const interfaces = new InterfaceWatch(surroundings.interfaces)
  const net = {
    ...{ ...surroundings, httpServers: nodeHttpServers, watch: interfaces },
    isOnlyRoute: onlyRoute !== undefined,
  }
  const reports = watch(invocation, {
    ...surroundings,
    interfaces: () => interfaces.look(),
    signal: end.signal,
    answerMs: ANSWER_MS,
    listen: (gateway, onNews) => {
      const onEvent = (isOfTable: boolean): void => onNews(isOfTable ? 'table' : 'event')
      return listenToGateway({ ...net, onEvent }, gateway, onNews)
    },
  })
  let hasRouter = false
  try {
    for (;;) {
      const next = await reports.next()
      if (next.done === true) return next.value
      const report = next.value
      onReport(report)
      hasRouter ||= report.type === 'router'
      screen?.hear(report)
      if (screen === undefined || !hasRouter) printer.report(report)
      else if (report.type === 'router') screen.enter()
      else drawing.tell()
      if (printer.readerIsGone) return 0
    }
  } catch (error) {
    if (!end.signal.aborted) throw error
    if (hasRouter || end.signal.reason === interrupted) return 0
    printer.report({ type: 'error', error: reportedError(outOfTime) })
    return 1
  } finally {
    stopHearing()
    stopResizing()
    drawing.cancel()
    screen?.leave()
    end.abort(interrupted)
    end.dispose()
  }
}

function screenOf(printer: Printer, { stdout, clock }: Surroundings): WatchScreen {
  return new WatchScreen({
    write: (text) => printer.text(text),
    paint: (piece) => printer.painted(piece),
    size: () => ({ width: stdout.columns ?? WIDTH, height: stdout.rows ?? HEIGHT }),
    nowMs: () => clock.wallMs(),
    schedule: (delayMs, task) => clock.schedule(delayMs, task),
  })
}
