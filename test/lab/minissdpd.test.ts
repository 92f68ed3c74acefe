/**
 * A real MiniSSDPd beside us on the computer: what it says is what the codec reads, and with it upnpc and upnp-ts find
 * the router although the router hears no search.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { searchMiniSsdpd } from '../../src/client/search/where-to-ask.ts'
import { systemClock } from '../../src/net/clock.ts'
import { createUnixStreams } from '../../src/net/unix-stream.ts'
import {
  decodeMiniSsdpdReply,
  decodeMiniSsdpdVersion,
  encodeMiniSsdpdRequest,
  MAX_MINISSDPD_REPLY_BYTES,
  type MiniSsdpdDevice,
  type MiniSsdpdRequest,
} from '../../src/wire/minissdpd.ts'
import { belowBanner } from './banner.ts'
import { DESCRIPTION_URL, Lab } from './lab.ts'

const unixStreams = createUnixStreams(systemClock)
const ROUTER_UUID = 'uuid:b3e0a0e4-5f3c-4c39-9f0e-2d6b7c3a9a10'
/** Searched as :1; MiniSSDPd answers with the version that was announced (which upnpc prints then). */
const IGD = 'urn:schemas-upnp-org:device:InternetGatewayDevice:2'

const announced = (ST: string): MiniSsdpdDevice => ({
  LOCATION: DESCRIPTION_URL,
  ST,
  USN: `${ROUTER_UUID}::${ST}`,
})

async function labUp(): Promise<Lab> {
  const lab = await Lab.up()
  onTestFinished(() => lab.down())
  return lab
}

/** Starts the daemon on the computer; resolves to the path of its socket, once it answers there. */
async function startDaemon(lab: Lab): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'minissdpd-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'socket')
  lab.spawn('computer', ['minissdpd', '-d', '-i', 'eth0', '-s', path, '-p', join(directory, 'pid')])
  await vi.waitFor(() => version(path), { timeout: 10_000 })
  return path
}

function exchange(
  path: string,
  request: MiniSsdpdRequest,
  isComplete: (answer: Uint8Array) => boolean,
): Promise<Uint8Array> {
  const question = encodeMiniSsdpdRequest(request)
  return unixStreams.exchange(path, question, { timeoutMs: 5000, maxBytes: MAX_MINISSDPD_REPLY_BYTES, isComplete })
}

async function version(path: string): Promise<string | undefined> {
  const isComplete = (answer: Uint8Array): boolean => decodeMiniSsdpdVersion(answer) !== undefined
  return decodeMiniSsdpdVersion(await exchange(path, { kind: 'version' }, isComplete))
}

async function devices(path: string, request: MiniSsdpdRequest): Promise<readonly MiniSsdpdDevice[]> {
  const answer = await exchange(path, request, (bytes) => decodeMiniSsdpdReply(bytes).ended)
  return decodeMiniSsdpdReply(answer).devices
}

const search = (path: string): Promise<MiniSsdpdDevice[]> => searchMiniSsdpd({ clock: systemClock, unixStreams, path })

/** Until the daemon has heard all that the router announces: its services come after its devices. */
async function heardTheRouter(path: string): Promise<void> {
  const ready = async (): Promise<void> => {
    const types = (await devices(path, { kind: 'all' })).map(({ ST }) => ST)
    expect(types).toContain('upnp:rootdevice')
    expect(types.join()).toContain('InternetGatewayDevice')
    expect(types.join()).toContain('WANIPConnection')
  }
  await vi.waitFor(ready, { timeout: 20_000, interval: 100 })
}

/** From now on no search reaches the router. */
async function makeDeafToSearches(lab: Lab): Promise<void> {
  const rule = 'add rule inet filter input iifname lan0 udp dport 1900 drop'
  expect(await lab.on('router', ['nft', rule])).toMatchObject({ stderr: '', exit: 0 })
}

describe('MiniSSDPd', { timeout: 60_000 }, () => {
  test('knows nothing before the router announces itself, and then the gateway', async () => {
    const lab = await labUp()
    await lab.stopRouter()
    const path = await startDaemon(lab)
    expect(await version(path)).toMatch(/^\d+\.\d+/)
    expect(await search(path)).toEqual([])
    await lab.startRouter()
    await heardTheRouter(path)
    expect(await search(path)).toEqual([announced(IGD)])
  })

  test('has searched when it started, and answers by type and with everything', async () => {
    const lab = await labUp()
    const path = await startDaemon(lab)
    await heardTheRouter(path)
    expect(await search(path)).toEqual([announced(IGD)])
    expect(await devices(path, { kind: 'type', ST: 'upnp:rootdevice' })).toEqual([announced('upnp:rootdevice')])
    expect(await devices(path, { kind: 'type', ST: 'urn:nobody:device:Nothing:1' })).toEqual([])
    const all = await devices(path, { kind: 'all' })
    expect(all).toContainEqual(announced(IGD))
    expect(all).toContainEqual(announced('upnp:rootdevice'))
    expect(new Set(all.map(({ LOCATION }) => LOCATION))).toEqual(new Set([DESCRIPTION_URL]))
  })

  test('leads upnpc and upnp-ts to a router that hears no search', async () => {
    const lab = await labUp()
    const path = await startDaemon(lab)
    await heardTheRouter(path)
    await makeDeafToSearches(lab)
    const withoutDaemon = await lab.upnpTs('-p', '', '-l')
    expect(withoutDaemon).toMatchObject({ exit: 1, stderr: expect.stringContaining('No IGD UPnP Device found') })
    const found = `List of UPNP devices found on the network :\n desc: ${DESCRIPTION_URL}\n st: ${IGD}\n\nFound valid IGD :`
    const theirs = await lab.upnpc('-p', path, '-l')
    expect(theirs).toMatchObject({ exit: 0, stdout: expect.stringContaining(found) })
    const ours = await lab.upnpTs('-p', path, '-l')
    expect(ours).toMatchObject({ stderr: '', exit: 0 })
    expect(belowBanner(ours.stdout)).toContain(found)
    expect(ours.wallMs).toBeLessThan(2000) // less than a search
  })

  test('is not missed where it does not run', async () => {
    const lab = await labUp()
    const { stdout, exit } = await lab.upnpTs('-p', '/nowhere/minissdpd.sock', '-l')
    expect({ exit, stdout }).toMatchObject({ exit: 0, stdout: expect.stringContaining('Found valid IGD :') })
  })
})
