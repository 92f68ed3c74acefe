/** What is remembered of a router and of what was made at it, and what is said where that is of no use. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMPUTER, COMPUTER_SECOND, DESCRIPTION_URL, type Lab, upnpTsCommand } from './lab.ts'
import { doorsOf, letAnotherTake } from './router-doors.ts'
import { changeRouter, freshState, type HowToRun, labUp, run, switchUpnpOff } from './router-lab.ts'

const DOOR = [`TCP 8000 -> ${COMPUTER}:8000`]
const open = (lab: Lab, how?: HowToRun, ...options: string[]) => run(lab, [...options, '-r', '8000', 'TCP'], how)
const close = (lab: Lab, how?: HowToRun) => run(lab, ['-d', '8000', 'TCP'], how)

describe('UPnP switched off after a mapping was made over it', { timeout: 60_000 }, () => {
  test('-d does not say that it is closed, and says when the lease ends', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    expect(await run(lab, ['-a', '@', '8000', '8000', 'TCP', '3600'])).toMatchObject({ via: 'IGD', exit: 0 })
    await switchUpnpOff(lab)
    for (const argv of [
      ['-d', '8000', 'TCP'],
      ['--json', '-d', '8000', 'TCP'],
    ]) {
      const { exit, stderr, stdout } = await run(lab, argv)
      expect({ exit, doors: await doorsOf(lab) }).toEqual({ exit: 2, doors: DOOR })
      expect(argv.includes('--json') ? stdout : stderr).toMatch(/lease|ends/)
    }
    expect(await run(lab, ['-f', '8000', 'TCP'])).toMatchObject({ exit: 3 })
  })

  test('a port that was made over PCP is closed over PCP', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    expect(await open(lab, {}, '--via', 'pcp')).toMatchObject({ exit: 0 })
    await switchUpnpOff(lab)
    expect(await close(lab)).toMatchObject({ via: 'PCP', exit: 0 })
    expect(await doorsOf(lab)).toEqual([])
  })
})

describe('another router with the same address', { timeout: 60_000 }, () => {
  test('is not taken for the one at which the port was made over PCP', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished, { upnp: false })
    expect(await open(lab)).toMatchObject({ via: 'PCP', exit: 0 })
    await changeRouter(lab, { upnp: true })
    await lab.upnpc('-u', DESCRIPTION_URL, '-r', '8000', 'TCP')
    expect(await doorsOf(lab)).toEqual(DOOR)
    expect(await close(lab)).toMatchObject({ via: 'IGD', exit: 0 })
    expect(await doorsOf(lab)).toEqual([])
  })

  test('keeps the port that another computer has there', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    expect(await open(lab)).toMatchObject({ via: 'IGD', exit: 0 })
    await changeRouter(lab, { upnp: false })
    await letAnotherTake(lab, 8000)
    const { exit } = await close(lab)
    expect({ exit, doors: await doorsOf(lab) }).toEqual({ exit: 2, doors: [`TCP 8000 -> ${COMPUTER_SECOND}:8000`] })
  })

  test('is found at its own URL, as soon as any', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    for (const _ of ['for the first time', 'again']) expect(await open(lab)).toMatchObject({ via: 'IGD', exit: 0 })
    await changeRouter(lab, { httpPort: 5001 })
    const opened = await open(lab)
    expect(opened).toMatchObject({ via: 'IGD', router: '192.168.86.1:5001', stderr: '', exit: 0 })
    expect(opened.wallMs).toBeLessThan(1700)
    expect(await doorsOf(lab)).toEqual(DOOR)
  })
})

describe('a state that cannot be written', { timeout: 60_000 }, () => {
  /** What is mounted is so for this command only. */
  const mounted = (lab: Lab, options: string, fill = ':'): HowToRun => {
    const stateHome = freshState(lab)
    const script = `mount -t tmpfs -o ${options} none ${stateHome}; cd ${stateHome}; ${fill}; cd /; exec "$@"`
    return { stateHome, by: ['sh', '-c', script, 'sh'] }
  }
  const BAD = {
    'on a read-only disk': (lab: Lab) => mounted(lab, 'ro,size=64k'),
    'on a full disk': (lab: Lab) => mounted(lab, 'size=64k', 'dd if=/dev/zero of=full bs=4k 2> /dev/null'),
    'under a file': (): HowToRun => ({ stateHome: '/etc/passwd/state' }),
  }

  const CASES = Object.keys(BAD).flatMap((where) =>
    [true, false].map((upnp) => ({ where: where as keyof typeof BAD, upnp })),
  )
  test.for(CASES)('$where costs nothing but memory, UPnP $upnp', async ({ where, upnp }, { onTestFinished }) => {
    const lab = await labUp(onTestFinished, { upnp })
    const opened = await open(lab, BAD[where](lab))
    expect({ exit: opened.exit, doors: await doorsOf(lab) }).toEqual({ exit: 0, doors: DOOR })
    expect(opened.stderr).not.toMatch(/bug|at .*\.js:\d/)
    const closed = await close(lab, BAD[where](lab))
    const left = await doorsOf(lab)
    // Over PCP without its key nobody can close it, which must be said.
    expect([closed.exit, left]).toEqual(upnp || left.length === 0 ? [0, []] : [2, DOOR])
  })

  test('that many commands write at once is whole', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const ports = Array.from({ length: 12 }, (_, at) => `${8100 + at}`)
    const vias = ['igd', 'pcp', 'nat-pmp']
    const opened = ports.map((port, at) => run(lab, ['--via', vias[at % 3] ?? '', '-r', port, 'TCP']))
    expect((await Promise.all(opened)).map(({ exit }) => exit)).toEqual(ports.map(() => 0))
    const closed = await Promise.all(ports.map((port) => run(lab, ['-d', port, 'TCP'])))
    expect(closed.map(({ exit }) => exit)).toEqual(ports.map(() => 0))
    expect(await doorsOf(lab)).toEqual([])
  })
})

