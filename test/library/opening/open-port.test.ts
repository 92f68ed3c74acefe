/** Ports that a program opens in one call, at an emulated router. */
import { describe, expect, it } from 'vitest'
import { InvalidArgumentError, NoGatewayError, NoReplyError } from '../../../src/domain/errors.ts'
import { wishesOf } from '../../../src/library/gateway/search-wishes.ts'
import { openPort } from '../../../src/library/opening/open-ports.ts'
import type { PortChange } from '../../../src/library/opening/port-changes.ts'
import { openPortAt } from '../../../src/library/opening/port-groups.ts'
import { searchGateway } from '../../../src/library/search-gateway.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { HOUR_MS, Home, MINUTE_MS, SECOND_MS, toldBy, VIAS } from './home.ts'

describe.each(VIAS)('openPort over %s', (via) => {
  it('opens a port, keeps it for hours, closes it, and leaves nothing behind', async () => {
    const home = await Home.begin()
    const port = await home.open(8080, { via })
    const [endpoint] = port.endpoints
    expect(endpoint).toMatchObject({
      family: 4,
      protocol: 'TCP',
      via,
      externalPort: 8080,
      internalPort: 8080,
      internalClient: '192.168.1.10',
    })
    expect(port.endpoints).toHaveLength(1)
    expect(port.failures).toEqual([])
    expect([port.isOpen, port.externalPort, port.externalAddress]).toEqual([true, 8080, '198.51.100.1'])
    expect(endpoint?.endsAt?.getTime()).toBeGreaterThan(home.net.clock.wallMs() + 7100 * SECOND_MS)
    const told = toldBy(port)
    await home.pass(8 * HOUR_MS)
    expect(home.doors).toEqual(['8080 TCP'])
    expect(new Set(told)).toEqual(new Set(['renewed 198.51.100.1:8080']))
    const { removed, left } = await home.close(port)
    expect([removed.length, left]).toEqual([1, []])
    expect(told.at(-1)).toBe('closed 198.51.100.1:8080')
    expect(await port.close()).toEqual({ removed, left })
    expect([home.doors, port.isOpen, port.externalPort]).toEqual([[], false, 8080])
    await home.expectNothingLeft()
  })

  it('opens it again after a restart, and says so', async () => {
    const home = await Home.begin()
    const port = await home.open(8080, { via })
    const told = toldBy(port)
    await home.pass(MINUTE_MS)
    home.router.restart({ downMs: 20 * SECOND_MS, isAnnounced: true })
    await home.pass(28 * SECOND_MS)
    expect(home.doors).toEqual(['8080 TCP'])
    const changes = told.filter((change) => !change.startsWith('renewed') && !change.startsWith('failed'))
    expect(changes).toEqual(['lost 198.51.100.1:8080', 'restored 198.51.100.1:8080'])
    expect(port.isOpen).toBe(true)
    await home.close(port)
    await home.expectNothingLeft()
  })

  it('says that it has moved when the router comes back with another address', async () => {
    const home = await Home.begin()
    const port = await home.open(8080, { via })
    const told = toldBy(port)
    await home.pass(MINUTE_MS)
    home.router.restart({ downMs: 5 * SECOND_MS, isAnnounced: true, externalAddress: '198.51.100.77' })
    await home.pass(MINUTE_MS)
    expect(told.filter((change) => change.startsWith('moved'))).toEqual(['moved 198.51.100.77:8080'])
    expect(port.isOpen).toBe(true)
    expect(port.externalAddress).toBe('198.51.100.77')
    await home.close(port)
    await home.expectNothingLeft()
  })

  it('takes another port if its own is taken after a restart, or says that it cannot have it', async () => {
    const home = await Home.begin()
    const [movable, fixed] = await home.openAll([{ port: 8080, externalPort: 'any' }, 8081], { via })
    if (movable?.status !== 'fulfilled' || fixed?.status !== 'fulfilled') throw new Error('both are open')
    const [told, failures] = [toldBy(movable.value), [] as PortChange[]]
    fixed.value.onChange((change) => change.type === 'failed' && failures.push(change))
    home.router.restart({ downMs: 2 * SECOND_MS, isAnnounced: true }, () => {
      for (const port of [8080, 8081]) home.router.occupy(home.stranger, port, 'TCP', 600)
    })
    await home.pass(2 * MINUTE_MS)
    const { externalPort } = movable.value
    expect([movable.value.isOpen, fixed.value.isOpen, externalPort !== 8080]).toEqual([true, false, true])
    expect(told).toContain(`moved 198.51.100.1:${externalPort}`)
    expect(failures.at(-1)).toMatchObject({ error: { name: expect.any(String) }, retryInMs: expect.any(Number) })
    for (const change of failures)
      if (change.type === 'failed')
        expect(change.retryInMs, 'whole milliseconds').toBe(Math.max(0, Math.ceil(change.retryInMs)))
    expect(fixed.value.failures).toHaveLength(1)
    await home.pass(20 * MINUTE_MS)
    expect([fixed.value.isOpen, fixed.value.failures]).toEqual([true, []])
    await home.during(Promise.all([movable.value.close(), fixed.value.close()]), 2000)
    expect(home.doors).toEqual([])
    await home.expectNothingLeft()
  })

  it('stays with a router that is gone for an hour', async () => {
    const home = await Home.begin()
    const port = await home.open(8080, { via })
    const told = toldBy(port)
    home.router.restart({ downMs: HOUR_MS, isAnnounced: false })
    await home.pass(50 * MINUTE_MS)
    expect(port.isOpen).toBe(false)
    expect(port.endpoints).toHaveLength(1)
    expect(told.filter((change) => change.startsWith('lost'))).toHaveLength(1)
    await home.pass(20 * MINUTE_MS)
    expect(home.doors).toEqual(['8080 TCP'])
    expect(told.filter((change) => change.startsWith('restored'))).toHaveLength(1)
    expect(port.isOpen).toBe(true)
    await home.close(port)
    await home.expectNothingLeft()
  })

  it('rejects if another computer has the port, and opens another one if any will do', async () => {
    const home = await Home.begin()
    home.router.occupy(home.stranger, 8080, 'TCP', 7200)
    const refused = {
      code: 'REFUSED',
      isPortTaken: true,
      hint: expect.stringContaining("externalPort: 'any'"),
      gateway: { protocol: via, address: '192.168.1.1' },
      holder: via === 'igd' ? expect.objectContaining({ internalClient: '192.168.1.99' }) : undefined,
    }
    const failure: unknown = await home.open(8080, { via }).catch((error: unknown) => error)
    expect(failure).toMatchObject(refused)
    expect(String(failure)).not.toMatch(/ -\w/)
    expect(home.doors).toEqual([])
    await home.expectNothingLeft()
    home.router.occupy(home.stranger, 8080, 'TCP', 7200)
    const port = await home.open(8080, { via, externalPort: 'any' })
    expect(port.externalPort).not.toBe(8080)
    expect(port.endpoints).toMatchObject([{ internalPort: 8080 }])
    await home.close(port)
    expect(home.doors).toEqual([])
    await home.expectNothingLeft()
  })

  it('opens TCP and UDP on one port, or neither', async () => {
    const home = await Home.begin()
    const port = await home.open(8080, { via, protocol: 'TCP+UDP' })
    expect(port.endpoints.map(({ protocol }) => protocol)).toEqual(['TCP', 'UDP'])
    expect(home.doors).toEqual(['8080 TCP', '8080 UDP'])
    await home.close(port)
    home.router.occupy(home.stranger, 8080, 'UDP', 7200)
    await expect(home.open(8080, { via, protocol: 'TCP+UDP' })).rejects.toBeInstanceOf(Error)
    expect(home.doors).toEqual([])
    home.router.occupy(home.stranger, 8080, 'UDP', 7200)
    const both = await home.open(8080, { via, protocol: 'TCP+UDP', externalPort: 'any' })
    const [tcp, udp] = both.endpoints
    expect([tcp?.protocol, udp?.protocol, tcp?.externalPort]).toEqual(['TCP', 'UDP', udp?.externalPort])
    expect(tcp?.externalPort).not.toBe(8080)
    await home.close(both)
    expect(home.doors).toEqual([])
    await home.expectNothingLeft()
  })

  it.each(['TCP', 'UDP'] as const)('takes another port for TCP and UDP at once if %s is taken', async (protocol) => {
    const home = await Home.begin()
    for (const taken of [8080, 8081, 8082]) home.router.occupyOne(taken, protocol)
    const port = await home.open(8080, { via, protocol: 'TCP+UDP', externalPort: 'any' }, SECOND_MS)
    const [tcp, udp] = port.endpoints
    expect(home.doors).toEqual([`${tcp?.externalPort} TCP`, `${udp?.externalPort} UDP`])
    expect(tcp?.externalPort).toBe(udp?.externalPort)
    const told = toldBy(port)
    home.router.forget()
    for (const taken of [tcp?.externalPort ?? 0, 8090]) home.router.occupyOne(taken, protocol)
    await home.pass(SECOND_MS)
    expect(new Set(home.doors.map((door) => door.split(' ', 1)[0])).size).toBe(1)
    expect([home.doors.length, port.isOpen, port.externalPort !== tcp?.externalPort]).toEqual([2, true, true])
    expect(told.at(-1)).toMatch(/^moved/)
    await home.close(port)
    await home.expectNothingLeft()
  })

  it('with keep: false opens it once, without a timer or socket, and close() removes it', async () => {
    const home = await Home.begin()
    const port = await home.open(8080, { via, keep: false, lease: 36_000 })
    await home.expectNothingLeft()
    expect(home.doors).toEqual(['8080 TCP'])
    expect((await home.close(port)).removed).toHaveLength(1)
    expect(home.doors).toEqual([])
    await home.expectNothingLeft()
  })

  it('closed while the router does not answer ends in time, and says what is left', async () => {
    const home = await Home.begin()
    const port = await home.open(8080, { via })
    home.router.computer.isMute = true
    const { value, tookMs } = await home.during(port.close(), 2000)
    expect(tookMs).toBeLessThanOrEqual(2000)
    expect(value.removed).toEqual([])
    expect(value.left).toMatchObject([{ endpoint: { externalPort: 8080 }, why: expect.any(String) }])
    await home.pass(30 * SECOND_MS)
    await home.expectNothingLeft()
  })

  it('aborted at any moment rejects with the reason, and leaves nothing open', async () => {
    for (const afterMs of [0, 2, 3, 5, 8, 13, 50, 1500, 1600, 1650]) {
      const home = await Home.begin()
      const stop = new AbortController()
      const reason = new Error('enough')
      const opening = openPort(8080, { net: home.net, via, signal: stop.signal }).catch((error: unknown) => error)
      await home.pass(afterMs)
      stop.abort(reason)
      const { value } = await home.during(opening, 2000)
      if (value === reason) expect(home.doors).toEqual([])
      else if (typeof value === 'object' && value !== null && 'close' in value) expect(home.doors).toEqual(['8080 TCP'])
      else throw value
      if (value === reason) await home.expectNothingLeft()
    }
  })

  it('aborted while the router does not answer leaves nothing open when it does', async () => {
    const home = await Home.begin()
    const stop = new AbortController()
    const opening = openPort(8080, { net: home.net, via, signal: stop.signal })
    const failed = expect(opening).rejects.toThrow('enough')
    while (home.doors.length === 0) await home.pass(1)
    home.computer.isDeaf = true
    await home.pass(100)
    stop.abort(new Error('enough'))
    await home.pass(300)
    home.computer.isDeaf = false
    await home.pass(3000)
    await failed
    expect(home.doors).toEqual([])
    await home.expectNothingLeft()
  })

  it('bounds the call with timeoutMs, and not the open port', async () => {
    const home = await Home.begin()
    const port = await home.open(8080, { via, timeoutMs: 10_000, signal: new AbortController().signal })
    await home.pass(5 * HOUR_MS)
    expect(port.isOpen).toBe(true)
    await home.close(port)
    home.router.computer.isUp = false
    await expect(home.open(8080, { via, timeoutMs: 700 })).rejects.toBeInstanceOf(NoReplyError)
    await home.expectNothingLeft()
  })

  it('rejects without a router, with the error of the search', async () => {
    const home = await Home.begin()
    home.router.computer.isUp = false
    await expect(home.open(8080, { via })).rejects.toBeInstanceOf(NoGatewayError)
    await home.expectNothingLeft()
  })
})

