import { describe, expect, it } from 'vitest'
import { NotConfirmedError, PortMappingError } from '../../src/domain/errors.ts'
import { mapToFreePort, otherPorts } from '../../src/domain/other-ports.ts'
import type { MappingRequest, PortMapping } from '../../src/domain/port-mapping.ts'

const SSH = { internalClient: '192.168.1.10', internalPort: 22 }

describe('the other ports', () => {
  it('are the same ones every time, so that a mapping is found again', () => {
    expect(otherPorts(SSH)).toEqual(otherPorts({ ...SSH }))
    expect(otherPorts(SSH)).toEqual([49_426, 50_457, 51_488, 52_519, 53_550, 54_581, 55_612, 56_643, 57_674, 58_705])
  })

  it('are never the same ones for two ports of a range, however long', () => {
    const range = Array.from({ length: 1024 }, (_, at) => otherPorts({ ...SSH, internalPort: 27_015 + at }))
    for (const one of range)
      expect(
        one.filter((port) => range.some((o) => o !== one && o.includes(port) && o.indexOf(port) === one.indexOf(port))),
      ).toEqual([])
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
