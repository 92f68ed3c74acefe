import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TransportError } from '../../src/domain/errors.ts'
import { notifyServiceManager } from '../../src/net/child-process.ts'
import { FakeClock } from '../support/fake-clock.ts'

let directory: string
const path = (name: string): string => join(directory, name)

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'service-manager-'))
  // As systemd-notify: it is told where by its environment; this one appends to that file.
  script('notify', `echo "$*" >> "$NOTIFY_SOCKET"`)
  script('failing', `echo "$*" >> "$NOTIFY_SOCKET"; exit 1`)
  script('slow', `echo "$*" >> "$NOTIFY_SOCKET"; trap '' TERM; while :; do :; done`)
  writeFileSync(path('no-program'), 'x', { mode: 0o644 })
})
afterAll(() => rmSync(directory, { recursive: true }))

function script(name: string, text: string): void {
  writeFileSync(path(name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
}

function told(name: string): string {
  try {
    return readFileSync(path(name), 'utf8')
  } catch {
    return ''
  }
}

describe.skipIf(process.platform === 'win32')('the service manager', () => {
  it('is told what is so, by the first program that is there', async () => {
    const env = { NOTIFY_SOCKET: path('told'), PATH: '/nowhere', OTHER: undefined }
    const programs = ['missing', 'no-program', 'notify', 'failing'].map(path)
    await notifyServiceManager('READY=1', env, { programs })
    await notifyServiceManager('STOPPING=1', env, { programs })
    expect(told('told')).toBe('READY=1\nSTOPPING=1\n')
  })

  it('hears a message as it is: there is no shell', async () => {
    await notifyServiceManager('STATUS=$(id) `id`', { NOTIFY_SOCKET: path('raw') }, { programs: [path('notify')] })
    expect(told('raw')).toBe('STATUS=$(id) `id`\n')
  })

  it.each([{}, { NOTIFY_SOCKET: '' }, { NOTIFY_SOCKET: undefined }])(
    'is not there with %j: nothing is run',
    async (env) => {
      script('never', `touch ${path('was-run')}; echo > ${path('was-run')}`)
      await notifyServiceManager('READY=1', env, { programs: [path('never')] })
      expect(told('was-run')).toBe('')
    },
  )

  it.each([
    ['there is no program', []],
    ['it is not where it should be', ['missing', 'no-program']],
  ])('is told in vain where %s, in silence', async (_name, names) => {
    await notifyServiceManager('READY=1', { NOTIFY_SOCKET: path('vain') }, { programs: names.map(path) })
  })

  it('has not heard where the program fails, or cannot be started after all', async () => {
    writeFileSync(path('broken'), '#!/no/such/interpreter\n', { mode: 0o755 })
    for (const name of ['failing', 'broken']) {
      const telling = notifyServiceManager('READY=1', { NOTIFY_SOCKET: path('x') }, { programs: [path(name)] })
      await expect(telling, name).rejects.toThrow(TransportError)
    }
  })

  it('is not waited for longer than two seconds, and one more for a program that will not end', async () => {
    const clock = new FakeClock()
    let isOver = false
    const options = { programs: [path('slow')], clock }
    const telling = notifyServiceManager('READY=1', { NOTIFY_SOCKET: path('slow-told') }, options).catch((error) => {
      isOver = true
      expect(error).toBeInstanceOf(TransportError)
    })
    while (told('slow-told') === '') await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(1999)
    expect(isOver).toBe(false)
    await clock.advance(1001)
    await telling
    expect(clock.pending).toBe(0)
  })
})
