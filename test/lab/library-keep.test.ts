/** The program of docs/library.md that keeps a port open, at a real router: restarts, another address, a kill -9. */
import { fileURLToPath } from 'node:url'
import { describe, test } from 'vitest'
import type { Command } from './command.ts'
import { EPOCH_TELLS_MS, endBy, Knocker, labUp, ROUTERS } from './keep-lab.ts'
import { COMPUTER, type Lab, ROUTER_WAN } from './lab.ts'
import { doorsOf } from './router-doors.ts'
import { listenOnComputer } from './traffic.ts'

const PROGRAM = fileURLToPath(new URL('../../examples/keep-open.mjs', import.meta.url))
const OPEN_AGAIN_MS = 8000
const PORT = 8080
const OURS = `TCP ${PORT} -> ${COMPUTER}:${PORT}`

function start(lab: Lab): Command {
  return lab.spawn('computer', [process.execPath, PROGRAM])
}

describe.concurrent('a program that keeps a port open', { timeout: 120_000 }, () => {
  test.for(['igd', 'pcp'] as const)('survives what a router does, and its own death: %s', async (via, context) => {
    const { expect, onTestFinished } = context
    const lab = await labUp(onTestFinished, ROUTERS[via])
    await listenOnComputer(lab, PORT)
    const knocker = new Knocker(lab, { host: ROUTER_WAN, port: PORT })
    const program = start(lab)
    await knocker.finds('open')

    for (const externalAddress of ['11.22.33.44', '11.22.33.44', '11.22.33.55']) {
      await new Promise((resolve) => setTimeout(resolve, EPOCH_TELLS_MS)) // a younger epoch does not show a restart
      await lab.reboot({ externalAddress })
      await expect.poll(() => doorsOf(lab), { timeout: OPEN_AGAIN_MS }).toEqual([OURS])
    }
    await expect.poll(() => knocker.gaps.every(({ openMs }) => Number.isFinite(openMs)), { timeout: 2000 }).toBe(true)
    await program.says(/^(?:restored|moved|renewed) 11\.22\.33\.55:8080$/m)

    program.kill('SIGKILL')
    await program.ends()
    expect(await doorsOf(lab)).toEqual([OURS])
    const next = start(lab)
    await lab.on('computer', ['sleep', '3'])
    expect(await doorsOf(lab)).toEqual([OURS])
    const { exit, stdout } = await endBy(next, 'SIGTERM')
    expect({ exit, last: stdout.trim().split('\n').at(-1) }).toEqual({ exit: 0, last: 'the end' })
    expect(await doorsOf(lab)).toEqual([])
  })
})
