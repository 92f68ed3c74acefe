/** A router in secure mode opens ports for the address that asks, so it is asked from the address that is meant. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMPUTER, COMPUTER_IPV6, COMPUTER_SECOND, DESCRIPTION_URL, Lab, upnpTsCommand } from './lab.ts'
import { doorsOf } from './router-doors.ts'
import { plugIn, run, sh } from './router-lab.ts'

describe('a router in secure mode', { timeout: 60_000 }, () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await Lab.up({ secureMode: true, pcp: false })
  })
  afterAll(() => lab.down())

  const SECOND_HAS = [`TCP 8000 -> ${COMPUTER_SECOND}:8000`]
  test.for<[string[], string[]]>([
    [['-a', COMPUTER_SECOND, '8000', '8000', 'TCP'], SECOND_HAS],
    [['-n', COMPUTER_SECOND, '8000', '8000', 'TCP'], SECOND_HAS],
    [['-m', COMPUTER_SECOND, '-r', '8000', 'TCP'], SECOND_HAS],
    [['-m', COMPUTER_SECOND, '-n', '@', '8000', '8000', 'TCP'], SECOND_HAS],
    [['-u', DESCRIPTION_URL, '-m', COMPUTER_SECOND, '-r', '8000', 'TCP'], SECOND_HAS],
    [['--gateway', '192.168.86.1', '-m', COMPUTER_SECOND, '-r', '8000', 'TCP'], SECOND_HAS],
    [['--json', '-a', COMPUTER_SECOND, '8000', '8000', 'UDP'], [`UDP 8000 -> ${COMPUTER_SECOND}:8000`]],
    [
      ['-m', COMPUTER_SECOND, '-r', '8000', 'TCP+UDP'],
      [...SECOND_HAS, `UDP 8000 -> ${COMPUTER_SECOND}:8000`],
    ],
    [['-m', 'eth0', '-r', '8000', 'TCP'], [`TCP 8000 -> ${COMPUTER}:8000`]],
  ])('opens the port by %j for the address that was named, and -d closes it', async ([argv, doors]) => {
    expect(await run(lab, argv)).toMatchObject({ stderr: '', exit: 0 })
    expect(await doorsOf(lab)).toEqual(doors)
    const keys = doors.flatMap((door) => ['8000', door.slice(0, 3)])
    expect(await run(lab, ['-d', ...keys])).toMatchObject({ exit: 0 })
    expect(await doorsOf(lab)).toEqual([])
  })

  test('names that address as the one of this computer', async () => {
    const { stdout } = await run(lab, ['-m', COMPUTER_SECOND, '-s'])
    expect(stdout).toContain(`\nLocal LAN ip address : ${COMPUTER_SECOND}\n`)
  })

  test('opens the firewall over IPv6 for the address that was named', async () => {
    const { stdout, exit } = await run(lab, ['-6', '-m', COMPUTER_IPV6, '-A', '', '0', '@', '8022', 'TCP', '600'])
    expect({ exit, local: /^Local LAN ip address : (.+)$/m.exec(stdout)?.[1] }).toEqual({
      exit: 0,
      local: COMPUTER_IPV6,
    })
  })

  test('has the port kept open for that address, and closed at the end', async () => {
    const keeping = lab.spawn('computer', upnpTsCommand('-a', COMPUTER_SECOND, '8000', '8000', 'TCP', '120', '--keep'))
    await keeping.says(/is redirected to internal/)
    expect(await doorsOf(lab)).toEqual(SECOND_HAS)
    keeping.kill('SIGTERM')
    expect(await keeping.ends()).toMatchObject({ exit: 0 })
    expect(await doorsOf(lab)).toEqual([])
  })

  test('cannot be asked from an address that does not lead to it, and the error names that address', async () => {
    await plugIn(lab, { host: '+a', name: 'docker0', computer: '172.17.0.1', address: '172.17.0.2' })
    const ways = [
      ['-u', DESCRIPTION_URL, '-m', 'docker0', '-r', '8000', 'TCP'],
      ['-u', DESCRIPTION_URL, '-a', '172.17.0.1', '8000', '8000', 'TCP'],
    ]
    for (const argv of ways) {
      const { exit, stderr } = await run(lab, argv)
      expect(exit).toBeGreaterThan(0)
      expect(stderr).toContain('(asked from 172.17.0.1)')
    }
    await sh(lab, 'computer', 'ip link del docker0')
    expect(await doorsOf(lab)).toEqual([])
  })
})
