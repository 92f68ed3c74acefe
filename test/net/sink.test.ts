/** Where output goes without waiting: a pipe that is full, a socket, a file. */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FileSink, ProgramSink, type Sink, sinkFor } from '../../src/net/sink.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'upnp-ts-sink-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const CHUNK = Buffer.alloc(1000, 'x')

/** Returns how many bytes it took until it was full. */
function fill(sink: Sink): number {
  let bytes = 0
  for (;;) {
    const taken = sink.take(CHUNK)
    if (taken === 0) return bytes
    bytes += taken
  }
}

/** Both ends of a pipe. */
function pipe(name: string): number {
  const path = join(folder, name)
  execFileSync('mkfifo', [path])
  return openSync(path, 'r+')
}

async function until(test: () => boolean): Promise<void> {
  while (!test()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe.skipIf(process.platform === 'win32')('a sink', () => {
  it.skipIf(process.platform !== 'linux')('is a pipe that says that it is full, and takes more when it is read', () => {
    const descriptor = pipe('full')
    const sink = sinkFor(descriptor)
    expect(sink).toBeInstanceOf(FileSink)
    const bytes = fill(sink)
    expect(bytes).toBeGreaterThan(4000)
    expect(readSync(descriptor, Buffer.alloc(10_000))).toBe(10_000)
    expect(fill(sink)).toBeGreaterThan(4000)
    sink.close()
    expect(fstatSync(descriptor).isFIFO()).toBe(true) // the descriptor of this process stays open, and as it was
    closeSync(descriptor)
  })

  it('is a program that waits alone where the pipe cannot be opened anew, and is ended with it', async () => {
    const descriptor = pipe('program')
    const sink = new ProgramSink(descriptor)
    expect(fill(sink)).toBeGreaterThan(4000)
    sink.finish()
    expect([sink.take(CHUNK), sink.isBusy]).toEqual([0, true])
    sink.close()
    await until(() => !sink.isBusy)
    closeSync(descriptor)
  })

  it('is a program that writes everything, in its order, before it ends', async () => {
    const path = join(folder, 'written')
    const descriptor = openSync(path, 'w')
    const sink = new ProgramSink(descriptor)
    for (const text of ['one\n', 'two\n']) expect(sink.take(Buffer.from(text))).toBe(4)
    sink.finish()
    await until(() => !sink.isBusy)
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
    closeSync(descriptor)
  })

  it('is the open file itself, whose position goes on', () => {
    const path = join(folder, 'log')
    const descriptor = openSync(path, 'w')
    writeSync(descriptor, 'before\n')
    const sink = sinkFor(descriptor)
    expect(sink.take(Buffer.from('line\n'))).toBe(5)
    sink.close()
    writeSync(descriptor, 'after\n')
    expect(readFileSync(path, 'utf8')).toBe('before\nline\nafter\n')
    closeSync(descriptor)
  })

  it.skipIf(process.platform !== 'linux')('is full while the disk is', () => {
    const descriptor = openSync('/dev/full', constants.O_WRONLY)
    expect(sinkFor(descriptor).take(CHUNK)).toBe(0)
    closeSync(descriptor)
  })

  it('throws whatever else is in the way', () => {
    const descriptor = openSync(join(folder, 'log'), 'r')
    expect(() => sinkFor(descriptor).take(CHUNK)).toThrow(/EBADF/)
    closeSync(descriptor)
  })
})
