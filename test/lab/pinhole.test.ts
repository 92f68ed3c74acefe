/** TCP over IPv6, from the internet to the computer: through a pinhole, and not without one. */
import { describe, test } from 'vitest'
import { belowBanner } from './banner.ts'
import { COMPUTER_IPV6, DESCRIPTION_URL_IPV6, Lab } from './lab.ts'
import { listenOnComputer, talkFromInternet } from './traffic.ts'

const PORT = 8022
const FIREWALL = `Found valid IGD : http://[2001:db8:86::1]:5000/ctl/IPConn\nLocal LAN ip address : ${COMPUTER_IPV6}\n`
const FOUND = `List of UPNP devices found on the network :
 desc: ${DESCRIPTION_URL_IPV6}
 st: urn:schemas-upnp-org:device:InternetGatewayDevice:1

${FIREWALL}`

/** miniupnpd 2.3.1 does not count what goes through its nftables rules, so that -C never says Yes there. */
const NOTHING_SEEN = '709 (NoTrafficReceived)'

/** Found by a search, or told where it is. */
const WAYS = [
  { way: 'found', options: ['-6'], preamble: FOUND, client: '@' },
  { way: 'told', options: ['-6', '-u', DESCRIPTION_URL_IPV6], preamble: FIREWALL, client: COMPUTER_IPV6 },
]

describe('a pinhole', { timeout: 60_000 }, () => {
  test.concurrent.for(WAYS)(
    'in a firewall that was $way lets the internet in to $client, until it is deleted',
    async (row, { expect, onTestFinished }) => {
      const { options, preamble, client } = row
      const lab = await Lab.up()
      onTestFinished(() => lab.down())
      const outside = () => talkFromInternet(lab, PORT, 'hello', COMPUTER_IPV6)
      const says = async (command: readonly string[], answer: string, exit = 0) => {
        const finished = await lab.upnpTs(...options, ...command)
        expect({ stdout: belowBanner(finished.stdout), exit: finished.exit }).toEqual({
          stdout: preamble + answer,
          exit,
        })
      }
      await listenOnComputer(lab, PORT)
      expect(await outside()).toBe('error: ETIMEDOUT')

      await says(
        ['-A', '', '0', client, `${PORT}`, 'TCP', '600'],
        `AddPinhole: ([]:0 -> [${COMPUTER_IPV6}]:${PORT}) / Pinhole ID = 1\n`,
      )
      expect(await outside()).toBe('echo: hello')
      await says(['-C', '1'], `CheckPinholeWorking() failed with code ${NOTHING_SEEN}\n`, 2)
      await says(['-K', '1'], 'GetPinholePackets: Pinhole ID = 1 / PinholePackets = 0\n')
      await says(
        ['-U', '1', '900'],
        `CheckPinholeWorking(1) failed with code ${NOTHING_SEEN}\nUpdatePinhole: Pinhole ID = 1 with Lease Time: 900\n`,
      )
      expect(await outside()).toBe('echo: hello')

      await says(['-D', '1'], 'UPNP_DeletePinhole() returned : 0\n')
      expect(await outside()).toBe('error: ETIMEDOUT')
    },
  )
})
