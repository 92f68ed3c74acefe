/**
 * The verbs at a real miniupnpd, in all three protocols: open, come in from the internet, list, status, close, and what
 * they print; then the same as JSON.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMPUTER, COMPUTER_IPV6, Lab, ROUTER_WAN } from './lab.ts'
import { doorsOf } from './router-doors.ts'
import { listenOnComputer, talkFromInternet } from './traffic.ts'

const OUTSIDE = '11.22.33.44'
const VIAS = [
  { via: 'igd', isListed: true, hasIPv6: true },
  { via: 'pcp', isListed: false, hasIPv6: true },
  { via: 'nat-pmp', isListed: false, hasIPv6: false },
] as const

/** The date of an end, which differs from run to run, as DATE. */
function steady(text: string): string {
  return text
    .replaceAll(
      /\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December)(?: \d{4})?, \d\d:\d\d/g,
      'DATE',
    )
    .replaceAll(/\d{1,2} [A-Z][a-z]{2} (?:\d{4} ?|\d\d:\d\d)/g, (date) => 'DATE'.padEnd(date.length))
    .replaceAll(/, for \d+ \w+/g, ', for A WHILE')
}

describe.each(VIAS)('the verbs over $via', { timeout: 60_000 }, ({ via, isListed, hasIPv6 }) => {
  let lab: Lab
  const run = async (...argv: string[]) => {
    const { stdout, stderr, exit } = await lab.upnpTs('--via', via, ...argv)
    return steady(`${stdout}${stderr.replace(/^(?=.)/gm, '! ')}= ${exit}`)
  }
  const reports = async (...argv: string[]) => {
    const { stdout, exit } = await lab.upnpTs('--via', via, '--json', ...argv)
    return {
      exit,
      rows: stdout
        .trim()
        .split('\n')
        .map((line): Record<string, unknown> => JSON.parse(line)),
    }
  }
  beforeAll(async () => {
    lab = await Lab.up()
    await listenOnComputer(lab, 25565)
  })
  afterAll(() => lab.down())

  test('open a port, so that a friend comes in, show it, and close it again', async () => {
    expect(await talkFromInternet(lab, 25565, 'hello')).toBe('error: ECONNREFUSED')
    expect(await run('open', '25565')).toBe(`Your router now lets port 25565 TCP in.
  Friends connect to   ${OUTSIDE}:25565
  It leads to          this computer (${COMPUTER}), port 25565
  Until                DATE; add --keep to keep it open
${hasIPv6 ? `Over IPv6 friends connect to [${COMPUTER_IPV6}]:25565, until DATE.\n` : ''}= 0`)
    expect(await talkFromInternet(lab, 25565, 'hello', ROUTER_WAN)).toBe('echo: hello')
    expect(await run('list')).toBe(`  Port       Leads to               Until         Opened by
* 25565 TCP  ${COMPUTER}:25565   DATE          upnp-ts
${isListed ? '' : 'The router cannot tell what it has open. These are the ports that were opened with upnp-ts.\n'}One port is open, and leads to this computer (*).
= 0`)
    expect(await run('close', '25565')).toBe(
      `Port 25565 TCP is closed.\n${hasIPv6 ? 'Over IPv6 it is closed too.\n' : ''}= 0`,
    )
    expect(await talkFromInternet(lab, 25565, 'hello')).toBe('error: ECONNREFUSED')
    expect(await doorsOf(lab)).toEqual([])
  })

  test('open another port outside, both protocols and a range, and close all of it', async () => {
    expect(await run('open', '2222:22', '53/both', '27015-27017/udp')).toContain('= 0')
    expect(await doorsOf(lab)).toEqual([
      `TCP 2222 -> ${COMPUTER}:22`,
      `TCP 53 -> ${COMPUTER}:53`,
      `UDP 27015 -> ${COMPUTER}:27015`,
      `UDP 27016 -> ${COMPUTER}:27016`,
      `UDP 27017 -> ${COMPUTER}:27017`,
      `UDP 53 -> ${COMPUTER}:53`,
    ])
    expect(await run('close', '2222', '53', '27015-27017')).toContain('= 0')
    expect(await doorsOf(lab)).toEqual([])
  })

  test('tell the state of the router', async () => {
    const told = await run('status')
    expect(told).toContain(`Its address          ${OUTSIDE}\n`)
    expect(told).toContain('From the internet    a port that is open can be reached at that address\n')
    expect(told).toContain(`This computer        ${COMPUTER}\n= 0`)
  })

  test('say the same as JSON', async () => {
    const opened = await reports('open', '25565')
    expect(opened.exit).toBe(0)
    const mapped = { type: 'mapped', externalAddress: OUTSIDE, reachable: true }
    expect(opened.rows.find(({ type }) => type === 'mapped')).toMatchObject(mapped)
    const listed = await reports('list')
    const mapping = { externalPort: 25565, protocol: 'TCP', internalClient: COMPUTER, internalPort: 25565 }
    expect(listed.rows.find(({ type }) => type === 'mapping')).toMatchObject({ index: 0, ...mapping })
    const status = await reports('status')
    expect(status.rows.find(({ type }) => type === 'router')).toMatchObject({ protocols: [via] })
    const closed = await reports('close', '25565')
    expect(closed).toMatchObject({ exit: 0 })
    expect(closed.rows.filter(({ type }) => type === 'unmapped')).toMatchObject([{ key: { externalPort: 25565 } }])
    expect(await doorsOf(lab)).toEqual([])
  })
})

test('open lets friends in over IPv6 too, and close closes that as well', { timeout: 60_000 }, async ({
  onTestFinished,
}) => {
  const lab = await Lab.up()
  onTestFinished(() => lab.down())
  await listenOnComputer(lab, 25565)
  const opened = await lab.upnpTs('open', '25565')
  expect(steady(opened.stdout)).toContain(`Over IPv6 friends connect to [${COMPUTER_IPV6}]:25565`)
  expect(await talkFromInternet(lab, 25565, 'hello', COMPUTER_IPV6)).toBe('echo: hello')
  const closed = await lab.upnpTs('close', '25565')
  expect(closed).toMatchObject({ stdout: 'Port 25565 TCP is closed.\nOver IPv6 it is closed too.\n', exit: 0 })
  expect(await talkFromInternet(lab, 25565, 'hello', COMPUTER_IPV6)).not.toBe('echo: hello')
})

test('open says whose port it is if it is taken, and what takes another one', { timeout: 60_000 }, async ({
  onTestFinished,
}) => {
  const lab = await Lab.up({ secureMode: false })
  onTestFinished(() => lab.down())
  await lab.upnpc('-e', 'Minecraft', '-a', '192.168.86.77', '25565', '25565', 'TCP')
  const { stdout, stderr, exit } = await lab.upnpTs('open', '25565', '--ipv4')
  expect({ stdout, exit }).toEqual({ stdout: '', exit: 2 })
  expect(stderr).toContain("192.168.86.77 ('Minecraft')")
  expect(stderr).toContain('upnp-ts open --external any 25565')
  const other = await lab.upnpTs('open', '--external', 'any', '25565', '--ipv4')
  expect(other.exit).toBe(0)
  expect(await doorsOf(lab)).toHaveLength(2)
  const closed = await lab.upnpTs('close', '25565')
  expect(closed.exit).toBe(2)
  expect(closed.stderr).toContain('another computer, 192.168.86.77')
})