describe.each(VIAS)('openPorts over %s', (via) => {
  it('shares one search, says for each what came of it, and closes each alone', async () => {
    const home = await Home.begin()
    home.router.occupy(home.stranger, 81, 'TCP', 7200)
    const alone = await home.open(79, { via })
    const sentForOne = home.sent
    await home.close(alone)
    home.sent = 0
    const [web, taken, wrong, game] = await home.openAll([80, 81, 0, { port: 25_565, protocol: 'UDP' }], { via })
    expect(home.sent).toBeLessThan(sentForOne + 30)
    expect(taken?.status).toBe('rejected')
    expect(wrong).toMatchObject({ status: 'rejected', reason: expect.any(InvalidArgumentError) })
    if (web?.status !== 'fulfilled' || game?.status !== 'fulfilled') throw new Error('two are open')
    expect(home.doors).toEqual(['25565 UDP', '80 TCP'])
    expect((await home.close(web.value)).removed).toMatchObject([{ externalPort: 80 }])
    expect(home.doors).toEqual(['25565 UDP'])
    const told = toldBy(game.value)
    home.router.restart({ downMs: 5 * SECOND_MS, isAnnounced: true })
    await home.pass(8 * HOUR_MS)
    expect(home.doors).toEqual(['25565 UDP'])
    expect(told).toContain('restored 198.51.100.1:25565')
    expect((await home.close(game.value)).removed).toMatchObject([{ externalPort: 25_565 }])
    expect(home.doors).toEqual([])
    await home.expectNothingLeft()
  })

  it('closes many at one moment', async () => {
    const home = await Home.begin()
    const opened = await home.openAll(
      Array.from({ length: 20 }, (_, at) => 3000 + at),
      { via },
    )
    const ports = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    expect([ports.length, home.doors.length]).toEqual([20, 20])
    const { value } = await home.during(Promise.all(ports.map((port) => port.close())), 2000)
    expect(value.flatMap(({ removed }) => removed)).toHaveLength(20)
    expect(home.doors).toEqual([])
    await home.expectNothingLeft()
  })
})

