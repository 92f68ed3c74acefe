import { describe, expect, it } from 'vitest'
import { outputOf } from '../../../src/net/tables/system-command.ts'

const print = (bytes: number): Promise<string> => outputOf('/bin/sh', ['-c', `head -c ${bytes} /dev/zero`])

describe.runIf(process.platform !== 'win32')("one of the system's commands", () => {
  it('may print 256 KiB', async () => {
    expect(await print(256 * 1024)).toHaveLength(256 * 1024)
  })

  it('fails if it prints more', async () => {
    await expect(print(256 * 1024 + 1)).rejects.toMatchObject({ code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER' })
  })
})
