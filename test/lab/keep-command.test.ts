/** What goes with `upnp-ts --keep`: a command, a hook, a file with the state, and waiting for a router. */
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, test } from 'vitest'
import { doorOf, endBy, eventsOf, keep, keepOpen, labUp, ROUTERS, told } from './keep-lab.ts'
import { upnpTsCommand } from './lab.ts'
import { doorsOf } from './router-doors.ts'

const DOOR = doorOf('igd', 8080)
const SHOW = 'env | grep ^UPNP_ | sort | tr "\\n" " "'

describe.concurrent('a command that runs while ports are open', { timeout: 60_000 }, () => {
  test('gets them in its environment; its end is the end', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished, ROUTERS.igd)
    const one = await lab.on('computer', upnpTsCommand(...DOOR.argv, '--keep', '--', 'sh', '-c', `${SHOW}; exit 7`))
    expect(one.exit).toBe(7)
    expect(one.stdout).toContain(
      'UPNP_EXTERNAL_ADDRESS=11.22.33.44 UPNP_EXTERNAL_PORT=8080 UPNP_INTERNAL_PORT=8080 UPNP_PROTOCOL=TCP ',
    )
    const several = ['-r', '80', '8080', 'TCP', '53', 'UDP']
    const two = await lab.on('computer', upnpTsCommand('--keep', ...several, '--', 'sh', '-c', SHOW))
    expect(two.exit).toBe(0)
    expect(two.stdout).toContain(
      'UPNP_EXTERNAL_ADDRESS=11.22.33.44 UPNP_EXTERNAL_PORT=8080 UPNP_EXTERNAL_PORT_1=8080 UPNP_EXTERNAL_PORT_2=53 ' +
        'UPNP_INTERNAL_PORT=80 UPNP_INTERNAL_PORT_1=80 UPNP_INTERNAL_PORT_2=53 ' +
        'UPNP_PROTOCOL=TCP UPNP_PROTOCOL_1=TCP UPNP_PROTOCOL_2=UDP ',
    )
    expect(await doorsOf(lab)).toEqual([])
  })

  test('gets the signal, may take its time, and its status is that of all', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished, ROUTERS.igd)
    const waits = 'trap "sleep 1; echo it ends; exit 5" TERM; echo it runs; while :; do sleep 0.1; done'
    const dies = 'echo it runs; exec sleep 60'
    for (const [script, exit] of [
      [waits, 5],
      [dies, 143],
    ] as const) {
      const keeper = lab.spawn('computer', upnpTsCommand(...DOOR.argv, '--keep', '--', 'sh', '-c', script))
      await keeper.says(/it runs/)
      expect(await doorsOf(lab)).toHaveLength(1)
      expect(await endBy(keeper, 'SIGTERM')).toMatchObject({ exit })
      expect(await doorsOf(lab)).toEqual([])
    }
  })

  test('starts without a port when there is none in time; --require forbids it', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished, ROUTERS.igd)
    await lab.stopRouter()
    const argv = [...DOOR.argv, '--timeout', '2000', '--keep']
    const command = ['--', 'sh', '-c', `echo "it runs: $(${SHOW})"; exec sleep 60`]
    const required = lab.spawn('computer', upnpTsCommand(...argv, '--require', ...command))
    const keeper = lab.spawn('computer', upnpTsCommand(...argv, ...command))
    await keeper.says(/^it runs: $/m)
    const { stdout, exit } = await required.ends()
    expect({ exit, ran: stdout.includes('it runs') }).toEqual({ exit: 1, ran: false })
    await lab.startRouter()
    await keeper.says(/external 11\.22\.33\.44:8080 TCP is redirected/, undefined, 'stderr') // it went on trying
    expect(await endBy(keeper, 'SIGTERM')).toMatchObject({ exit: 143 })
    expect(await doorsOf(lab)).toEqual([])
  })

  test('that does not exist is an exit of 127', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished, ROUTERS.igd)
    const { stderr, exit } = await lab.on('computer', upnpTsCommand(...DOOR.argv, '--keep', '--', 'no-such-command'))
    expect({ stderr, exit }).toEqual({ stderr: expect.stringContaining("'no-such-command' could not be"), exit: 127 })
    expect(await doorsOf(lab)).toEqual([])
  })
})

