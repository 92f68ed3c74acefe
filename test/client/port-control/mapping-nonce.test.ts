import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { derivedNonces, fixedNonce, type MappingInside } from '../../../src/client/port-control/mapping-nonce.ts'
import { InvalidArgumentError, TransportError } from '../../../src/domain/errors.ts'
import { memoryFiles, type PrivateFiles, privateFiles } from '../../../src/net/files/private-files.ts'

const INSIDE: MappingInside = {
  gateway: '192.168.1.1',
  protocol: 6,
  internalAddress: '192.168.1.10',
  internalPort: 80,
}

let place: string
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'upnp-ts-nonce-'))
})
afterAll(() => rmSync(place, { recursive: true, force: true }))

/** What cannot do that says so. */
function failing(files: PrivateFiles, ...verbs: readonly ('read' | 'createOnce' | 'remove')[]): PrivateFiles {
  const fail = (): Promise<never> => Promise.reject(new TransportError('the disk is full'))
  return { ...files, ...Object.fromEntries(verbs.map((verb) => [verb, fail])) }
}

describe('the nonce of a mapping', () => {
  it('is 24 hexadecimal digits', async () => {
    expect(await derivedNonces(memoryFiles())(INSIDE)).toMatch(/^[\da-f]{24}$/)
  })

  it('is the same each time, and in another process of this user', async () => {
    const files = memoryFiles()
    const [one, other] = [derivedNonces(files), derivedNonces(files)]
    const nonce = await one(INSIDE)
    expect([await one(INSIDE), await other(INSIDE), await other({ ...INSIDE })]).toEqual([nonce, nonce, nonce])
  })

  it('is the same over files on a disk', async () => {
    const directory = join(place, 'state')
    const nonce = await derivedNonces(privateFiles(directory))(INSIDE)
    expect(await derivedNonces(privateFiles(directory))(INSIDE)).toBe(nonce)
    expect(await privateFiles(directory).read('pcp-nonce-key')).toMatch(/^[\da-f]{64}\n$/)
  })

  it('is the same for all who begin at the same time', async () => {
    const files = memoryFiles()
    const nonces = await Promise.all(Array.from({ length: 8 }, () => derivedNonces(files)(INSIDE)))
    expect(new Set(nonces).size).toBe(1)
  })

  it('is the same from version to version: a mapping outlives an update', async () => {
    const files = memoryFiles()
    await files.write('pcp-nonce-key', `${'00112233'.repeat(8)}\n`)
    const nonces = derivedNonces(files)
    expect(await nonces(INSIDE)).toBe('749d56c72ae80a6b903eac00')
    const inside = { ...INSIDE, gateway: 'fe80::1%eth0', internalAddress: '2001:db8::10' }
    expect(await nonces(inside)).toBe('16502c2c7e81b6e5f7eab231')
  })

  it.each<[string, Partial<MappingInside>]>([
    ['gateway', { gateway: '192.168.1.2' }],
    ['protocol', { protocol: 17 }],
    ['internal address', { internalAddress: '192.168.1.11' }],
    ['internal port', { internalPort: 81 }],
  ])('is another one for another %s', async (_name, other) => {
    const nonces = derivedNonces(memoryFiles())
    expect(await nonces({ ...INSIDE, ...other })).not.toBe(await nonces(INSIDE))
  })

  it('is another one for another user, who has another key', async () => {
    expect(await derivedNonces(memoryFiles())(INSIDE)).not.toBe(await derivedNonces(memoryFiles())(INSIDE))
  })

  it.each<[string, Partial<MappingInside>, Partial<MappingInside>]>([
    ['the zone of the gateway', { gateway: 'fe80::1%eth0' }, { gateway: 'fe80::1%wlan0' }],
    ['how the gateway is written', { gateway: 'fe80::1' }, { gateway: 'FE80:0::1%eth0' }],
    ['how the address is written', { internalAddress: '2001:db8::10' }, { internalAddress: '2001:DB8:0:0::0010' }],
  ])('does not depend on %s', async (_name, one, other) => {
    const nonces = derivedNonces(memoryFiles())
    expect(await nonces({ ...INSIDE, ...one })).toBe(await nonces({ ...INSIDE, ...other }))
  })
})

