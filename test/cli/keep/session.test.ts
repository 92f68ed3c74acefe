/** --keep as a whole: an emulated gateway that can vanish, a clock that stands still, and programs that a test makes up. */
import { afterEach, describe, expect, it } from 'vitest'
import { type KeepContext, keep } from '../../../src/cli/keep/session.ts'
import { type GatewayInvocation, parseInvocation } from '../../../src/cli/parse/invocation.ts'
import { renderJson } from '../../../src/cli/print/json.ts'
import { commandLineNet, END_SIGNALS, PROGRAM_SIGNALS } from '../../../src/cli/surroundings.ts'
import { TransportError } from '../../../src/domain/errors.ts'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../src/emulator.ts'
import type { GatewayNews } from '../../../src/keeper/keeper.ts'
import { SILENT_MS } from '../../../src/library/keeping/running-keepers.ts'
import type { CommandEnd, LimitedEnd } from '../../../src/net/child-process.ts'
import { memoryFiles, type PrivateFiles } from '../../../src/net/files/private-files.ts'
import { createHttpClient } from '../../../src/net/http/client.ts'
import { leanExchange } from '../../../src/net/http/lean-exchange.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ignoredLog } from '../../support/ignored.ts'
import { runCli } from '../../support/run-cli.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const DONE: LimitedEnd = { code: 0, signal: undefined, timedOut: false }
const ADDRESS = { UPNP_EXTERNAL_ADDRESS: '11.22.33.44' }
const PORT_22 = { UPNP_EXTERNAL_PORT: '22', UPNP_INTERNAL_PORT: '22', UPNP_PROTOCOL: 'TCP' }

interface Started {
  readonly argv: readonly string[]
  readonly env: Record<string, string>
  readonly signals: string[]
  readonly killed: string[]
  readonly exit: (end: Partial<CommandEnd>) => void
  readonly fail: (error: Error) => void
}

/** Loopback takes real time, which the clock of a test knows nothing of. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await settle()
}

async function emulated(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator(options)
  closing.push(() => emulator.close())
  return emulator
}

interface Settings {
  readonly files?: ReturnType<typeof memoryFiles>
  readonly isGone?: boolean
  readonly write?: (text: string) => void
  /** Listening to which gateway that is found meets a defect. */
  readonly breaksAt?: number
}