describe('openPort', () => {
  it('asks all three protocols, and takes the IGD', async () => {
    const home = await Home.begin()
    const port = await home.open(8080)
    expect(port.endpoints).toMatchObject([{ via: 'igd' }])
    await home.close(port)
    await home.expectNothingLeft()
  })

  it.each(VIAS)('at a gateway of %s that was found already searches only when that is lost', async (via) => {
    const home = await Home.begin()
    const { net } = home
    const found = searchGateway({ ...wishesOf({ via, net }), family: 4 }, net)
    const { value: opened } = await home.during(found, 20_000)
    home.multicasts = 0
    const port = (await home.during(openPortAt(opened, 8080, { net }), 20_000)).value
    expect(home.multicasts).toBe(0)
    expect(port.endpoints).toMatchObject([{ via }])
    home.router.restart({ downMs: 2 * MINUTE_MS, isAnnounced: true })
    await home.pass(5 * MINUTE_MS)
    expect([port.isOpen, home.multicasts > 0]).toEqual([true, true])
    await home.close(port)
    await home.expectNothingLeft()
  })

  it('leaves alone what was open before, and says so', async () => {
    const home = await Home.begin()
    const theirs = { ...home.net, files: memoryFiles() }
    const one = await home.open(8080, { via: 'igd', description: 'game', net: theirs })
    const other = await home.open(8080, { via: 'igd', description: 'game' })
    const { removed, left } = await home.close(other)
    expect(removed).toEqual([])
    expect(left).toMatchObject([{ endpoint: { externalPort: 8080 }, why: expect.stringContaining('before') }])
    expect(home.doors).toEqual(['8080 TCP'])
    await home.close(one)
    expect(home.doors).toEqual([])
  })

  it('leaves a port to another one of this user that keeps it', async () => {
    const home = await Home.begin()
    const one = await home.open(8080, { via: 'igd' })
    const other = await home.open(8080, { via: 'igd', net: { ...home.net } })
    await home.pass(MINUTE_MS)
    const { left } = await home.close(other)
    expect(left).toMatchObject([{ why: 'another program of this user keeps it open' }])
    expect(home.doors).toEqual(['8080 TCP'])
    expect((await home.close(one)).removed).toHaveLength(1)
    expect(home.doors).toEqual([])
  })

  it('says which family has failed, and keeps the other', async () => {
    const home = await Home.begin()
    const port = await home.open(8080, { family: 'both' })
    expect(port.endpoints).toMatchObject([{ family: 4 }])
    expect(port.failures).toMatchObject([{ name: 'NoGatewayError' }])
    expect([port.isOpen, home.doors]).toEqual([true, ['8080 TCP']])
    await home.close(port)
    await home.expectNothingLeft()
    await expect(home.open(8080, { family: 6 })).rejects.toBeInstanceOf(NoGatewayError)
    await home.expectNothingLeft()
  })

  it('tells readers, each on its own, until it is closed', async () => {
    const home = await Home.begin()
    const port = await home.open(8080)
    const changes = port.changes()
    await home.pass(3 * HOUR_MS)
    home.router.restart({ downMs: 5 * SECOND_MS, isAnnounced: true })
    await home.pass(MINUTE_MS)
    await home.close(port)
    const types: PortChange['type'][] = []
    for await (const { type } of changes) types.push(type)
    expect(types.filter((type) => type !== 'failed')).toEqual(['renewed', 'renewed', 'lost', 'restored', 'closed'])
    expect(await port.changes().next()).toEqual({ done: true, value: undefined })
  })

  it('closes itself at the end of a block', async () => {
    const home = await Home.begin()
    const port = await home.open(8080)
    await home.during(Promise.resolve(port[Symbol.asyncDispose]()), 2000)
    expect(home.doors).toEqual([])
    await home.expectNothingLeft()
  })

  it.each([
    [0, {}, 'port 0 is not'],
    [80, { externalPort: 70_000 }, 'externalPort 70000'],
    [80, { lease: 0 }, 'a lease of 0 s'],
    [80, { timeoutMs: 0 }, 'timeoutMs'],
    [80, { family: 6, externalPort: 81 }, 'a pinhole translates no port'],
    [80, { family: 6, internalClient: '192.168.1.5' }, 'which a pinhole needs'],
    [80, { family: 'both', internalClient: '192.168.1.5' }, 'open each family on its own'],
    [80, { internalClient: 'name' }, 'internal client'],
    [80, { description: '\n\0' }, 'the description has control characters'],
  ] as const)('rejects port %s with %j, and asks nobody', async (port, options, message) => {
    const home = await Home.begin()
    await expect(home.open(port, options)).rejects.toThrow(message)
    await expect(home.open(port, options)).rejects.toBeInstanceOf(InvalidArgumentError)
    expect(home.sent).toBe(0)
  })

  it('with an aborted signal asks nobody', async () => {
    const home = await Home.begin()
    const reason = new Error('enough')
    await expect(home.open(80, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(home.sent).toBe(0)
  })
})
