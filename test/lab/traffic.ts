/** TCP through the router, over IPv4 or IPv6: an echo server on the computer, a client on the internet; and UDP. */
import type { Command } from './command.ts'
import { type Lab, ROUTER_WAN } from './lab.ts'

const ECHO_SERVER = `
  const port = Number(process.argv[1])
  const server = require('node:net').createServer((socket) => socket.on('error', () => {}).pipe(socket))
  const datagrams = require('node:dgram').createSocket('udp6')
  datagrams.on('message', (text, { address, port }) => datagrams.send(text, port, address, () => {}))
  datagrams.bind(port, '::', () => server.listen(port, '::', () => console.log('listening')))
`

const ECHO_CLIENT = `
  const [host, port, text] = process.argv.slice(1)
  const socket = require('node:net').connect(Number(port), host, () => socket.end(text))
  let echo = ''
  socket.setEncoding('utf8').on('data', (part) => { echo += part }).on('end', () => console.log('echo: ' + echo))
  socket.setTimeout(2000, () => socket.destroy(new Error('ETIMEDOUT')))
  socket.on('error', (error) => console.log('error: ' + (error.code ?? error.message)))
`

/** Listens on the computer over TCP and UDP until it is stopped, or the lab goes down. */
export async function listenOnComputer(lab: Lab, port: number): Promise<Command> {
  const server = lab.spawn('computer', [process.execPath, '-e', ECHO_SERVER, `${port}`])
  await server.says(/listening/)
  return server
}

/**
 * Connects from the internet, sends a line and reads it back: 'echo: …', or 'error: …' when that does not work.
 * Over IPv4 to the router; over IPv6, which knows no mappings, to the computer.
 */
export async function talkFromInternet(lab: Lab, port: number, text: string, host = ROUTER_WAN): Promise<string> {
  const command = [process.execPath, '-e', ECHO_CLIENT, host, `${port}`, text]
  const { stdout, stderr } = await lab.on('internet', command)
  return stdout.trim() || stderr.trim()
}
