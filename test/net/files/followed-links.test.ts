import { describe, expect, it } from 'vitest'
import { followLinks } from '../../../src/net/files/followed-links.ts'

const LINK = {
  uid: 0,
  mode: 0o777,
  nlink: 1,
  isSymbolicLink: () => true,
  isDirectory: () => false,
  isFile: () => false,
}

/** Every name is a link to itself. Returns how many were read. */
function followed(mostLinks: number): number {
  let links = 0
  const readLink = (path: string): string => {
    if (++links > mostLinks) throw new Error('it goes on')
    return path
  }
  expect(() => followLinks('/loop', () => {}, { look: () => LINK, readLink })).toThrow(
    /leads through more than 40 links/,
  )
  return links
}

describe.skipIf(process.platform === 'win32')('a path', () => {
  it('leads through 40 links at most', () => {
    expect(followed(1000)).toBe(40)
  })
})
