/**
 * A router speaks three languages, and each of them can close only what it has made. Every way in which a port can have
 * been opened meets every way to close it, with and without a memory, while the router answers a search at once, late,
 * or not any more. Exit 0 means that the port is closed, also if the router says yes to everything.
 */
import { describe, expect, it } from 'vitest'
import { GATEWAY_PROTOCOLS, type GatewayProtocol } from '../../../src/domain/port-mapping.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { Home } from '../../support/home.ts'

/** Later than the answers of PCP and NAT-PMP, and within MX. */
const LATE = [{ name: 'late-search', delayMs: 900 }] as const

const MADE_BY = ['--via', 'auto', 'another program', 'another program, for another port'] as const
const CLOSED_WITH = [
  ['-d'],
  ['-f'],
  ['--via', 'igd', '-d'],
  ['--via', 'pcp', '-d'],
  ['--via', 'nat-pmp', '-d'],
] as const
const MEMORIES = ['kept', 'fresh', "another router's"] as const
/** What the router does not speak when the port is closed. */
const BY_THEN = {
  'all at once': [],
  'UPnP late': [],
  'no UPnP': ['igd'],
  'only UPnP': ['pcp', 'nat-pmp'],
  'only PCP': ['igd', 'nat-pmp'],
  'only NAT-PMP': ['igd', 'pcp'],
} as const satisfies Record<string, readonly GatewayProtocol[]>

interface Cell {
  readonly protocol: GatewayProtocol
  readonly by: (typeof MADE_BY)[number]
  readonly argv: (typeof CLOSED_WITH)[number]
  readonly memory: (typeof MEMORIES)[number]
  readonly byThen: keyof typeof BY_THEN
}

const SPOKEN = Object.keys(BY_THEN) as (keyof typeof BY_THEN)[]

function* cells(byThen: Cell['byThen'], memory: Cell['memory']): Generator<Cell> {
  for (const protocol of GATEWAY_PROTOCOLS)
    for (const by of MADE_BY) {
      if (by.startsWith('another') && memory !== 'fresh') continue // this user's memory is empty then, whichever it is
      for (const argv of CLOSED_WITH) yield { protocol, by, argv, memory, byThen }
    }
}

/** Opens the port, so that the protocol is that of the cell. */
async function open(home: Home, { protocol, by }: Pick<Cell, 'protocol' | 'by'>, files = memoryFiles()): Promise<void> {
  const others = GATEWAY_PROTOCOLS.filter((each) => each !== protocol)
  const inside = by === 'another program, for another port' ? ['8001', '8000'] : ['8000']
  const description = protocol === 'igd' && by.startsWith('another') ? ['-e', 'a game'] : []
  const via = by === 'auto' ? [] : ['--via', protocol]
  home.silence(...(by === 'auto' && protocol !== 'igd' ? others : []))
  const { exitCode, stderr } = await home.run([...via, ...description, '-r', ...inside, 'TCP'], files)
  home.silence()
  expect({ exitCode, stderr, doors: home.doors }).toEqual({
    exitCode: 0,
    stderr: expect.any(String),
    doors: [[8000, protocol]],
  })
}

async function closed(cell: Cell) {
  const { by, argv, memory, byThen } = cell
  const home = new Home()
  const quirks = byThen === 'UPnP late' ? LATE : []
  const files = memoryFiles()
  await home.plugIn('02005e100001', { quirks })
  await open(home, cell, by.startsWith('another') ? memoryFiles() : files)
  if (memory === "another router's") {
    await home.plugIn('02005e100002', { quirks })
    await open(home, { ...cell, by: 'another program' })
  }
  home.silence(...BY_THEN[byThen])
  const { exitCode, stderr } = await home.run([...argv, '8000', 'TCP'], memory === 'fresh' ? memoryFiles() : files)
  return { exitCode, isOpen: home.doors.length > 0, stderr }
}

const isOwn = ({ memory }: Cell): boolean => memory === 'kept'

/** Whether the port can be closed with what is known, and so has to be. */
function isPossible(cell: Cell): boolean {
  const { protocol, argv, byThen } = cell
  const silent: readonly GatewayProtocol[] = BY_THEN[byThen]
  const [, via = 'auto'] = argv
  if (via === 'auto' && isOwn(cell)) return !silent.includes(protocol) // what made it closes it, and nobody else
  if (via === 'auto' || via === 'igd') return !silent.includes('igd') // it shows and closes every mapping
  return via === protocol && isOwn(cell) && !silent.includes(via)
}

/** The IGD shows it, and this user has not opened it there. */
function isOpenedByOther(cell: Cell): boolean {
  const silent: readonly GatewayProtocol[] = BY_THEN[cell.byThen]
  return cell.argv.length === 1 && !isOwn(cell) && !silent.includes('igd')
}

describe.each(SPOKEN)('a port is closed if that is said, if the router speaks by then: %s', (byThen) => {
  it.each(MEMORIES)('and the memory is %s', async (memory) => {
    const wrong: unknown[] = []
    for (const cell of cells(byThen, memory)) {
      const { exitCode, isOpen, stderr } = await closed(cell)
      const isLie = exitCode === 0 && isOpen
      if (isOpenedByOther(cell) !== stderr.includes('by another program or user')) wrong.push({ ...cell, stderr })
      if (isLie || (isPossible(cell) && (exitCode !== 0 || isOpen))) wrong.push({ ...cell, exitCode, isOpen, stderr })
    }
    expect(wrong).toEqual([])
  })
})

it('closes what is remembered over PCP beside what another program has opened over UPnP', async () => {
  const home = new Home()
  const files = memoryFiles()
  await home.plugIn('02005e100001', {})
  await home.run(['--via', 'pcp', '-r', '8000', 'TCP'], files)
  await home.run(['--via', 'igd', '-r', '9000', 'TCP'], memoryFiles())
  const { exitCode } = await home.run(['-f', '8000', 'TCP', '9000', 'TCP'], files)
  expect([exitCode, home.doors]).toEqual([0, []])
})

it.each(['pcp', 'nat-pmp'])(
  'does not believe the yes of %s if the router was restarted and another program has the port',
  async (via) => {
    const home = new Home()
    const files = memoryFiles()
    await home.plugIn('02005e100001', {})
    await home.run(['--via', via, '-r', '8000', 'TCP'], files)
    await home.wait(60_000)
    await home.plugIn('02005e100001', {})
    await home.run(['--via', 'igd', '-r', '8001', '8000', 'TCP'], memoryFiles())
    const { exitCode, stderr } = await home.run(['-d', '8000', 'TCP'], files)
    expect([exitCode, stderr, home.doors]).toEqual([2, expect.stringContaining('is not free'), [[8000, 'igd']]])
  },
)

it.each(['pcp', 'nat-pmp'])(
  'believes the yes of %s if the router was restarted and nobody has the port',
  async (via) => {
    const home = new Home()
    const files = memoryFiles()
    await home.plugIn('02005e100001', {})
    await home.run(['--via', via, '-r', '8000', 'TCP'], files)
    await home.wait(60_000)
    await home.plugIn('02005e100001', {})
    expect(await home.run(['-d', '8000', 'TCP'], files)).toMatchObject({ exitCode: 0 })
  },
)
