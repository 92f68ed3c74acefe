import { describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/domain/gateway.ts'
import { OwnMarks } from '../../src/library/own-marks.ts'
import { privateFiles } from '../../src/net/files/private-files.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

describe('the marks of what was opened', () => {
  it('are left out where the gateway has a name that no file can have', async () => {
    const marks = new OwnMarks(privateFiles('/nowhere'), new FakeClock())
    marks.meet({ protocol: 'igd', address: `${'router.'.repeat(30)}lan` } as Gateway)
    expect(await marks.has({ externalPort: 22, protocol: 'TCP', remoteHost: '' })).toBe(false)
    await settle()
  })
})
