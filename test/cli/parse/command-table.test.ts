/** What is known about a command before it runs. */
import { describe, expect, it } from 'vitest'
import type { CommandFacts } from '../../../src/cli/parse/command-table.ts'
import { parseInvocation } from '../../../src/cli/parse/invocation.ts'

const ALL = ['igd', 'pcp', 'nat-pmp'] as const
const ASKS: CommandFacts = {
  protocols: ['igd'],
  waitsForIgd: true,
  family: undefined,
  isAboutPinholes: false,
  changes: false,
  pinholeId: undefined,
}
const OPENS: CommandFacts = { ...ASKS, protocols: ALL, waitsForIgd: false, family: 4, changes: true }
const PINHOLE: CommandFacts = { ...ASKS, family: 6, isAboutPinholes: true }
const OVER_PCP = { protocols: ['pcp'], waitsForIgd: false } as const
const PCP_ID = 'TCP:[2001:db8::5]:8333'

describe('the facts of a command', () => {
  it.each<[string, CommandFacts]>([
    ['-l', ASKS],
    ['-L', ASKS],
    ['-P', ASKS],
    ['-S', ASKS],
    ['--discovery-time 9', ASKS],
    ['-s', { ...ASKS, protocols: ALL, waitsForIgd: false }],
    ['-r 22 TCP', OPENS],
    ['-a @ 22 22 TCP', OPENS],
    ['-n @ 22 22 TCP', OPENS],
    ['-a @ 22 22 TCP 60 1.2.3.4', { ...OPENS, protocols: ['igd', 'pcp'] }],
    ['--via pcp -r 22 0 TCP', { ...OPENS, protocols: ['pcp', 'nat-pmp'] }],
    ['--via pcp -a @ 22 0 TCP 60 1.2.3.4', { ...OPENS, protocols: ['pcp'] }],
    ['-d 22 TCP', OPENS],
    ['-f 22 TCP', OPENS],
    ['-d 22 TCP 1.2.3.4', { ...OPENS, protocols: ['igd', 'pcp'] }],
    ['-N 1 9 TCP', { ...ASKS, family: 4, changes: true }],
    ['-A :: 0 @ 22 TCP 60', { ...PINHOLE, protocols: ['igd', 'pcp'], waitsForIgd: false, changes: true }],
    ['-U 1 60', { ...PINHOLE, pinholeId: 1, changes: true }],
    [`-U ${PCP_ID} 60`, { ...PINHOLE, ...OVER_PCP, pinholeId: PCP_ID, changes: true }],
    ['-C 1', PINHOLE],
    ['-K 1', PINHOLE],
    ['-D 1 2', { ...PINHOLE, pinholeId: 1, changes: true }],
    [`-D ${PCP_ID}`, { ...PINHOLE, ...OVER_PCP, pinholeId: PCP_ID, changes: true }],
    ['-G :: 0 @ 22 TCP', { ...ASKS, family: 6 }],
  ])('%s', (line, facts) => {
    expect(parseInvocation(line.split(' '))).toMatchObject({ kind: 'gateway', facts })
  })
})
