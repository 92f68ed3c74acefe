import { describe, expect, it } from 'vitest'
import { NotConfirmedError, PortMappingError } from '../../src/domain/errors.ts'
import { mapToFreePort, otherPorts } from '../../src/domain/other-ports.ts'
import type { MappingRequest, PortMapping } from '../../src/domain/port-mapping.ts'

const SSH = { internalClient: '192.168.1.10', internalPort: 22 }

describe('the other ports', () => {
  it('are the same ones every time, so that a mapping is found again', () => {
    expect(otherPorts(SSH)).toEqual(otherPorts({ ...SSH }))
    expect(otherPorts(SSH)).toEqual([53_814, 54_845, 55_876, 56_907, 57_938, 58_969, 60_000, 61_031, 62_062, 63_093])
  })

  it('are others for another computer and for another port', () => {
    const firsts = [SSH, { ...SSH, internalClient: '192.168.1.11' }, { ...SSH, internalPort: 23 }].map(
      (request) => otherPorts(request)[0],
    )
    expect(new Set(firsts).size).toBe(3)
  })

  it('are ten different ones of the dynamic range, whoever asks', () => {
    for (let port = 1; port <= 65_535; port += 251) {
      const ports = otherPorts({ internalClient: `10.0.${port % 256}.7`, internalPort: port })
      expect(new Set(ports).size).toBe(10)
      expect(ports.every((each) => Number.isInteger(each) && each >= 49_152 && each <= 65_535)).toBe(true)
    }
  })
})

describe('mapToFreePort', () => {
  const REQUEST: MappingRequest = {
    ...SSH,
    externalPort: 22,
    protocol: 'TCP',
    remoteHost: '',
    description: '',
    lease: 'unlimited',
  }
  const shown = { ...REQUEST, enabled: false, leaseSeconds: 0 } as PortMapping

  async function tried(belongsToAnother: boolean): Promise<number[]> {
    const ports: number[] = []
    const failing = mapToFreePort(REQUEST, async ({ externalPort }) => {
      ports.push(externalPort)
      throw new NotConfirmedError(shown, 'no', { action: 'GetSpecificPortMappingEntry', belongsToAnother })
    })
    await expect(failing).rejects.toThrow(PortMappingError)
    return ports
  }

  it('goes on where the gateway shows the port to be of another computer', async () => {
    expect(await tried(true)).toHaveLength(11)
  })

  it('leaves no row of entries behind where the gateway makes each, but not as asked', async () => {
    expect(await tried(false)).toEqual([22])
  })
})
