import { describe, expect, it } from 'vitest'
import { codeOf, reasonOf } from '../../src/net/system-error.ts'

const failure = (code: string): Error => Object.assign(new Error(`open ${code}`), { code })

describe('the reason that the system gave', () => {
  it('is in words for what was attempted: one code means something else for a port, a file and a program', () => {
    expect(reasonOf(failure('EACCES'), 'listen')).toBe('this user may not use that port')
    expect(reasonOf(failure('EACCES'), 'write')).toBe('this user may not write there')
    expect(reasonOf(failure('EACCES'), 'start')).toBe('this user may not run it')
  })

  it('is the message of the system, or what the caller has for it, if there are no words for the code', () => {
    expect(reasonOf(failure('EMFILE'), 'write')).toBe('open EMFILE')
    expect(reasonOf(failure('EMFILE'), 'write', 'another reason')).toBe('another reason')
    expect(reasonOf('no error', 'write')).toBe('it failed')
  })
})

describe('the code of an error', () => {
  it('is empty if the error has none', () => {
    expect(codeOf(failure('EACCES'))).toBe('EACCES')
    expect(codeOf(new Error('a defect'))).toBe('')
    expect(codeOf(undefined)).toBe('')
  })
})
