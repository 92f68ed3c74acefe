/** A defect that nobody waits for ends the search at most, and never the process. */
import { describe, expect, it } from 'vitest'
import { BETWEEN_SILENCES_MS, rememberedRouters } from '../../../src/client/search/router-memory.ts'
import { memoryFiles, type PrivateFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ignoredLog } from '../../support/ignored.ts'
import { begin, chosen, ROUTER } from './opening.ts'

const [ADDRESS, HARDWARE] = ['192.168.1.1', '02005e100001']
const defect = new RangeError('planted')

/** The router is known to have no UPnP. */
async function withoutUpnp(): Promise<PrivateFiles> {
  const files = memoryFiles()
  for (const agoMs of [BETWEEN_SILENCES_MS, 0]) {
    const memory = rememberedRouters(files, new FakeClock(new FakeClock().wallMs() - agoMs))
    await memory.rememberSilence(ADDRESS, 'pcp', HARDWARE)
  }
  return files
}

describe('a defect', () => {
  it('in recognizing the router that answers over PCP ends the search', async () => {
    let asked = 0
    const hardwareAddress = async (): Promise<string> => {
      if (++asked > 1) throw defect
      return 'another one'
    }
    const lan = begin({ files: await withoutUpnp(), hardwareAddress })
    lan.portControlAnswers({ pcpAtMs: 10 })
    const failure = lan.result.catch((error: unknown) => error)
    await lan.until(100)
    expect(await failure).toBe(defect)
  })

  it('in forgetting that the router has no UPnP is told of', async () => {
    const log = ignoredLog()
    const files = await withoutUpnp()
    const { signal } = new AbortController()
    const lan = begin({
      files: { ...files, write: () => Promise.reject(defect) },
      hardwareAddress: HARDWARE,
      signal,
    })
    lan.portControlAnswers({ pcpAtMs: 10 })
    lan.deviceAnswers(ROUTER, 300)
    await lan.until(100)
    expect(chosen(await lan.result)).toBe('pcp')
    await lan.until(400)
    expect(log.told()).toEqual([`device ${ADDRESS}: RangeError: planted`])
    log.end()
  })
})
