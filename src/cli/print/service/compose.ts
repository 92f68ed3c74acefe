/** A compose file with one container that keeps ports open, in the network of its host. */
import { isWithin, SERVICE, type ServiceInvocation } from '../../parse/service-words.js'
import { shellLine } from '../../parse/shell-words.js'
import { commented, hasLowPort, purposeOf, type ServicePlan } from './plan.js'
import { yamlList, yamlWord } from './yaml-words.js'

const STATE_FOLDER = '/var/lib/upnp-ts'
const PROGRAM_FOLDER = '/opt/upnp-ts'
/** The user `node` of the image. */
const NODE_USER_ID = 1000

export function composeFile({ invocation, installed }: ServicePlan): string {
  const { given, words, nonceFile } = invocation
  const isRoot = hasLowPort(invocation)
  const user = isRoot ? 'root' : 'node'
  const list = nonceFile === undefined ? words : given // a container has no input, but it can have the file
  return `${commented(`${purposeOf(invocation)}, in a container. To start it, in an empty folder:

  upnp-ts ${shellLine([SERVICE, 'compose', '--', ...given])} > compose.yaml
  docker compose up --build --detach

To see what it does: docker compose logs. It has to be a computer with Linux: elsewhere the network of the host is that
of a virtual machine. It needs Docker Compose 2.17 or later.`)}

name: upnp-ts
services:
  upnp-ts:
    build:
${commented('upnp-ts, where it is installed on this computer: its files are copied.', '      ')}
      context: ${yamlWord(installed.folder)}
      dockerfile_inline: |
        FROM node:22-slim
        COPY package.json ${PROGRAM_FOLDER}/
        COPY bin ${PROGRAM_FOLDER}/bin/
        COPY dist ${PROGRAM_FOLDER}/dist/
        RUN install --directory --owner=${user} --mode=0700 ${STATE_FOLDER}
        USER ${user}
        ENTRYPOINT ["node", "${PROGRAM_FOLDER}/bin/upnp-ts.js"]
${programNote(invocation)}    command: ${yamlList(list)}
    network_mode: host
    init: true
    restart: unless-stopped
    stop_grace_period: 30s
    environment:
      XDG_STATE_HOME: /var/lib
    volumes:
      - state:${STATE_FOLDER}
${mountsOf(invocation, isRoot ? 0 : NODE_USER_ID).join('')}    read_only: true
    tmpfs: /tmp
    cap_drop: [ALL]
${isRoot ? `${commented('The program listens on a port below 1024.', '    ')}\n    cap_add: [NET_BIND_SERVICE]\n` : ''}    security_opt: ["no-new-privileges:true"]

volumes:
  state:
`
}

function programNote({ program, hasHook }: ServiceInvocation): string {
  if (program.length === 0 && !hasHook) return ''
  const what = program.length === 0 ? 'What the command of --on-change calls' : 'The program'
  return `${commented(`${what} has to be in the image: begin with another FROM that has Node too, or add lines.`, '    ')}\n`
}

function mountsOf({ stateFile, nonceFile, minissdpd }: ServiceInvocation, userId: number): string[] {
  const mounts: string[] = []
  const add = (path: string, isReadOnly: boolean, note: string): void => {
    mounts.push(`${commented(note, '      ')}
      - type: bind
        source: ${yamlWord(path)}
        target: ${yamlWord(path)}
        read_only: ${isReadOnly}
        bind: { create_host_path: false }
`)
  }
  if (nonceFile !== undefined)
    add(nonceFile, true, `User ${userId} reads it: sudo chown ${userId} ${shellLine([nonceFile])}`)
  if (minissdpd !== undefined) add(minissdpd, false, 'The socket of MiniSSDPd.')
  if (stateFile !== undefined && !isWithin(stateFile, STATE_FOLDER)) {
    const folder = stateFile.slice(0, stateFile.lastIndexOf('/')) || '/'
    add(folder, false, `User ${userId} writes there: sudo install --directory --owner=${userId} ${shellLine([folder])}`)
  }
  return mounts
}
