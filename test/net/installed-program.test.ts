/** Where the program is, and who can use it there. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closedToOthers, installedProgram } from '../../src/net/files/installed-program.ts'

let root: string
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'upnp-ts-installed-')))
  chmodSync(root, 0o755)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function installedIn(folder: string, mode = 0o755): string {
  mkdirSync(join(root, folder, 'upnp-ts/bin'), { recursive: true })
  chmodSync(join(root, folder), mode)
  const script = join(root, folder, 'upnp-ts/bin/upnp-ts.js')
  writeFileSync(script, '')
  return script
}

describe.skipIf(process.platform === 'win32')('the installed program', () => {
  it('is named without the link that npm makes', () => {
    const script = installedIn('lib')
    const link = join(root, 'upnp-ts')
    symlinkSync(script, link)
    expect(installedProgram(['node', link], '/usr/bin/node', '/elsewhere')).toEqual({
      node: '/usr/bin/node',
      script,
      folder: join(root, 'lib/upnp-ts'),
      isTemporary: false,
    })
  })

  it.each([
    ['the cache of npx', '_npx/ab/node_modules', '/elsewhere'],
    ['the temporary folder', 'unpacked', undefined],
  ])('is temporary in %s', (_, folder, temporary) => {
    const argv = ['node', installedIn(folder)]
    expect(installedProgram(argv, '/usr/bin/node', temporary ?? root).isTemporary).toBe(true)
  })

  it('is closed to others by the first folder that they cannot enter', () => {
    const script = installedIn('home', 0o750)
    chmodSync(script, 0o600)
    expect(closedToOthers(script)).toBe(join(root, 'home'))
    chmodSync(join(root, 'home'), 0o711)
    expect(closedToOthers(script)).toBe(script)
    chmodSync(script, 0o644)
    expect(closedToOthers(script)).toBeUndefined()
    expect(closedToOthers(join(root, 'nowhere/at/all'))).toBeUndefined()
  })
})