describe('two users of one computer', { timeout: 60_000 }, () => {
  /** A user with a state of their own. */
  function user(uid: number, onTestFinished: (cleanUp: () => void) => void): HowToRun {
    const home = mkdtempSync(join(tmpdir(), 'upnp-ts-user-'))
    onTestFinished(() => rmSync(home, { recursive: true, force: true }))
    const script = `chown ${uid}:${uid} ${home}; exec setpriv --reuid ${uid} --regid ${uid} --clear-groups "$@"`
    return { stateHome: home, by: ['sh', '-c', script, 'sh'], env: { HOME: home, XDG_CACHE_HOME: home } }
  }

  test('one closes what the other opened over UPnP, and is told that it was not their own', async ({
    onTestFinished,
  }) => {
    const lab = await labUp(onTestFinished)
    expect(await open(lab, user(61001, onTestFinished))).toMatchObject({ via: 'IGD', exit: 0 })
    const closed = await close(lab, user(61002, onTestFinished))
    expect({ exit: closed.exit, doors: await doorsOf(lab) }).toEqual({ exit: 0, doors: [] })
    expect(closed.stderr).toMatch(/another program or user/)
  })

  test('one is not told that it was not their own, if it was', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const one = user(61001, onTestFinished)
    expect(await open(lab, one)).toMatchObject({ exit: 0 })
    expect(await close(lab, one)).toMatchObject({ exit: 0, stderr: '' })
    expect(await doorsOf(lab)).toEqual([])
  })

  test('one cannot close what the other opened over PCP, and is not told that it is closed', async ({
    onTestFinished,
  }) => {
    const lab = await labUp(onTestFinished, { upnp: false })
    expect(await open(lab, user(61001, onTestFinished))).toMatchObject({ via: 'PCP', exit: 0 })
    const { exit } = await close(lab, user(61002, onTestFinished))
    expect({ exit, doors: await doorsOf(lab) }).toEqual({ exit: 2, doors: DOOR })
  })

  test('a port that a keeper of this user holds is not closed, and that is said', async ({ onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    const keeping = lab.spawn('computer', upnpTsCommand('-r', '8000', 'TCP', '--keep'))
    await keeping.says(/is redirected to internal/)
    const { exit, stderr } = await close(lab)
    expect({ exit, doors: await doorsOf(lab) }).toEqual({ exit: 2, doors: DOOR })
    expect(stderr).toMatch(/keep/)
    keeping.kill('SIGTERM')
    expect(await keeping.ends()).toMatchObject({ exit: 0 })
    expect(await doorsOf(lab)).toEqual([])
  })
})
