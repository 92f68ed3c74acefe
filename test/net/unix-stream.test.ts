import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MalformedMessageError, NoReplyError, TransportError } from '../../src/domain/errors.ts'
import { systemClock } from '../../src/net/clock.ts'
import { createUnixStreams, type UnixExchangeOptions } from '../../src/net/unix-stream.ts'
import { FakeClock } from '../support/fake-clock.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

let directory: string
let path: string
const servers: Server[] = []
const connections: Socket[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'unix-stream-'))
  path = join(directory, 'socket')
})

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.destroy()
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
  rmSync(directory, { recursive: true })
})

/** A daemon at `path`. */
async function listen(onConnection: (connection: Socket) => void): Promise<Server> {
  const server = createServer((connection) => {
    connections.push(connection)
    connection.on('error', () => {})
    onConnection(connection)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return server
}

const endsIn =
  (end: string) =>
  (answer: Uint8Array): boolean =>
    Buffer.from(answer).toString('latin1').endsWith(end)

function ask(options: Partial<UnixExchangeOptions> = {}, clock = systemClock, at = path): Promise<string> {
  return createUnixStreams(clock)
    .exchange(at, bytes('\0\xffask'), { timeoutMs: 5000, maxBytes: 100, isComplete: endsIn('.'), ...options })
    .then((answer) => Buffer.from(answer).toString('latin1'))
}

/** What it was rejected with. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('an exchange on a unix socket', { skip: process.platform === 'win32' }, () => {
  it('sends the question and ends where the answer is complete, though the other side stays', async () => {
    let closed = (): void => {}
    const isClosed = new Promise<void>((resolve) => (closed = resolve))
    await listen((connection) => {
      connection.on('close', closed)
      connection.on('data', (question) => connection.write(Buffer.concat([Buffer.from('re: '), question, bytes('.')])))
    })
    expect(await ask()).toBe('re: \0\xffask.')
    await isClosed
  })

  it('is asked after every piece, with all that has come', async () => {
    const asked: string[] = []
    await listen((connection) => connection.once('data', () => connection.write('a')))
    const isComplete = (answer: Uint8Array): boolean => {
      asked.push(Buffer.from(answer).toString())
      connections[0]?.write(asked.length === 1 ? 'b' : '.')
      return endsIn('.')(answer)
    }
    expect(await ask({ isComplete })).toBe('ab.')
    expect(asked).toEqual(['a', 'ab', 'ab.'])
  })

  it.each(['', 'half an answ'])('has %j where the other side closes after that', async (answer) => {
    await listen((connection) => connection.once('data', () => connection.end(answer)))
    expect(await ask()).toBe(answer)
  })

  it('may take as many bytes as it says, and not one more', async () => {
    await listen((connection) => connection.once('data', () => connection.write('12345.')))
    expect(await ask({ maxBytes: 6 })).toBe('12345.')
    expect(await failureOf(ask({ maxBytes: 5 }))).toBeInstanceOf(TransportError)
  })

  it('ends with what isComplete throws', async () => {
    await listen((connection) => connection.once('data', () => connection.write('nonsense')))
    const error = new MalformedMessageError('sense', 'nonsense')
    const isComplete = (): boolean => {
      throw error
    }
    expect(await failureOf(ask({ isComplete }))).toBe(error)
  })

  it('fails where nothing is at the path', async () => {
    const error = await failureOf(ask())
    expect(error).toBeInstanceOf(TransportError)
    expect(error).toMatchObject({ cause: { code: 'ENOENT' }, message: expect.stringContaining(path) })
  })

  it('fails where nobody listens', async () => {
    writeFileSync(path, '')
    const error = await failureOf(ask())
    expect(error).toBeInstanceOf(TransportError)
    expect(error).toMatchObject({ cause: { code: expect.stringMatching(/^(ECONNREFUSED|ENOTSOCK)$/) } })
  })

  it.each([
    ['a directory', () => directory],
    ['a path that is too long for a socket', () => join(directory, 'x'.repeat(200))],
    ['an empty path', () => ''],
  ])('fails with %s', async (_name, at) => {
    expect(await failureOf(ask({}, systemClock, at()))).toBeInstanceOf(TransportError)
  })

  it('ends at its deadline, which arriving bytes do not move', async () => {
    const clock = new FakeClock()
    let connected = (): void => {}
    const isConnected = new Promise<void>((resolve) => (connected = resolve))
    await listen((connection) => connection.once('data', connected))
    const error = failureOf(ask({ timeoutMs: 500 }, clock))
    await isConnected
    await clock.advance(499)
    connections[0]?.write('not the end')
    expect(clock.pending).toBe(1)
    await clock.advance(1)
    expect(await error).toBeInstanceOf(NoReplyError)
    expect(clock.pending).toBe(0)
  })

  it('leaves no timer and no connection behind', async () => {
    const clock = new FakeClock()
    const server = await listen((connection) => connection.once('data', () => connection.write('.')))
    expect(await ask({}, clock)).toBe('.')
    expect(clock.pending).toBe(0)
    await vi.waitFor(async () => {
      const count = await new Promise((resolve) => server.getConnections((_error, number) => resolve(number)))
      expect(count).toBe(0)
    })
  })

  it('ends with the reason of the signal', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    await listen((connection) => connection.once('data', () => stop.abort(reason)))
    expect(await failureOf(ask({ signal: stop.signal }))).toBe(reason)
    expect(await failureOf(ask({ signal: stop.signal }))).toBe(reason)
  })
})
