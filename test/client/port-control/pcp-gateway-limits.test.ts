/** What a PCP gateway is not asked for, because it would do more than was meant. */
import { describe, expect, it } from 'vitest'
import { mapReply } from '../../support/port-control-replies.ts'
import { failureOf, pcp, REQUEST } from './gateway-asked.ts'

const KEY = { externalPort: 8080, protocol: 'TCP' } as const

describe('closing a port for one remote host over PCP', () => {
  it('is refused where it is open for everybody', async () => {
    const { gateway, asked } = pcp((request) => mapReply(request))
    await gateway.map(REQUEST)
    expect(await failureOf(gateway.unmap({ ...KEY, remoteHost: '198.51.100.7' }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        'external port 8080 TCP is not known to be open for 198.51.100.7 only; without the remote host it is closed for everybody',
    })
    expect(asked()).toHaveLength(1)
  })

  it('is done where it was opened for that one', async () => {
    const { gateway, asked } = pcp((request) => mapReply(request))
    await gateway.map({ ...REQUEST, remoteHost: '198.51.100.7' })
    await gateway.unmap({ ...KEY, remoteHost: '198.51.100.7' })
    expect(asked().map(({ lifetimeSeconds }) => lifetimeSeconds)).toEqual([3600, 0])
  })
})
