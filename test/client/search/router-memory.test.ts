import { describe, expect, it } from 'vitest'
import {
  BETWEEN_SILENCES_MS,
  isWithoutUpnp,
  MAX_ROUTERS,
  rememberedRouters,
  WITHOUT_UPNP_MS,
} from '../../../src/client/search/router-memory.ts'
import { TransportError } from '../../../src/domain/errors.ts'
import { memoryFiles, type PrivateFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const ROUTER = '192.168.1.1'
const HARDWARE = '02005e100001'
const IGD = { location: 'http://192.168.1.1:5000/rootDesc.xml', searchTarget: 'upnp:rootdevice', server: 'miniupnpd' }

function begin(files: PrivateFiles = memoryFiles()) {
  const clock = new FakeClock()
  const memory = rememberedRouters(files, clock)
  const isWithout = async (hardwareAddress: string | undefined = HARDWARE, address = ROUTER): Promise<boolean> =>
    isWithoutUpnp(await memory.recall(address), hardwareAddress, clock.wallMs())
  return {
    clock,
    files,
    memory,
    isWithout,
    silence: (hardwareAddress: string | undefined = HARDWARE) => memory.rememberSilence(ROUTER, 'pcp', hardwareAddress),
  }
}

describe('what is remembered of a router', () => {
  it('is nothing at first', async () => {
    expect(await begin().memory.recall(ROUTER)).toEqual({})
  })

  it('is its IGD, in another process too, and of no other router', async () => {
    const { files, clock, memory } = begin()
    await memory.rememberIgd(ROUTER, { ...IGD, ...{ more: 1 } })
    expect(await rememberedRouters(files, clock).recall(ROUTER)).toEqual({ igd: IGD })
    expect([await memory.recall('192.168.1.11'), await memory.recall('192.168.1')]).toEqual([{}, {}])
  })

  it('is the IGD that answered last', async () => {
    const { files, memory } = begin()
    await memory.rememberIgd(ROUTER, IGD)
    await memory.rememberIgd(ROUTER, { ...IGD, location: 'http://192.168.1.1:5001/' })
    expect(await memory.recall(ROUTER)).toEqual({ igd: { ...IGD, location: 'http://192.168.1.1:5001/' } })
    expect(await files.list('')).toHaveLength(1)
  })

  it('is not written again if it is the same', async () => {
    let written = 0
    const files = memoryFiles()
    const write = (name: string, text: string): Promise<void> => {
      written++
      return files.write(name, text)
    }
    const { memory } = begin({ ...files, write })
    for (let at = 0; at < 3; at++) await memory.rememberIgd(ROUTER, IGD)
    expect(written).toBe(1)
  })

  it.each(['10.0.0.138', 'fe80::1%eth0', "fe80::1%br-(lan)!'*~", `fe80::1%${'x'.repeat(300)}`])(
    'has a file whose name can be one: %s',
    async (address) => {
      const { files, memory } = begin()
      await memory.rememberIgd(address, IGD)
      expect(await files.list('')).toEqual([expect.stringMatching(/^[A-Za-z0-9_%-][A-Za-z0-9._%-]{0,199}$/)])
      expect(await memory.recall(address)).toEqual({ igd: IGD })
    },
  )

  it('is of 64 routers, and the one that is there now is among them', async () => {
    const { files, memory } = begin()
    for (let at = 0; at < MAX_ROUTERS; at++) await memory.rememberIgd(`10.0.${at}.1`, IGD)
    await memory.rememberIgd('1.1.1.1', IGD)
    expect(await files.list('')).toHaveLength(MAX_ROUTERS)
    expect(await memory.recall('1.1.1.1')).toEqual({ igd: IGD })
    await memory.rememberIgd('99.1.1.1', IGD)
    expect(await memory.recall('99.1.1.1')).toEqual({ igd: IGD })
    expect(await files.list('')).toHaveLength(MAX_ROUTERS)
  })

  it('comes down to 64 if a crash or another process has left more, and leaves alone what is no router', async () => {
    const { files, memory } = begin()
    await files.write('pcp-nonce-key', 'key')
    for (let at = 0; at < MAX_ROUTERS + 10; at++) await files.write(`router-10.0.${at}.1`, 'cut')
    await memory.rememberIgd(ROUTER, IGD)
    expect(await files.list('router-')).toHaveLength(MAX_ROUTERS)
    expect(await files.read('pcp-nonce-key')).toBe('key')
  })
})

describe('that a router has no UPnP', () => {
  it('is not known after one silence, nor after two that were too near', async () => {
    const { clock, isWithout, silence } = begin()
    await silence()
    expect(await isWithout()).toBe(false)
    await clock.advance(BETWEEN_SILENCES_MS - 1)
    await silence()
    expect(await isWithout()).toBe(false)
  })

  it('is known after two, for a day', async () => {
    const { clock, isWithout, silence, memory } = begin()
    await silence()
    await clock.advance(BETWEEN_SILENCES_MS)
    await silence()
    expect(await isWithout()).toBe(true)
    expect((await memory.recall(ROUTER)).portControl).toBe('pcp')
    await clock.advance(WITHOUT_UPNP_MS - 1)
    expect(await isWithout()).toBe(true)
    await clock.advance(1)
    expect(await isWithout()).toBe(false)
    await silence() // the next one is enough
    expect(await isWithout()).toBe(true)
  })

  it('counts from the first of several', async () => {
    const { clock, isWithout, silence } = begin()
    for (let minute = 0; minute < 10; minute++) {
      await silence()
      await clock.advance(60_000)
    }
    expect(await isWithout()).toBe(false)
    await silence()
    expect(await isWithout()).toBe(true)
  })

  it('is known of the device with that hardware address only', async () => {
    const { clock, isWithout, silence } = begin()
    await silence()
    await clock.advance(BETWEEN_SILENCES_MS)
    await silence()
    expect(await isWithout('02005e100002')).toBe(false)
    expect(await isWithout('')).toBe(false)
    expect(await isWithout(HARDWARE, '192.168.1.2')).toBe(false)
  })

  it('is not known if another device was silent the first time', async () => {
    const { clock, isWithout, silence } = begin()
    await silence('02005e100002')
    await clock.advance(BETWEEN_SILENCES_MS)
    await silence()
    expect([await isWithout(), await isWithout('02005e100002')]).toEqual([false, false])
  })

  it('is not known without a hardware address', async () => {
    const { clock, memory } = begin()
    for (let at = 0; at < 3; at++) {
      await memory.rememberSilence(ROUTER, 'nat-pmp', undefined)
      await clock.advance(BETWEEN_SILENCES_MS)
    }
    const known = await memory.recall(ROUTER)
    expect(known).toEqual({ portControl: 'nat-pmp' })
    expect(isWithoutUpnp(known, undefined, clock.wallMs())).toBe(false)
  })

  it('is forgotten when an IGD of it is heard, and the two silences begin again', async () => {
    for (const forget of ['forgetSilence', 'rememberIgd'] as const) {
      const { clock, isWithout, silence, memory } = begin()
      await silence()
      await clock.advance(BETWEEN_SILENCES_MS)
      await silence()
      await (forget === 'forgetSilence' ? memory.forgetSilence(ROUTER) : memory.rememberIgd(ROUTER, IGD))
      expect(await isWithout()).toBe(false)
      await silence()
      expect(await isWithout()).toBe(false)
    }
  })

  it('is not known if a clock was wrong', async () => {
    const { files, clock, isWithout, silence } = begin()
    const future = rememberedRouters(files, new FakeClock(clock.wallMs() + 10 * WITHOUT_UPNP_MS))
    await future.rememberSilence(ROUTER, 'pcp', HARDWARE)
    await silence()
    expect(await isWithout()).toBe(false)
    const known = {
      silence: { hardwareAddress: HARDWARE, firstWallMs: 0, untilWallMs: clock.wallMs() + WITHOUT_UPNP_MS + 1 },
    }
    expect(isWithoutUpnp(known, HARDWARE, clock.wallMs())).toBe(false)
  })

  it('leaves the rest alone when it is forgotten, and nothing is written if there was nothing', async () => {
    const { files, memory, silence } = begin()
    await memory.forgetSilence(ROUTER)
    expect(await files.list('')).toEqual([])
    await silence()
    await memory.forgetSilence(ROUTER)
    expect(await memory.recall(ROUTER)).toEqual({ portControl: 'pcp' })
  })
})

describe('a memory of a router that is not as it should be', () => {
  const silence = { hardwareAddress: HARDWARE, firstWallMs: 1, untilWallMs: 2 }
  const whole = { version: 1, igd: IGD, portControl: 'pcp', silence }
  const text = JSON.stringify(whole)

  it.each<[string, string, object]>([
    ['as it should be', text, { igd: IGD, portControl: 'pcp', silence }],
    ['empty', '', {}],
    ['cut', text.slice(0, text.length / 2), {}],
    ['null', 'null', {}],
    ['a list', '[1]', {}],
    ['a text', '"x"', {}],
    ['without a version', JSON.stringify({ ...whole, version: undefined }), {}],
    ['of another version', JSON.stringify({ ...whole, version: 2 }), {}],
    ['with half an IGD', JSON.stringify({ ...whole, igd: { location: 'x' } }), { portControl: 'pcp', silence }],
    ['with an IGD that is null', JSON.stringify({ ...whole, igd: null }), { portControl: 'pcp', silence }],
    [
      'with a URL that is a number',
      JSON.stringify({ ...whole, igd: { ...IGD, location: 1 } }),
      { portControl: 'pcp', silence },
    ],
    ['with a protocol that there is not', JSON.stringify({ ...whole, portControl: 'igd' }), { igd: IGD, silence }],
    [
      'with a silence of nobody',
      JSON.stringify({ ...whole, silence: { firstWallMs: 1 } }),
      { igd: IGD, portControl: 'pcp' },
    ],
    [
      'with a silence at no time',
      JSON.stringify({ ...whole, silence: { hardwareAddress: HARDWARE } }),
      { igd: IGD, portControl: 'pcp' },
    ],
  ])('is what can be used of it: %s', async (_name, written, expected) => {
    const { files, memory } = begin()
    await files.write('router-192.168.1.1', written)
    expect(await memory.recall(ROUTER)).toEqual(expected)
    await memory.rememberIgd(ROUTER, IGD)
    expect(await memory.recall(ROUTER)).toEqual({ igd: IGD })
  })

  it('is written anew if its file cannot be read', async () => {
    const files = memoryFiles()
    let isBad = true
    const read: PrivateFiles['read'] = (name) =>
      isBad ? Promise.reject(new TransportError('it is larger than 65536 bytes')) : files.read(name)
    const { memory } = begin({ ...files, read })
    await memory.rememberIgd(ROUTER, IGD)
    isBad = false
    expect(await memory.recall(ROUTER)).toEqual({ igd: IGD })
  })

  it('never fails if the files cannot be had', async () => {
    const fail = (): Promise<never> => Promise.reject(new TransportError('ENOSPC'))
    const { memory, silence } = begin({ ...memoryFiles(), read: fail, write: fail, remove: fail, list: fail })
    await memory.rememberIgd(ROUTER, IGD)
    await silence()
    await memory.forgetSilence(ROUTER)
    expect(await memory.recall(ROUTER)).toEqual({})
  })

  it('does not hide a defect', async () => {
    const defect = new RangeError('not a name')
    const { memory } = begin({ ...memoryFiles(), read: () => Promise.reject(defect) })
    await expect(memory.recall(ROUTER)).rejects.toBe(defect)
  })
})
