/** What is open in the router, as its nftables rules have it: nobody's word for it. */
import { COMPUTER_SECOND, type Lab } from './lab.ts'

const RULE = /@nh,72,8 0x([\da-f]+) th dport (\d+) dnat ip to (\S+)/g
const PROTOCOLS: Readonly<Record<string, string>> = { '6': 'TCP', '11': 'UDP' }

/** The redirections, such as 'TCP 8080 -> 192.168.86.250:80', sorted. */
export async function doorsOf(lab: Lab): Promise<string[]> {
  const { stdout } = await lab.on('router', ['nft', 'list', 'chain', 'inet', 'filter', 'prerouting_miniupnpd'])
  const doors = [...stdout.matchAll(RULE)].map(
    ([, protocol = '', port, inside]) => `${PROTOCOLS[protocol] ?? protocol} ${port} -> ${inside}`,
  )
  return doors.sort()
}

/** RFC 6886 3.3, from a socket of the second address: so that it is somebody else who has the port. */
const MAP_TCP = `
  const [from, port] = process.argv.slice(1)
  const request = Buffer.from('000200000000000000000e10', 'hex')
  request.writeUInt16BE(Number(port), 4)
  request.writeUInt16BE(Number(port), 6)
  const socket = require('node:dgram').createSocket('udp4')
  socket.bind(0, from, () => socket.send(request, 5351, '192.168.86.1'))
  socket.on('message', (response) => { console.log(response.readUInt16BE(10)); socket.close() })
`

/** Another computer of the home gets that external TCP port, also where the router speaks no UPnP. */
export async function letAnotherTake(lab: Lab, port: number): Promise<void> {
  const { stdout, stderr } = await lab.on('computer', [process.execPath, '-e', MAP_TCP, COMPUTER_SECOND, `${port}`])
  if (stdout !== `${port}\n`) throw new Error(`${COMPUTER_SECOND} got not ${port} but ${stdout}${stderr}`)
}
