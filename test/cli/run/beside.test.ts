/** IPv6 beside IPv4: at the same time, reported after it, and not waited for. The clock stands still. */
import { describe, expect, it } from 'vitest'
import type { RunContext } from '../../../src/cli/context.ts'
import type { Reporting } from '../../../src/cli/failure.ts'
import type { ExitCode, Report } from '../../../src/cli/report.ts'
import { runBeside } from '../../../src/cli/run/beside.ts'
import { commandLineNet } from '../../../src/cli/surroundings.ts'
import { NoReplyError } from '../../../src/domain/errors.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ASKED, MAPPING, NOTHING_FOUND, PINHOLE } from '../../support/reports.ts'

const MAPPED: Report = { type: 'mapped', asked: ASKED, mapping: MAPPING, externalAddress: '203.0.113.7' }
const ADDED: Report = { type: 'pinhole-added', via: 'igd', asked: PINHOLE, ok: true, id: 1, leaseSeconds: 3600 }
const ERROR = { code: 'NO_GATEWAY', message: 'nobody' } as const

async function* yields(exitCode: ExitCode, ...reports: readonly Report[]): Reporting<ExitCode> {
  yield* reports
  return exitCode
}

/** Ends when the signal aborts. */
async function* never({ signal }: RunContext): Reporting<ExitCode> {
  yield* []
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  return 0
}

function besideOn(clock: FakeClock, ipv4: (context: RunContext) => Reporting<ExitCode>, ipv6: typeof ipv4) {
  const { signal } = new AbortController()
  const state = { reports: [] as Report[], exitCode: undefined as ExitCode | undefined }
  const running = (async () => {
    const reports = runBeside({ ...commandLineNet(), clock, signal, files: memoryFiles() }, ipv4, ipv6)
    for (;;) {
      const next = await reports.next()
      if (next.done === true) {
        state.exitCode = next.value
        return
      }
      state.reports.push(next.value)
    }
  })()
  return { state, running }
}

describe('IPv6 beside IPv4', () => {
  it('is reported after it, without whom it has asked', async () => {
    const device: Report = { type: 'local-address', address: '2001:db8::5' }
    const { state, running } = besideOn(
      new FakeClock(),
      () => yields(0, MAPPED),
      () => yields(0, device, ADDED),
    )
    await running
    expect(state).toEqual({ exitCode: 0, reports: [MAPPED, ADDED] })
  })

  it('begins when the requests of IPv4 are on their way', async () => {
    const order: string[] = []
    async function* ipv4({ onIdle }: RunContext): Reporting<ExitCode> {
      yield* []
      order.push('sent')
      onIdle?.()
      await settle()
      order.push('done')
      return 0
    }
    async function* ipv6(): Reporting<ExitCode> {
      yield* []
      order.push('IPv6')
      return 0
    }
    await besideOn(new FakeClock(), ipv4, ipv6).running
    expect(order).toEqual(['sent', 'IPv6', 'done'])
  })

  it('is not waited for longer than a second, and that is said', async () => {
    const clock = new FakeClock()
    const { state, running } = besideOn(clock, () => yields(0, MAPPED), never)
    await clock.advance(999)
    expect(state).toEqual({ exitCode: undefined, reports: [MAPPED] })
    await clock.advance(1)
    await running
    expect(state.exitCode).toBe(0)
    expect(state.reports).toMatchObject([MAPPED, { type: 'notice', kind: 'not-over-ipv6', late: true }])
    expect(clock.pending).toBe(0)
  })

  it('is told of if it was opened all the same, however the waiting ended', async () => {
    async function* atTheLastMoment({ signal }: RunContext): Reporting<ExitCode> {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      yield ADDED
      throw signal.reason
    }
    const clock = new FakeClock()
    const late = besideOn(clock, () => yields(0, MAPPED), atTheLastMoment)
    await clock.advance(1000)
    await late.running
    expect(late.state.reports).toMatchObject([MAPPED, ADDED, { type: 'notice', kind: 'not-over-ipv6', late: true }])
    async function* failing({ onIdle }: RunContext): Reporting<ExitCode> {
      yield* []
      onIdle?.()
      await settle()
      throw new NoReplyError('no time is left')
    }
    const failed = besideOn(new FakeClock(), failing, atTheLastMoment)
    await expect(failed.running).rejects.toThrow('no time is left')
    expect(failed.state.reports).toEqual([ADDED])
  })

  it('is no failure of the command, whatever fails there', async () => {
    const error: Report = { type: 'error', error: ERROR, searched: NOTHING_FOUND }
    const failing = besideOn(
      new FakeClock(),
      () => yields(0, MAPPED),
      () => yields(1, error),
    )
    await failing.running
    expect(failing.state).toEqual({
      exitCode: 0,
      reports: [MAPPED, { type: 'notice', kind: 'not-over-ipv6', error: ERROR, searched: NOTHING_FOUND, late: false }],
    })
    async function* throwing(): Reporting<ExitCode> {
      yield* []
      throw new NoReplyError('no answer')
    }
    const thrown = besideOn(new FakeClock(), () => yields(2), throwing)
    await thrown.running
    expect(thrown.state.exitCode).toBe(2)
    expect(thrown.state.reports).toMatchObject([{ type: 'notice', kind: 'not-over-ipv6', late: false }])
  })
})
