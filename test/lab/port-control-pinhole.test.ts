/** PCP MAP for IPv6: a pinhole in the firewall of a router that speaks no UPnP, and TCP from the internet through it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { COMPUTER_IPV6, Lab } from './lab.ts'
import { nonceFile, says } from './port-control-text.ts'
import { listenOnComputer, talkFromInternet } from './traffic.ts'

const PORT = 8022
const ID = `TCP:[${COMPUTER_IPV6}]:${PORT}`
const FOUND = `Found valid PCP gateway : [2001:db8:86::1]:5351\nLocal LAN ip address : ${COMPUTER_IPV6}\n`
const ADD = ['-A', '', '0', '@', `${PORT}`, 'TCP', '600']
const ADDED = `${FOUND}AddPinhole: ([]:0 -> [${COMPUTER_IPV6}]:${PORT}) / Pinhole ID = ${ID}\n`
const CLOSED = `${FOUND}PCP_DeletePinhole() returned : 0\n`
const NOT_OURS = /^hint: the router does not let this computer open ports, or it was not this user of .+\n$/

describe('a pinhole over PCP', { timeout: 60_000 }, () => {
  let lab: Lab
  const outside = (port = PORT) => talkFromInternet(lab, port, 'hello', COMPUTER_IPV6)
  beforeAll(async () => {
    lab = await Lab.up({ upnp: false })
    for (const port of [PORT, 8023]) await listenOnComputer(lab, port)
  })
  beforeEach(() => lab.reboot())
  afterAll(() => lab.down())

  test.each([
    { way: '--via pcp', options: ['--via', 'pcp'] },
    { way: 'auto', options: ['-6'] },
  ])('lets the internet in, until a new process closes it: $way', async ({ options }) => {
    expect(await outside()).toBe('error: ETIMEDOUT')
    await says(lab, [...options, ...ADD], { stdout: ADDED })
    expect(await outside()).toBe('echo: hello')
    await says(lab, [...options, '-D', ID], { stdout: CLOSED })
    expect(await outside()).toBe('error: ETIMEDOUT')
  })

  test('is known to be of PCP by its name', async () => {
    await says(lab, ['--via', 'pcp', ...ADD], { stdout: ADDED })
    await says(lab, ['-D', ID], { stdout: CLOSED })
    expect(await outside()).toBe('error: ETIMEDOUT')
  })

  test('is opened at the router that is named, for TCP+UDP', async () => {
    const at = ['--via', 'pcp', '--gateway', '2001:db8:86::1']
    const id = (protocol: string) => `${protocol}:[${COMPUTER_IPV6}]:8023`
    const added = ['UDP', 'TCP'].map(
      (protocol) => `AddPinhole: ([]:0 -> [${COMPUTER_IPV6}]:8023) / Pinhole ID = ${id(protocol)}\n`,
    )
    await says(lab, [...at, '-A', '', '0', COMPUTER_IPV6, '8023', 'TCP+UDP', '600'], {
      stdout: FOUND + added.join(''),
    })
    expect(await outside(8023)).toBe('echo: hello')
    await says(lab, [...at, '-D', id('TCP'), id('UDP')], { stdout: `${CLOSED}PCP_DeletePinhole() returned : 0\n` })
    expect(await outside(8023)).toBe('error: ETIMEDOUT')
  })

  test('is extended by -U, after which miniupnpd closes it no more', async () => {
    await says(lab, ['--via', 'pcp', ...ADD], { stdout: ADDED })
    await says(lab, ['--via', 'pcp', '-U', ID, '900'], {
      stdout: `${FOUND}UpdatePinhole: Pinhole ID = ${ID} with Lease Time: 900\n`,
    })
    expect(await outside()).toBe('echo: hello')
    // miniupnpd 2.3.1 loses the nonce of a pinhole when it is renewed, and then nobody has the right one.
    const stdout = `${FOUND}PCP_DeletePinhole() returned : 2\n`
    await says(lab, ['--via', 'pcp', '-D', ID], { stdout, stderr: NOT_OURS, exit: 2 })
    expect(await outside()).toBe('echo: hello')
  })

  test('is closed by who gives its nonce', async () => {
    const nonce = ['--via', 'pcp', '--nonce', nonceFile(lab, '0102030405060708090a0b0c')]
    await says(lab, [...nonce, ...ADD], { stdout: ADDED })
    await says(lab, ['--via', 'pcp', '-D', ID], {
      stdout: `${FOUND}PCP_DeletePinhole() returned : 2\n`,
      stderr: NOT_OURS,
      exit: 2,
    })
    await says(lab, [...nonce, '-D', ID], { stdout: CLOSED })
    expect(await outside()).toBe('error: ETIMEDOUT')
  })
})
