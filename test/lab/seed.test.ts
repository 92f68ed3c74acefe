/**
 * The walk that upnpc's users take, against a real router and through a real NAT: list, open port 22, come in from the
 * internet, list, close it, stand before a closed door, list.
 */
import { describe, expect, test } from 'vitest'
import { belowBanner } from './banner.ts'
import type { Finished } from './command.ts'
import { COMPUTER, Lab } from './lab.ts'
import { listenOnComputer, talkFromInternet } from './traffic.ts'

const FOUND = `List of UPNP devices found on the network :
 desc: http://192.168.86.1:5000/rootDesc.xml
 st: urn:schemas-upnp-org:device:InternetGatewayDevice:1

Found valid IGD : http://192.168.86.1:5000/ctl/IPConn
Local LAN ip address : ${COMPUTER}
`
const HEADER = ' i protocol exPort->inAddr:inPort description remoteHost leaseTime\n'

/** The entries of `-l`, which are the last thing that it prints. */
function listed({ stdout, stderr, exit }: Finished): string {
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 })
  const text = belowBanner(stdout)
  expect(text.startsWith(FOUND)).toBe(true)
  expect(text).toContain('Status : Connected, uptime=')
  expect(text).toContain('ExternalIPAddress = 11.22.33.44\n')
  return text.slice(text.indexOf(HEADER) + HEADER.length)
}

describe.each([1, 2] as const)('against an InternetGatewayDevice:%i', { timeout: 60_000 }, (igd) => {
  test('lists, opens port 22, lets the internet in, closes it, and the internet stays out', async ({
    onTestFinished,
  }) => {
    const lab = await Lab.up({ igd })
    onTestFinished(() => lab.down())
    await listenOnComputer(lab, 22)

    expect(listed(await lab.upnpTs('-l'))).toBe('')
    expect(await talkFromInternet(lab, 22, 'hello')).toBe('error: ECONNREFUSED')

    const opened = await lab.upnpTs('-r', '22', 'TCP')
    expect(opened).toMatchObject({ stderr: '', exit: 0 })
    expect(belowBanner(opened.stdout)).toBe(`${FOUND}ExternalIPAddress = 11.22.33.44
InternalIP:Port = ${COMPUTER}:22
external 11.22.33.44:22 TCP is redirected to internal ${COMPUTER}:22 (duration=604800)
`)
    expect(await talkFromInternet(lab, 22, 'hello')).toBe('echo: hello')
    expect(listed(await lab.upnpTs('-l'))).toMatch(
      /^ 0 TCP {4}22->192\.168\.86\.250:22 {4}'upnp-ts' '' 604(?:7[89]\d|800)\n$/,
    )

    const closed = await lab.upnpTs('-d', '22', 'TCP')
    expect(closed).toMatchObject({ stderr: '', exit: 0 })
    expect(belowBanner(closed.stdout)).toBe(`${FOUND}UPNP_DeletePortMapping() returned : 0\n`)
    expect(await talkFromInternet(lab, 22, 'hello')).toBe('error: ECONNREFUSED')
    expect(listed(await lab.upnpTs('-l'))).toBe('')
  })
})
