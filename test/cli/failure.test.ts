import { describe, expect, it } from 'vitest'
import { reportedError } from '../../src/cli/failure.ts'
import { TransportError } from '../../src/domain/errors.ts'

describe('the report of an error', () => {
  it('gives the reason that the error has, and no second one for the same code of the system', () => {
    const cause = Object.assign(new Error('open EACCES'), { code: 'EACCES' })
    const message = '/etc/state could not be written: this user may not write there'
    expect(reportedError(new TransportError(message, { cause }))).toEqual({ code: 'TRANSPORT', message })
  })
})
