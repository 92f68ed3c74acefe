/** A unit of systemd that keeps ports open, and may do little else. */
import { isWithin, SERVICE, type ServiceInvocation } from '../../parse/service-words.js'
import { shellLine } from '../../parse/shell-words.js'
import { commented, hasLowPort, purposeOf, type ServicePlan } from './plan.js'
import { argumentWord, percentless, unitWord } from './systemd-words.js'

/** Where systemd makes a folder for the service: its state, which nobody else reads, and files for others. */
const STATE_FOLDER = '/var/lib/upnp-ts'
const RUNTIME_FOLDER = '/run/upnp-ts'
const HOMES = ['/home', '/root', '/run/user'] as const

export function systemdUnit(plan: ServicePlan): string {
  const { invocation, installed } = plan
  const sections = [
    [
      commented(`${purposeOf(invocation)}, as a service of systemd. To install and to start it:

  upnp-ts ${shellLine([SERVICE, 'systemd', '--', ...invocation.given])} | sudo tee /etc/systemd/system/upnp-ts.service
  sudo systemctl enable --now upnp-ts

After a change, sudo systemctl daemon-reload and sudo systemctl restart upnp-ts. To see what it does:
systemctl status upnp-ts, and journalctl -u upnp-ts. More ports go into the same command line, or into a second
file with another name.`),
    ],
    ['[Unit]', `Description=${percentless(purposeOf(invocation))}`, 'After=network.target'],
    [
      '[Service]',
      ...howItRuns(plan),
      ...whatItWrites(invocation),
      ...whatItMayDo(invocation, [installed.node, installed.script, ...invocation.program.slice(0, 1)]),
    ],
    ['[Install]', 'WantedBy=multi-user.target'],
  ]
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function howItRuns({ invocation, installed }: ServicePlan): string[] {
  const command = [installed.script, ...invocation.words].map(argumentWord)
  const { nonceFile } = invocation
  const guests = guestsOf(invocation)
  return [
    commented(`Node and upnp-ts, where they are installed now: systemd does not look where npm installs programs. If one of
them moves, change its path here (command -v node, npm root --global), or make this file again.`),
    `ExecStart=${[unitWord(installed.node), ...command].join(' ')}`,
    ...(nonceFile === undefined
      ? []
      : [
          commented('The file of --nonce: root reads it, so nobody else has to.'),
          `StandardInput=file:${percentless(nonceFile)}`,
        ]),
    ...(guests === undefined
      ? []
      : ['', commented(`${guests} in the folder /, as the user below, and may do no more than this file allows.`), '']),
    commented(`It counts as started once the ports are open, however long the router takes. With Type=exec in place of these three
lines it counts as started at once.`),
    'Type=notify',
    'NotifyAccess=all',
    'TimeoutStartSec=infinity',
    'Restart=on-failure',
    'RestartSec=10s',
    commented('Only upnp-ts gets the signal to end: it closes the ports, and ends its program itself.'),
    'KillMode=mixed',
  ]
}

/** Who else runs in the service. */
function guestsOf({ hasHook, program }: ServiceInvocation): string | undefined {
  if (program.length === 0) return hasHook ? 'The command of --on-change runs' : undefined
  return hasHook ? 'The program and the command of --on-change run' : 'The program runs'
}

function whatItWrites({ stateFile }: ServiceInvocation): string[] {
  const isForOthers = stateFile !== undefined && !isWithin(stateFile, STATE_FOLDER)
  const folder = stateFile?.slice(0, stateFile.lastIndexOf('/')) || '/'
  return [
    '',
    commented('A user that exists only while the service runs, with a folder for what upnp-ts remembers.'),
    'DynamicUser=yes',
    'User=upnp-ts',
    'StateDirectory=upnp-ts',
    'StateDirectoryMode=0700',
    'Environment=XDG_STATE_HOME=/var/lib',
    ...(isForOthers && folder === RUNTIME_FOLDER ? ['RuntimeDirectory=upnp-ts', 'RuntimeDirectoryPreserve=yes'] : []),
    ...(isForOthers && folder !== RUNTIME_FOLDER
      ? [
          commented('The folder of --state. That user also has to be allowed to write there.'),
          `ReadWritePaths=-${unitWord(folder)}`,
        ]
      : []),
    `UMask=${isForOthers ? '0022' : '0077'}`,
  ]
}

function whatItMayDo(invocation: ServiceInvocation, programs: readonly string[]): string[] {
  const isAtHome = programs.some((path) => HOMES.some((home) => isWithin(path, home)))
  const capabilities = hasLowPort(invocation) ? 'CAP_NET_BIND_SERVICE' : ''
  return [
    '',
    commented('What it may do. systemd-analyze security upnp-ts rates it.'),
    ...(capabilities === ''
      ? ['CapabilityBoundingSet=', 'PrivateUsers=yes']
      : [
          commented('The program listens on a port below 1024.'),
          `CapabilityBoundingSet=${capabilities}`,
          `AmbientCapabilities=${capabilities}`,
        ]),
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    ...(isAtHome
      ? [commented('Node, upnp-ts or the program is in a home.'), 'ProtectHome=read-only']
      : ['ProtectHome=yes']),
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'PrivateMounts=yes',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    commented('No ProcSubset=pid: the default gateway is read from /proc/net.'),
    'ProtectProc=invisible',
    commented(
      'No MemoryDenyWriteExecute=yes: V8, which runs JavaScript, makes machine code while it runs, and would crash.',
    ),
    'LockPersonality=yes',
    'RemoveIPC=yes',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    commented('The router; its name for this computer; systemd and MiniSSDPd; and the list of the network interfaces.'),
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
    'SystemCallArchitectures=native',
    commented('V8 tries @pkey.'),
    'SystemCallFilter=@system-service @pkey',
    'SystemCallFilter=~@privileged @resources',
    'SystemCallErrorNumber=EPERM',
  ]
}