/** Begins to keep external port 22 TCP, unless other words are given. */
function keeping(emulator: Emulator, words: readonly string[] = ['-r', '22', 'TCP'], settings: Settings = {}) {
  const { files = memoryFiles(), isGone = false, write, breaksAt } = settings
  let found = 0
  const clock = new FakeClock()
  const [at, own] = [words.indexOf('--'), words.includes('--') ? words.slice(words.indexOf('--')) : []]
  const before = at === -1 ? words : words.slice(0, at)
  const invocation = parseInvocation(['-u', emulator.descriptionUrl, '--keep', ...before, ...own]) as GatewayInvocation
  if (invocation.keep === undefined) throw new Error('--keep')
  const state = {
    isGone,
    /** A request about this port is never answered. */
    ignored: undefined as number | undefined,
    hookStatus: 0,
    /** How many questions are unanswered. */
    asking: 0,
    longestMs: 0,
    exitCode: undefined as number | undefined,
    objects: [] as Record<string, unknown>[],
    files: [] as { ports: object[]; externalAddress: string | null }[],
    notified: [] as string[],
    hooks: [] as Record<string, string>[],
    started: [] as Started[],
    hearing: [] as readonly string[],
  }
  const heard = { signal: (_: string): void => {}, suspicion: (_: GatewayNews): void => {} }
  const http = createHttpClient(clock, leanExchange)
  const context: KeepContext = {
    ...commandLineNet(),
    clock,
    http: {
      request(request) {
        state.longestMs = Math.max(state.longestMs, request.timeoutMs)
        if (state.ignored !== undefined && request.body?.includes(`<NewExternalPort>${state.ignored}<`) === true)
          return new Promise(() => {})
        if (state.isGone) return Promise.reject(new TransportError('nobody is there'))
        state.asking++
        return http.request(request).finally(() => state.asking--)
      },
    },
    interfaces: () => [],
    defaultGateways: () => Promise.resolve([]),
    files,
    onSignal(names, listener) {
      state.hearing = names
      heard.signal = listener
      return () => {
        state.hearing = []
      }
    },
    startProgram(argv, env) {
      const exited = deferred<CommandEnd>()
      exited.promise.catch(() => {})
      const signals: string[] = []
      const killed: string[] = []
      state.started.push({
        argv,
        env,
        signals,
        killed,
        exit: ({ code, signal }) => exited.resolve({ code, signal }),
        fail: exited.reject,
      })
      return {
        pid: 1,
        exited: exited.promise,
        kill: (signal) => void killed.push(signal),
        passOn: (signal) => void signals.push(signal),
      }
    },
    async runHook(_, env) {
      state.hooks.push({ ...env })
      return { ...DONE, code: state.hookStatus }
    },
    writeFile(_, text) {
      write?.(text)
      state.files.push(JSON.parse(text))
    },
    notifyServiceManager: async (message) => void state.notified.push(message),
    listen: (_, onSuspicion) => {
      if (++found === breaksAt) throw new TypeError('planted')
      heard.suspicion = onSuspicion
      return () => {}
    },
  }
  const reports = keep(invocation, invocation.keep, context)
  const run = async (): Promise<void> => {
    for (;;) {
      const next = await reports.next()
      if (next.done === true) {
        state.exitCode = next.value
        return
      }
      state.objects.push(JSON.parse(renderJson(next.value)))
    }
  }
  const running = run()
  running.catch(() => {})
  const types = (): unknown[] => state.objects.map(({ type }) => type)
  const ended = async (): Promise<number | undefined> => {
    await until(() => state.exitCode !== undefined)
    await running
    return state.exitCode
  }
  return {
    clock,
    state,
    types,
    told: (type: string, times = 1): Promise<void> =>
      until(() => types().filter((each) => each === type).length >= times),
    suspect: () => heard.suspicion('event'),
    /** Lets time pass, but not while a question waits for its answer. */
    async pass(seconds: number): Promise<void> {
      for (let left = 4 * seconds; left > 0; left--) {
        await clock.advance(250)
        await until(() => state.asking === 0)
      }
    },
    signal: (name: string): void => {
      if (state.hearing.includes(name)) heard.signal(name)
    },
    ended,
    running,
    /** Nobody reads what comes after the next report. */
    leave: (): void => void reports.return(0),
    stop: (): Promise<number | undefined> => {
      heard.signal('SIGTERM')
      return ended()
    },
  }
}