describe.concurrent('a keeper', { timeout: 60_000 }, () => {
  test('that is there before the router says so once, and maps when it comes', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished)
    await lab.stopRouter()
    const doors = [doorOf('igd', 8080), doorOf('pcp', 8081), doorOf('nat-pmp', 8082)]
    const keepers = doors.map(({ argv }) => keep(lab, [...argv, '--json']))
    await Promise.all(keepers.map((keeper) => keeper.says(told('searching'))))
    await pause(3000)
    await lab.startRouter()
    await Promise.all(keepers.map((keeper) => keeper.says(told('mapped'), 5000)))
    expect(await doorsOf(lab)).toHaveLength(3)
    for (const keeper of keepers) {
      const { stdout, exit } = await endBy(keeper, 'SIGTERM')
      const types = eventsOf(stdout).map(({ type }) => type)
      expect({ exit, said: types.filter((type) => type === 'searching') }).toEqual({ exit: 0, said: ['searching'] })
    }
  })

  test('tells a hook and a file of changes', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished, ROUTERS.igd)
    const [log, file] = ['hook.txt', 'state.json'].map((name) => `/run/upnp-ts-lab-${lab.name}/${name}`) as [
      string,
      string,
    ]
    const hook = `echo "$UPNP_EXTERNAL_ADDRESS:$UPNP_EXTERNAL_PORT" >> ${log}; sleep 1; echo over >> ${log}`
    const seen = new Set<string>()
    let isOver = false
    const reader = (async () => {
      for (; !isOver; await pause(1)) {
        const text = await readFile(file, 'utf8').catch(() => undefined)
        if (text === undefined) continue
        const { externalAddress, ports } = JSON.parse(text) as { externalAddress: string; ports: object[] }
        seen.add(`${externalAddress} ${ports.length}`)
      }
    })()
    const keeper = await keepOpen(lab, [...DOOR.argv, '--on-change', hook, '--state', file])
    await lab.reboot({ externalAddress: '11.22.33.55' })
    await keeper.says(told('external-address-changed'))
    await keeper.says(told('restored'))
    for (let hooks = 0; hooks < 2; await pause(50)) hooks = (await readFile(log, 'utf8')).split('over').length - 1
    const state = JSON.parse(await readFile(file, 'utf8')) as unknown
    const { exit } = await endBy(keeper, 'SIGTERM')
    expect(exit).toBe(0)
    isOver = true
    await reader
    expect(state).toEqual({
      version: 1,
      updated: expect.any(String),
      externalAddress: '11.22.33.55',
      ports: [expect.objectContaining({ protocol: 'TCP', externalPort: 8080, internalPort: 8080 })],
    })
    expect([...seen]).toEqual(expect.arrayContaining(['11.22.33.44 1', '11.22.33.55 1']))
    expect(await readFile(log, 'utf8')).toBe('11.22.33.44:8080\nover\n11.22.33.55:8080\nover\n')
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ ports: [] }) // the end is known too
  })

  test('tells people what happens, line by line', async ({ expect, onTestFinished }) => {
    const lab = await labUp(onTestFinished, ROUTERS.igd)
    const keeper = keep(lab, DOOR.argv)
    await keeper.says(/redirected to internal/)
    await lab.reboot()
    await keeper.says(/open again for 604(?:800|799) s, after /)
    const { stdout } = await endBy(keeper, 'SIGTERM')
    expect(stdout).toMatch(
      /\d\d:\d\d\.\d{3}Z external port 8080 TCP: open again for 604(?:800|799) s, after \d+\.\d s\n/,
    )
    expect(stdout).toMatch(
      /\nexternal 11\.22\.33\.44:8080 TCP is redirected to internal .+ \(duration=604(?:800|799)\)\n/,
    )
    expect(stdout).toMatch(/\n\S+Z external port 8080 TCP: closed\n$/)
  })
})
