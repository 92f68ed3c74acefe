/** Ctrl-C half way: what a verb has opened or closed is told, and what is in doubt. */
import { afterEach, describe, expect, it } from 'vitest'
import { commandLineNet } from '../../../src/cli/surroundings.ts'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { runCli } from '../../support/run-cli.ts'

const closing: Emulator[] = []
afterEach(async () => {
  for (const emulator of closing.splice(0)) await emulator.close()
})

/** Ctrl-C is typed when the router is asked for that action the n-th time. Returns what is there when the process ends. */
async function interrupted(line: string, action: string, nth: number, before?: string) {
  const emulator = await startEmulator({ externalAddress: '203.0.113.7' })
  closing.push(emulator)
  const files = memoryFiles()
  const where = ['--url', emulator.descriptionUrl]
  if (before !== undefined) await runCli([...before.split(' '), ...where], { files })
  const listeners = new Set<(name: string) => void>()
  const raised: string[] = []
  let text = ''
  const stream = (sign: string) => ({
    write: (more: string) => {
      if (raised.length === 0) text += more.replace(/^(?=.)/gm, sign)
    },
    on: () => {},
    isTTY: true,
  })
  const net = commandLineNet()
  let asked = 0
  await runCli([...line.split(' '), ...where], {
    files,
    stdout: stream(''),
    stderr: stream('! '),
    env: { NO_COLOR: '1' },
    onSignal: (_, listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    raise: (name) => void raised.push(name),
    stdin: () => Object.assign(noKeys(), { isTTY: true }),
    http: {
      request: (request) => {
        if (request.action === action) asked++
        if (asked === nth && raised.length === 0) for (const listener of [...listeners]) listener('SIGINT')
        return net.http.request(request)
      },
    },
  })
  expect(listeners.size).toBe(0)
  return { text: text.replaceAll(` ${where.join(' ')}`, '').replace(/(Until +).*;/, '$1DATE;'), raised }
}

async function* noKeys(): AsyncGenerator<string> {}

describe('Ctrl-C', () => {
  it('in the midst of many ports leaves nobody in the dark about what is open', async () => {
    expect(await interrupted('open 2000-2099', 'AddPortMapping', 4)).toEqual({
      text: `
Your router now lets ports 2000-2002 TCP in.
  Friends connect to   203.0.113.7, ports 2000-2002
  They lead to         this computer (127.0.0.1), ports 2000-2002
  Until                DATE; add --keep to keep them open
! Interrupted. Port 2003 TCP may be open or not. Ports 2004-2099 TCP were not asked for.
!   upnp-ts list                  shows what is open
!   upnp-ts close 2000-2003/tcp   closes what is open of these
`,
      raised: ['SIGINT'],
    })
  })

  it('while the only port is opened says that it may be open', async () => {
    const { text } = await interrupted('open 2222:22', 'AddPortMapping', 1)
    expect(text).toBe(`
! Interrupted. Port 2222 TCP may be open or not.
!   upnp-ts list             shows what is open
!   upnp-ts close 2222/tcp   closes what is open of these
`)
  })

  it('leaves the endpoints alone on stdout', async () => {
    const { text } = await interrupted('open 2000-2002 --print endpoint', 'AddPortMapping', 2)
    expect(text).toMatch(/^\n203\.0\.113\.7:2000\n! Interrupted\. Port 2001 TCP may be open or not\. Port 2002 TCP was/)
  })

  it('before a router is asked says nothing', async () => {
    expect(await interrupted('open 2000-2099', 'nothing', 0)).toEqual({ text: '', raised: ['SIGINT'] })
  })

  it('in the midst of closing says what is left', async () => {
    expect((await interrupted('close 2000-2002', 'DeletePortMapping', 2, 'open 2000-2002')).text).toBe(`
Port 2000 TCP is closed.
! Interrupted. Ports 2000 UDP and 2001-2002 TCP and UDP may still be open.
!   upnp-ts close 2000-2002   closes the rest
`)
  })

  it('in the midst of close --mine says what is left', async () => {
    const { text } = await interrupted('close --mine --yes', 'DeletePortMapping', 2, 'open 2000-2002')
    expect(text).toContain('Port 2000 TCP is closed.\n! Interrupted. Ports 2001-2002 TCP may still be open.')
  })

  it('leaves letters as they are', async () => {
    const { text } = await interrupted('-r 2000 TCP 2001 TCP', 'AddPortMapping', 2)
    expect(text).toContain('external 203.0.113.7:2000 TCP is redirected')
    expect(text).not.toContain('Interrupted')
  })
})