describe('the key of the nonces', () => {
  it('is not read before the first nonce is wanted, and then once', async () => {
    const files = memoryFiles()
    const read = vi.spyOn(files, 'read')
    const nonces = derivedNonces(files)
    expect(read).not.toHaveBeenCalled()
    await Promise.all([nonces(INSIDE), nonces({ ...INSIDE, internalPort: 81 })])
    await nonces(INSIDE)
    expect(read).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['empty, after a power cut', ''],
    ['cut', '00112233'],
    ['too long', `${'00'.repeat(33)}\n`],
    ['something else', 'export NONCE=1\n'],
    ['two keys', `${'00'.repeat(32)}\n${'11'.repeat(32)}\n`],
  ])('is made anew where the file is %s', async (_name, text) => {
    const files = memoryFiles()
    await files.write('pcp-nonce-key', text)
    const onTrouble = vi.fn()
    const nonce = await derivedNonces(files, onTrouble)(INSIDE)
    expect(await files.read('pcp-nonce-key')).toMatch(/^[\da-f]{64}\n$/)
    expect(await derivedNonces(files)(INSIDE)).toBe(nonce)
    expect(onTrouble).not.toHaveBeenCalled()
  })

  it('that another process makes in the meantime is taken', async () => {
    const files = memoryFiles()
    const theirs = `${'ab'.repeat(32)}\n`
    const late: PrivateFiles = {
      ...files,
      async createOnce(name, text) {
        await files.write(name, theirs)
        return files.createOnce(name, text)
      },
    }
    expect(await derivedNonces(late)(INSIDE)).toBe(await derivedNonces(files)(INSIDE))
    expect(await files.read('pcp-nonce-key')).toBe(theirs)
  })

  it.each<[string, (files: PrivateFiles) => PrivateFiles]>([
    ['written', (files) => failing(files, 'createOnce')],
    ['read', (files) => failing(files, 'read')],
    ['made anew', (files) => failing({ ...files, read: async () => 'broken' }, 'remove')],
    ['kept: another file comes instead', (files) => ({ ...files, createOnce: async () => 'broken' })],
  ])('that cannot be %s is told once, and this process goes on with one of its own', async (_name, change) => {
    const onTrouble = vi.fn()
    const nonces = derivedNonces(change(memoryFiles()), onTrouble)
    const [nonce, same] = await Promise.all([nonces(INSIDE), nonces(INSIDE)])
    expect(nonce).toMatch(/^[\da-f]{24}$/)
    expect([same, await nonces(INSIDE)]).toEqual([nonce, nonce])
    expect(onTrouble.mock.calls).toEqual([[expect.any(TransportError)]])
  })

  it('that cannot be kept on a disk is told too', async () => {
    writeFileSync(join(place, 'file'), '')
    const onTrouble = vi.fn()
    const nonces = derivedNonces(privateFiles(join(place, 'file', 'upnp-ts')), onTrouble)
    expect(await nonces(INSIDE)).toBe(await nonces(INSIDE))
    expect(onTrouble).toHaveBeenCalledTimes(1)
  })

  it('need not be cared about where nobody listens', async () => {
    expect(await derivedNonces(failing(memoryFiles(), 'read'))(INSIDE)).toMatch(/^[\da-f]{24}$/)
  })

  it('does not hide a defect', async () => {
    const defect = new RangeError('not a name')
    const files = { ...memoryFiles(), read: () => Promise.reject(defect) }
    await expect(derivedNonces(files)(INSIDE)).rejects.toBe(defect)
  })
})

describe('a nonce that is given', () => {
  it('is taken for every mapping, in lower case', async () => {
    const nonces = fixedNonce('0102030405060708090A0B0C')
    expect(await nonces(INSIDE)).toBe('0102030405060708090a0b0c')
    expect(await nonces({ ...INSIDE, internalPort: 81 })).toBe('0102030405060708090a0b0c')
  })

  it.each([
    '',
    '01',
    '0102030405060708090a0b0g',
    '0102030405060708090a0b0c0d',
    ' 102030405060708090a0b0c',
    '0x02030405060708090a0b0c',
  ])('is not %j', (text) => {
    expect(() => fixedNonce(text)).toThrow(InvalidArgumentError)
    expect(() => fixedNonce(text)).toThrow('give 24 hexadecimal digits')
  })
})