function deferred<T>() {
  let [resolve, reject] = [(_: T): void => {}, (_: Error): void => {}]
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

const portsOf = (emulator: Emulator): number[] => emulator.mappings().map(({ externalPort }) => externalPort)

describe('--keep', () => {
  it('says what the same command says, and at its end closes what it opened', async () => {
    const emulator = await emulated()
    const keeper = keeping(emulator)
    await keeper.told('mapped')
    expect(portsOf(emulator)).toEqual([22])
    expect(keeper.types()).toEqual(['gateway', 'local-address', 'external-address', 'mapped'])
    expect(keeper.state.hearing).toEqual(END_SIGNALS)
    keeper.signal('SIGINT')
    expect(keeper.state.hearing).toEqual([]) // a second one does what it always does
    expect(await keeper.ended()).toBe(0)
    expect([portsOf(emulator), keeper.types().at(-1), keeper.clock.pending]).toEqual([[], 'removed', 0])
    expect(keeper.state.longestMs).toBe(8000) // no answer holds up the other ports for longer
  })

  it('says once, as the same command does, that the internet cannot come in at that address', async () => {
    const nat = keeping(await emulated({ externalAddress: '10.0.0.1' }), ['-r', '22-23', 'TCP'])
    await nat.told('mapped', 2)
    const notices = (keeper: typeof nat) => keeper.state.objects.filter(({ type }) => type === 'notice')
    expect(notices(nat)).toMatchObject([{ kind: 'address-not-public', address: '10.0.0.1' }])
    const quirks = [{ name: 'refuse', operation: 'GetExternalIPAddress', code: 501 }] as const
    const silent = keeping(await emulated({ quirks }), ['-r', '22-23', 'TCP'])
    await silent.told('mapped', 2)
    expect(notices(silent)).toMatchObject([{ kind: 'address-unknown' }])
    expect([await nat.stop(), await silent.stop()]).toEqual([0, 0])
  })

  it('ends at once if a signal comes while there is no gateway', async () => {
    const keeper = keeping(await emulated(), undefined, { isGone: true })
    await keeper.told('searching')
    expect(keeper.types()).toEqual(['searching'])
    expect(await keeper.stop()).toBe(0)
  })

  it('closes what it opened even if the gateway is back but has not been found again yet', async () => {
    const emulator = await emulated()
    const keeper = keeping(emulator)
    await keeper.told('mapped')
    await keeper.pass(15)
    keeper.state.isGone = true
    keeper.suspect()
    await keeper.told('searching')
    keeper.state.isGone = false
    expect(await keeper.stop()).toBe(0)
    expect([portsOf(emulator), keeper.types().at(-1)]).toEqual([[], 'removed'])
  })

  it('says which gateway only the first time, and that a port is open again', async () => {
    const emulator = await emulated()
    const keeper = keeping(emulator)
    await keeper.told('mapped')
    await keeper.pass(15)
    keeper.state.isGone = true
    keeper.suspect()
    await keeper.told('searching')
    emulator.forget({ externalAddress: '11.22.33.55' })
    keeper.state.isGone = false
    await keeper.clock.advance(2000)
    await keeper.told('restored')
    expect(keeper.types().slice(4)).toEqual(['gateway-lost', 'searching', 'external-address-changed', 'restored'])
    expect(portsOf(emulator)).toEqual([22])
    expect(await keeper.stop()).toBe(0)
  })

  it('takes over what a killed keeper left, and nothing else', async () => {
    const emulator = await emulated()
    const files = memoryFiles()
    const killed = keeping(emulator, undefined, { files })
    await killed.told('mapped') // and is never heard of again
    const stranger = keeping(emulator)
    await stranger.told('mapped')
    expect(await stranger.stop()).toBe(0)
    expect([portsOf(emulator), stranger.types().at(-1)]).toEqual([[22], 'left-open'])
    const next = keeping(emulator, undefined, { files })
    await next.told('mapped')
    expect(await next.stop()).toBe(0)
    expect([portsOf(emulator), await files.list('kept-')]).toEqual([[], []])
  })

  it('takes over what was opened from an address that this computer does not have any more', async () => {
    const emulator = await emulated()
    const files = memoryFiles()
    await runCli(['-u', emulator.descriptionUrl, '-a', '127.0.0.9', '22', '22', 'TCP', '3600'], { files })
    const [name = ''] = await files.list('mapping-')
    const made = JSON.parse((await files.read(name)) ?? '')
    await files.write(name, JSON.stringify({ ...made, computer: commandLineNet().computerName }))
    const keeper = keeping(emulator, undefined, { files })
    await keeper.told('mapped')
    expect(emulator.mappings().map(({ internalClient }) => internalClient)).toEqual(['127.0.0.1'])
    expect(await keeper.stop()).toBe(0)
    expect([portsOf(emulator), await files.list('kept-')]).toEqual([[], []])
  })

  it('takes over what a keeper could not close', async () => {
    const emulator = await emulated()
    const files = memoryFiles()
    const keeper = keeping(emulator, undefined, { files })
    await keeper.told('mapped')
    keeper.state.isGone = true
    expect(await keeper.stop()).toBe(0)
    expect([keeper.types().at(-1), portsOf(emulator)]).toEqual(['not-removed', [22]])
    const next = keeping(emulator, undefined, { files })
    await next.told('mapped')
    expect(await next.stop()).toBe(0)
    expect([portsOf(emulator), await files.list('kept-')]).toEqual([[], []])
  })
})

describe('a port that a running keeper holds', () => {
  const close = (emulator: Emulator, clock: FakeClock, files: PrivateFiles, words: readonly string[]) =>
    runCli(['-u', emulator.descriptionUrl, ...words], { clock, files })

  it.each([
    [['-d', '22', 'TCP'], ['-r', '22', 'TCP'], 2],
    [['-f', '22', 'TCP'], ['-r', '22', 'TCP'], 3],
    [['-d', '22', 'TCP', '203.0.113.9'], ['-a', '@', '22', '22', 'TCP', '60', '203.0.113.9'], 2],
  ])('is not closed by %j of the same user, and that is said', async (words, kept, exitCode) => {
    const emulator = await emulated()
    const files = memoryFiles()
    const keeper = keeping(emulator, kept, { files })
    await keeper.told('mapped')
    await keeper.clock.advance(600_000)
    const closed = await close(emulator, keeper.clock, files, words)
    expect([closed.exitCode, closed.stderr]).toEqual([exitCode, expect.stringMatching(/kept open by a running/)])
    const { stdout } = await close(emulator, keeper.clock, files, ['--json', ...words])
    expect(stdout).toContain('"kind":"kept"')
    expect(portsOf(emulator)).toEqual([22])
    const other = await close(emulator, keeper.clock, files, ['-d', '22', 'UDP'])
    expect(other.stderr).not.toMatch(/kept open/)
    expect(await keeper.stop()).toBe(0)
    expect([portsOf(emulator), await files.list('keeper-'), keeper.clock.pending]).toEqual([[], [], 0])
  })

  it('is still held while it is lost, because it is opened again', async () => {
    const emulator = await emulated()
    const files = memoryFiles()
    const keeper = keeping(emulator, undefined, { files })
    await keeper.told('mapped')
    await keeper.pass(15)
    keeper.state.isGone = true
    keeper.suspect()
    await keeper.told('searching')
    emulator.forget()
    expect((await close(emulator, keeper.clock, files, ['-d', '22', 'TCP'])).stderr).toMatch(/kept open/)
    expect(await keeper.stop()).toBe(0)
    expect(await files.list('keeper-')).toEqual([])
  })

  it('can be closed once its keeper was killed, and has been silent for long enough', async () => {
    const emulator = await emulated()
    const files = memoryFiles()
    const killed = keeping(emulator, undefined, { files })
    await killed.told('mapped') // and its clock goes no further
    const clock = new FakeClock()
    await clock.advance(SILENT_MS - 1)
    expect((await close(emulator, clock, files, ['-d', '22', 'TCP'])).exitCode).toBe(2)
    await clock.advance(1)
    expect((await close(emulator, clock, files, ['-d', '22', 'TCP'])).exitCode).toBe(0)
    expect([portsOf(emulator), await files.list('ke')]).toEqual([[], []]) // nor a mark
  })

  it.each([
    ['-d', '22', 'TCP'],
    ['-f', '22', 'TCP', '23', 'TCP'],
  ])('has no mark any more if the router has forgotten it: %s', async (...words) => {
    const emulator = await emulated()
    const files = memoryFiles()
    const killed = keeping(emulator, undefined, { files })
    await killed.told('mapped')
    emulator.forget()
    const clock = new FakeClock()
    await clock.advance(SILENT_MS)
    expect(await files.list('kept-')).toHaveLength(1)
    expect((await close(emulator, clock, files, words)).exitCode).toBeGreaterThan(0)
    expect(await files.list('kept-')).toEqual([])
  })

  it('is not taken by another keeper of this user that wants it for another port, while the first one runs', async () => {
    const emulator = await emulated()
    const files = memoryFiles()
    const keeper = keeping(emulator, ['-r', '9999', '22', 'TCP'], { files })
    await keeper.told('mapped')
    const other = keeping(emulator, ['-r', '80', '22', 'TCP'], { files })
    await other.told('keep-failed')
    const leads = () => emulator.mappings().map(({ externalPort, internalPort }) => [externalPort, internalPort])
    expect(leads()).toEqual([[22, 9999]])
    expect(await keeper.stop()).toBe(0)
    await other.clock.advance(60_000)
    await other.told('mapped')
    expect(leads()).toEqual([[22, 80]])
    expect(await other.stop()).toBe(0)
    expect([portsOf(emulator), await files.list('kept-')]).toEqual([[], []])
  })

  it('is held after a defect too, which costs one turn', async () => {
    const files = memoryFiles()
    const keeper = keeping(await emulated(), undefined, { files, breaksAt: 2 })
    const log = ignoredLog()
    await keeper.told('mapped')
    await keeper.pass(15)
    keeper.state.isGone = true
    keeper.suspect()
    await keeper.told('searching')
    keeper.state.isGone = false
    await keeper.clock.advance(2000)
    await keeper.told('restored')
    expect(await files.list('keeper-')).toHaveLength(1)
    expect(log.told()).toEqual([expect.stringMatching(/^turn .*: .*planted/)])
    log.end()
    expect(await keeper.stop()).toBe(0)
    expect(await files.list('keeper-')).toEqual([])
  })
})

describe('what others hear', () => {
  it('is in the state file from the start to the end', async () => {
    const keeper = keeping(await emulated(), ['-r', '22', 'TCP', '--state', 'x'])
    expect(keeper.state.files).toEqual([{ version: 1, updated: expect.any(String), externalAddress: null, ports: [] }])
    await keeper.told('mapped')
    expect(keeper.state.files.at(-1)).toMatchObject({ externalAddress: '11.22.33.44', ports: [{ externalPort: 22 }] })
    await keeper.stop()
    expect(keeper.state.files.at(-1)).toMatchObject({ externalAddress: '11.22.33.44', ports: [] })
  })

  it('is not lost if the file cannot be written: that is reported once, and tried again', async () => {
    let isFull = true
    const write = (): void => {
      if (isFull) throw new TransportError('x could not be written')
    }
    const keeper = keeping(await emulated(), ['-r', '22', 'TCP', '--state', 'x'], { write })
    await keeper.told('mapped')
    isFull = false
    await keeper.pass(2)
    expect(keeper.state.files).toMatchObject([{ ports: [{ externalPort: 22 }] }])
    await keeper.stop()
    const notices = keeper.state.objects.filter(({ type }) => type === 'notice')
    const error = { code: 'TRANSPORT', message: 'x could not be written' }
    const notice = { type: 'notice', kind: 'state-not-written', message: `${error.message}; trying again` }
    expect(notices).toEqual([{ ...notice, willTryAgain: true, error }])
    expect(keeper.clock.pending).toBe(0)
  })

  it('is a hook that runs once all ports are open, and when something changes', async () => {
    const emulator = await emulated()
    const keeper = keeping(emulator, ['-r', '22', 'TCP', '53', 'UDP', '--on-change', 'x'])
    await keeper.told('mapped', 2)
    expect(keeper.state.hooks).toEqual([
      expect.objectContaining({ ...ADDRESS, ...PORT_22, UPNP_EXTERNAL_PORT_1: '22', UPNP_EXTERNAL_PORT_2: '53' }),
    ])
    emulator.forget({ externalAddress: '11.22.33.55' })
    keeper.suspect()
    await keeper.told('restored', 2)
    expect(keeper.state.hooks.slice(1)).toEqual([expect.objectContaining({ UPNP_EXTERNAL_ADDRESS: '11.22.33.55' })])
    await keeper.stop()
    expect(keeper.state.hooks).toHaveLength(2)
  })

  it('is a hook that is told again after a failure, until it succeeds; nothing waits for it', async () => {
    const emulator = await emulated()
    const keeper = keeping(emulator, ['-r', '22', 'TCP', '--lease', '20', '--on-change', 'x'])
    keeper.state.hookStatus = 7
    await keeper.told('mapped')
    await keeper.pass(60)
    expect(keeper.state.hooks.length).toBeGreaterThan(4)
    expect(keeper.types().filter((type) => type === 'renewed').length).toBeGreaterThan(3)
    expect(keeper.types()).not.toContain('lost')
    keeper.state.hookStatus = 0
    await keeper.pass(33)
    const { length } = keeper.state.hooks
    await keeper.pass(33)
    expect(keeper.state.hooks).toEqual(Array(length).fill(expect.objectContaining({ ...ADDRESS, ...PORT_22 })))
    const told = keeper.state.objects.filter(({ kind, type }) => kind === 'hook-failed' || type === 'hook-succeeded')
    expect(told).toEqual([
      {
        type: 'notice',
        kind: 'hook-failed',
        message: '--on-change: the command failed with exit status 7; trying again',
        reason: 'exit',
        exitStatus: 7,
        willTryAgain: true,
      },
      { type: 'hook-succeeded', time: expect.any(String), failures: length - 1 },
    ])
    await keeper.stop()
  })

  it('is a hook that is told of the others if a port is refused, and of that one when it opens', async () => {
    const emulator = await emulated()
    const other = keeping(emulator, ['-a', '127.0.0.2', '1', '80', 'TCP'])
    await other.told('mapped')
    const keeper = keeping(emulator, ['-r', '80', 'TCP', '22', 'TCP', '--on-change', 'x'])
    await keeper.told('mapped')
    const port22 = { ...ADDRESS, UPNP_EXTERNAL_PORT_2: '22', UPNP_INTERNAL_PORT_2: '22', UPNP_PROTOCOL_2: 'TCP' }
    expect(keeper.state.hooks).toEqual([port22])
    emulator.forget({ externalAddress: '11.22.33.55' })
    other.suspect()
    await other.told('restored')
    keeper.suspect()
    await keeper.told('restored')
    expect(keeper.state.hooks.slice(1)).toEqual([{ ...port22, UPNP_EXTERNAL_ADDRESS: '11.22.33.55' }])
    await other.stop()
    await keeper.pass(33)
    expect(keeper.state.hooks.slice(2)).toMatchObject([{ UPNP_EXTERNAL_PORT_1: '80', UPNP_EXTERNAL_PORT_2: '22' }])
    await keeper.stop()
  })

  it('is a hook that does not wait longer than --timeout for a port that is not answered', async () => {
    const keeper = keeping(await emulated(), ['-r', '22', 'TCP', '80', 'TCP', '--timeout', '5000', '--on-change', 'x'])
    keeper.state.ignored = 80
    await keeper.told('mapped')
    await keeper.clock.advance(4999)
    expect(keeper.state.hooks).toEqual([])
    await keeper.clock.advance(1)
    expect(keeper.state.hooks).toMatchObject([{ UPNP_EXTERNAL_PORT_1: '22' }])
    expect(keeper.state.hooks[0]).not.toHaveProperty('UPNP_EXTERNAL_PORT_2')
    const ending = keeper.stop()
    await keeper.clock.advance(10_000)
    await ending
  })

  it('is nothing for a hook while no port could be had', async () => {
    const keeper = keeping(await emulated(), ['-r', '22', 'TCP', '--timeout', '5000', '--on-change', 'x'], {
      isGone: true,
    })
    await keeper.told('searching')
    await keeper.clock.advance(6000)
    expect(keeper.state.hooks).toEqual([])
    keeper.state.isGone = false
    await keeper.clock.advance(10_000)
    await keeper.told('mapped')
    expect(keeper.state.hooks).toHaveLength(1)
    await keeper.stop()
  })

  it('is READY=1 once, and STOPPING=1 once', async () => {
    const emulator = await emulated()
    const keeper = keeping(emulator)
    await keeper.told('mapped')
    emulator.forget()
    keeper.suspect()
    await keeper.told('restored')
    await keeper.stop()
    const messages = keeper.state.notified.filter((message) => !message.startsWith('STATUS='))
    expect(messages).toEqual(['READY=1', 'STOPPING=1'])
    expect(keeper.state.notified).toContain('STATUS=11.22.33.44:22 TCP is open')
  })
})

describe('a command', () => {
  const COMMAND = ['-r', '22', 'TCP', '--timeout', '5000', '--', 'serve', '-v']

  it('runs once when the ports are open; when it ends, everything ends, with its status', async () => {
    const emulator = await emulated()
    const keeper = keeping(emulator, COMMAND)
    await keeper.told('mapped')
    const [command] = keeper.state.started
    expect(command).toMatchObject({ argv: ['serve', '-v'], env: { ...ADDRESS, ...PORT_22 } })
    emulator.forget()
    keeper.suspect()
    await keeper.told('restored')
    await keeper.clock.advance(5000)
    expect(keeper.state.started).toHaveLength(1)
    command?.exit({ code: 7 })
    expect(await keeper.ended()).toBe(7)
    expect(portsOf(emulator)).toEqual([])
  })

  it('is stopped if nobody reads the reports any more: nobody would keep its ports', async () => {
    const keeper = keeping(await emulated(), COMMAND)
    await keeper.told('mapped')
    await until(() => keeper.state.started.length > 0)
    keeper.leave()
    await keeper.pass(15)
    keeper.state.isGone = true
    keeper.suspect()
    await keeper.running
    expect(keeper.state.started.map(({ killed }) => killed)).toEqual([['SIGTERM']])
  })

  it('outlives a defect of the keeper', async () => {
    const keeper = keeping(await emulated(), COMMAND, { breaksAt: 1 })
    await keeper.told('mapped')
    await until(() => keeper.state.started.length > 0)
    await keeper.pass(15)
    expect(keeper.state.started.map(({ killed }) => killed)).toEqual([[]])
    keeper.state.started[0]?.exit({ code: 3 })
    expect(await keeper.ended()).toBe(3)
  })

  it('gets the signals, and the ports stay open until it ends', async () => {
    const emulator = await emulated()
    const keeper = keeping(emulator, COMMAND)
    await keeper.told('mapped')
    expect(keeper.state.hearing).toEqual(PROGRAM_SIGNALS)
    for (const name of ['SIGUSR1', 'SIGTERM', 'SIGTERM']) keeper.signal(name)
    await settle()
    expect([keeper.state.started[0]?.signals, portsOf(emulator)]).toEqual([['SIGUSR1', 'SIGTERM', 'SIGTERM'], [22]])
    keeper.state.started[0]?.exit({ signal: 'SIGTERM' })
    expect(await keeper.ended()).toBe(143)
    expect(keeper.state.hearing).toEqual([])
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
  ])('that was not started yet has not done its work: %s is exit %i', async (name, status) => {
    const keeper = keeping(await emulated(), COMMAND, { isGone: true })
    await keeper.told('searching')
    keeper.signal('SIGUSR1') // for the command only
    expect(keeper.state.exitCode).toBeUndefined()
    keeper.signal(name)
    expect([await keeper.ended(), keeper.state.started, keeper.state.hearing]).toEqual([status, [], []])
  })

  it('starts without ports when its time is up; they are still opened', async () => {
    const emulator = await emulated()
    const keeper = keeping(emulator, COMMAND, { isGone: true })
    await keeper.told('searching')
    await keeper.clock.advance(4999)
    expect(keeper.state.started).toEqual([])
    await keeper.clock.advance(1)
    expect(keeper.state.started).toMatchObject([{ env: {} }])
    expect(keeper.state.objects.at(-1)).toEqual({
      type: 'notice',
      kind: 'started-without-ports',
      message: 'no port was open within 5 s: the program starts anyway',
      someOpen: false,
      afterSeconds: 5,
    })
    expect(keeper.state.notified).toContain('READY=1')
    keeper.state.isGone = false
    await keeper.clock.advance(10_000)
    await keeper.told('mapped')
    keeper.state.started[0]?.exit({ code: 0 })
    expect(await keeper.ended()).toBe(0)
    expect([keeper.state.started.length, portsOf(emulator)]).toEqual([1, []])
  })

  it('has the open ports if not all are open', async () => {
    const emulator = await emulated()
    const other = keeping(emulator, ['-a', '127.0.0.2', '1', '80', 'TCP'])
    await other.told('mapped')
    const keeper = keeping(emulator, ['-r', '80', 'TCP', '22', 'TCP', '--timeout', '5000', '--', 'serve'])
    await keeper.told('mapped')
    await keeper.told('keep-failed')
    await keeper.clock.advance(5000)
    const env = keeper.state.started[0]?.env ?? {}
    expect(env).toMatchObject({ ...ADDRESS, UPNP_EXTERNAL_PORT_2: '22' })
    expect([env.UPNP_EXTERNAL_PORT, env.UPNP_EXTERNAL_PORT_1]).toEqual([undefined, undefined])
    keeper.state.started[0]?.exit({ code: 0 })
    await keeper.ended()
    await other.stop()
  })

  it('is not started without ports if they are required: exit 1', async () => {
    const keeper = keeping(await emulated(), ['--require', ...COMMAND], { isGone: true })
    await keeper.told('searching')
    await keeper.clock.advance(5000)
    expect(await keeper.ended()).toBe(1)
    expect(keeper.state.started).toEqual([])
    expect(keeper.state.objects.at(-1)).toEqual({
      type: 'error',
      error: {
        code: 'NO_GATEWAY',
        message: 'no port was open within 5 s, and --require was given: the program does not start',
      },
    })
  })

  it('that cannot be started is exit 127', async () => {
    const emulator = await emulated()
    const keeper = keeping(emulator, COMMAND)
    await keeper.told('mapped')
    keeper.state.started[0]?.fail(new TransportError("'serve' could not be started: no such command"))
    expect(await keeper.ended()).toBe(127)
    expect(portsOf(emulator)).toEqual([])
    expect(keeper.state.objects.map(({ type }) => type)).toContain('error')
  })
})

describe('--for', () => {
  it('ends after that time, with the port closed and a success', async () => {
    const emulator = await emulated()
    const { clock, state, told, pass, ended } = keeping(emulator, ['open', '22', '--for', '1m'])
    await told('mapped')
    await pass(59)
    expect([state.exitCode, emulator.mappings().length]).toEqual([undefined, 1])
    await pass(1)
    expect([await ended(), emulator.mappings().length, clock.pending]).toEqual([0, 0, 0])
  })

  it('is over by the clock on the wall, however long this computer has slept', async () => {
    const { clock, told, pass, ended } = keeping(await emulated(), ['open', '22', '--for', '2h'])
    await told('mapped')
    await pass(3600)
    clock.sleep(2 * 3_600_000)
    await pass(60)
    expect(await ended()).toBe(0)
  })

  it('asks a program to end, and takes that for a success', async () => {
    const { state, pass, ended } = keeping(await emulated(), ['open', '22', '--for', '1m', '--', 'game'])
    await until(() => state.started.length > 0)
    await pass(60)
    expect(state.started[0]?.signals).toEqual(['SIGTERM'])
    state.started[0]?.exit({ code: undefined, signal: 'SIGTERM' })
    expect(await ended()).toBe(0)
  })

  it.each([
    ['2 if the port was never open', {}, 2],
    ['1 if no router was ever found', { isGone: true }, 1],
  ])('ends in %s', async (_, settings, exitCode) => {
    const emulator = await emulated()
    occupy(emulator)
    const { state, pass, ended } = keeping(emulator, ['open', '22', '--for', '1m'], settings)
    await until(() => state.objects.length > 0)
    await pass(60)
    expect(await ended()).toBe(exitCode)
  })

  it('ends in 2 if one of two ports was never open', async () => {
    const emulator = await emulated()
    occupy(emulator)
    const { told, pass, ended } = keeping(emulator, ['open', '22', '23', '--for', '1m'])
    await told('mapped')
    await pass(60)
    expect(await ended()).toBe(2)
  })

  it('is a success if the port was open, and is not at the end', async () => {
    const emulator = await emulated()
    const { state, told, pass, ended } = keeping(emulator, ['open', '22', '--for', '1h'])
    await told('mapped')
    state.isGone = true
    await pass(3600)
    expect(await ended()).toBe(0)
  })

  it.each([
    ['that never started', ['--for', '30s'], 30],
    ['that started without its port', ['--for', '2m'], 120],
  ])('ends in 2 with a program %s', async (_, words, seconds) => {
    const emulator = await emulated()
    occupy(emulator)
    const { state, told, pass, ended } = keeping(emulator, ['open', '22', ...words, '--', 'game'])
    await told('keep-failed')
    await pass(seconds)
    state.started[0]?.exit({ code: undefined, signal: 'SIGTERM' })
    expect(await ended()).toBe(2)
  })

  it('closes the port at that time though the program goes on, and waits for the program, which still gets signals', async () => {
    const emulator = await emulated()
    const { state, told, pass, ended, signal } = keeping(emulator, ['open', '22', '--for', '1m', '--', 'game'])
    await until(() => state.started.length > 0)
    await pass(60)
    await told('removed')
    await pass(3600)
    expect([emulator.mappings().length, state.exitCode, state.started[0]?.killed]).toEqual([0, undefined, []])
    signal('SIGINT')
    expect(state.started[0]?.signals).toEqual(['SIGTERM', 'SIGINT'])
    state.started[0]?.exit({ code: 3 })
    expect(await ended()).toBe(3)
    expect(state.hearing).toEqual([])
  })
})

/** Another computer has external port 22. */
function occupy(emulator: Emulator): void {
  const elsewhere = { internalClient: '192.168.1.31', internalPort: 22, description: 'ssh' }
  emulator.addMapping({ externalPort: 22, protocol: 'TCP', ...elsewhere })
}
