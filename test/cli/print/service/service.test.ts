/** The files that `upnp-ts service` prints: the words in them are the words that were given, whatever is in these. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parseInvocation } from '../../../../src/cli/parse/invocation.ts'
import type { Installed, ServicePlan } from '../../../../src/cli/print/service/plan.ts'
import { serviceHints, serviceText } from '../../../../src/cli/print/service/service.ts'

const INSTALLED: Installed = {
  node: '/usr/bin/node',
  script: '/usr/local/lib/node_modules/upnp-ts/bin/upnp-ts.js',
  folder: '/usr/local/lib/node_modules/upnp-ts',
  isTemporary: false,
}
const KEPT = ['-r', '22', 'TCP', '--keep']
const HOSTILE = [
  ...[
    '',
    ' ',
    'a b',
    "it's",
    '"',
    '\\',
    '\\n',
    'a\\',
    '%',
    '%h',
    '%%',
    '$HOME',
    '$'.concat('{HOME}'),
    '$$',
    ';',
    '&&',
    '#x',
    '@x',
    '-x',
  ],
  ...[
    'a\nb',
    'a\r\nUser=root',
    '\t',
    '\u0001\u007f',
    'é',
    '\u0085',
    '\u2028',
    '😀',
    '\ufeff',
    "'",
    '[',
    '{',
    '- x',
    'null',
    '`id`',
  ],
]

function planOf(form: string, line: readonly string[], installed: Partial<Installed> = {}): ServicePlan {
  const invocation = parseInvocation(['service', form, '--', ...line])
  if (invocation.kind !== 'service') throw new Error(`it is ${invocation.kind}`)
  return { invocation, installed: { ...INSTALLED, ...installed } }
}

const unit = (line: readonly string[], installed?: Partial<Installed>): string =>
  serviceText(planOf('systemd', line, installed))
const compose = (line: readonly string[], installed?: Partial<Installed>): string =>
  serviceText(planOf('compose', line, installed))

function settings(text: string, key: string): string[] {
  return text.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []))
}

/** As systemd.service(5), "Command lines", has it: quotes and escapes, then specifiers, then variables. */
function commandLineOf(text: string): string[] {
  const [line = ''] = settings(text, 'ExecStart')
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s"]+)/g)]
  return words.map(([, quoted, bare], at) => {
    const bytes = (quoted ?? bare ?? '').replace(/\\(x[\da-f]{2}|["\\])/g, (_, code: string) =>
      code.length === 1 ? code : String.fromCharCode(Number.parseInt(code.slice(1), 16)),
    )
    // The bytes of UTF-8 that were escaped one by one.
    const whole = bytes.replace(/[\u00c2][\u0080-\u009f]/g, (pair) => Buffer.from(pair, 'latin1').toString('utf8'))
    expect(whole.replaceAll('%%', '')).not.toContain('%')
    const expanded = whole.replaceAll('%%', '%')
    if (at === 0) return expanded // the program is never a variable
    expect(expanded.replaceAll('$$', '')).not.toContain('$')
    return expanded.replaceAll('$$', '$')
  })
}

describe('a unit', () => {
  it('is this', () => {
    const shown = unit(KEPT)
      .split('\n')
      .filter((line) => !line.startsWith('#') && line !== '')
    expect(shown).toEqual([
      '[Unit]',
      'Description=Keeps port 22 TCP open on the router',
      'After=network.target',
      '[Service]',
      'ExecStart=/usr/bin/node /usr/local/lib/node_modules/upnp-ts/bin/upnp-ts.js -r 22 TCP --keep',
      'Type=notify',
      'NotifyAccess=all',
      'TimeoutStartSec=infinity',
      'Restart=on-failure',
      'RestartSec=10s',
      'KillMode=mixed',
      'DynamicUser=yes',
      'User=upnp-ts',
      'StateDirectory=upnp-ts',
      'StateDirectoryMode=0700',
      'Environment=XDG_STATE_HOME=/var/lib',
      'UMask=0077',
      'CapabilityBoundingSet=',
      ...['PrivateUsers', 'NoNewPrivileges'].map((key) => `${key}=yes`),
      'ProtectSystem=strict',
      ...['ProtectHome', 'PrivateTmp', 'PrivateDevices', 'PrivateMounts'].map((key) => `${key}=yes`),
      ...['Clock', 'ControlGroups', 'Hostname', 'KernelLogs', 'KernelModules', 'KernelTunables'].map(
        (key) => `Protect${key}=yes`,
      ),
      'ProtectProc=invisible',
      ...['LockPersonality', 'RemoveIPC'].map((key) => `${key}=yes`),
      ...['Namespaces', 'Realtime', 'SUIDSGID'].map((key) => `Restrict${key}=yes`),
      'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
      'SystemCallArchitectures=native',
      'SystemCallFilter=@system-service @pkey',
      'SystemCallFilter=~@privileged @resources',
      'SystemCallErrorNumber=EPERM',
      '[Install]',
      'WantedBy=multi-user.target',
    ])
  })

  it('says in comments how to install it, with the same words', () => {
    const [, , command = '', second = ''] = unit([...KEPT, '-e', 'my "web" server']).split('\n')
    expect(command).toBe(
      `#   upnp-ts service systemd -- -r 22 TCP --keep -e 'my "web" server' | sudo tee /etc/systemd/system/upnp-ts.service`,
    )
    expect(second).toBe('#   sudo systemctl enable --now upnp-ts')
  })

  it.each<[readonly string[], string]>([
    [['-r', '22', 'TCP'], 'Keeps port 22 TCP open on the router'],
    [['open', '2222:22'], 'Keeps port 2222 TCP open on the router'],
    [['-r', '53', 'TCP+UDP'], 'Keeps ports 53 UDP and 53 TCP open on the router'],
    [['-r', '27015-27030', 'UDP'], 'Keeps 16 ports open on the router'],
    [['-r', '0', '1', 'TCP+UDP', '--via', 'nat-pmp'], 'Keeps a port open that the router chooses'],
    [['-6', '-A', '', '0', '@', '8333', 'TCP', '3600'], "Keeps ports open in the router's IPv6 firewall"],
  ])('says what %j is for', (line, purpose) => {
    expect(settings(unit([...line, '--keep']), 'Description')).toEqual([purpose])
  })

  it('gives the program every word as it is', () => {
    const line = [...KEPT, '--', 'node', ...HOSTILE]
    expect(commandLineOf(unit(line))).toEqual([INSTALLED.node, INSTALLED.script, ...line])
    const installed = { node: '/opt/my $node 100%/bin/node', script: '/opt/a "b"\\/upnp-ts.js' }
    expect(commandLineOf(unit(KEPT, installed)).slice(0, 2)).toEqual([installed.node, installed.script])
  })

  it.each(HOSTILE)('has no line but its own for %j', (word) => {
    const plain = unit([...KEPT, '--', 'node', 'x']).split('\n')
    expect(unit([...KEPT, '--', 'node', word]).split('\n')).toHaveLength(plain.length)
  })

  it('opens the folder of --state, and its file to others', () => {
    const own = unit([...KEPT, '--state', '/run/upnp-ts/ports.json'])
    expect(settings(own, 'RuntimeDirectory')).toEqual(['upnp-ts'])
    expect(settings(own, 'UMask')).toEqual(['0022'])
    const other = unit([...KEPT, '--state', '/srv/my 50% files/ports.json'])
    expect(settings(other, 'ReadWritePaths')).toEqual(['-"/srv/my 50%% files"'])
    const inside = unit([...KEPT, '--state', '/var/lib/upnp-ts/ports.json'])
    expect(settings(inside, 'ReadWritePaths')).toEqual([])
    expect(settings(inside, 'UMask')).toEqual(['0077'])
  })

  it('lets root read the file of --nonce', () => {
    const text = unit([...KEPT, '--via', 'pcp', '--nonce', '@/etc/my 1% nonce'])
    expect(settings(text, 'StandardInput')).toEqual(['file:/etc/my 1%% nonce'])
    expect(commandLineOf(text).slice(-2)).toEqual(['--nonce', '-'])
  })

  it('lets a program listen on a low port, and only then', () => {
    const capability = (line: readonly string[]): string[] => settings(unit(line), 'AmbientCapabilities')
    expect(capability(['-r', '80', 'TCP', '--keep', '--', 'node', 'server.js'])).toEqual(['CAP_NET_BIND_SERVICE'])
    expect(capability(['-r', '8080', '80', 'TCP', '--keep', '--', 'node', 'server.js'])).toEqual([])
    expect(capability(KEPT)).toEqual([])
  })

  it('shows the homes if something that it runs is in one', () => {
    expect(settings(unit(KEPT, { node: '/home/ann/.nvm/node' }), 'ProtectHome')).toEqual(['read-only'])
    expect(settings(unit([...KEPT, '--', '/home/ann/server']), 'ProtectHome')).toEqual(['read-only'])
  })
})

describe('a compose file', () => {
  /** A list of JSON is one of YAML; compose reads two dollars as one. */
  const commandOf = (text: string): unknown => {
    const line = text.split('\n').find((each) => each.startsWith('    command: ')) ?? ''
    expect(line.replaceAll('$$', '')).not.toContain('$')
    return JSON.parse(line.slice('    command: '.length).replaceAll('$$', '$'))
  }

  it('gives the program every word as it is', () => {
    const line = [...KEPT, '--', 'node', ...HOSTILE]
    expect(commandOf(compose(line))).toEqual(line)
    expect(compose(line)).not.toMatch(/[\u007f-\u009f\u2028\u2029\ufeff]/)
  })

  it.each(HOSTILE)('has no line but its own for %j', (word) => {
    const plain = compose([...KEPT, '--', 'node', 'x']).split('\n')
    expect(compose([...KEPT, '--', 'node', word]).split('\n')).toHaveLength(plain.length)
  })

  it('is this', () => {
    const shown = compose(KEPT)
      .split('\n')
      .filter((line) => !line.trim().startsWith('#') && line !== '')
    expect(shown).toEqual([
      'name: upnp-ts',
      'services:',
      '  upnp-ts:',
      '    build:',
      '      context: "/usr/local/lib/node_modules/upnp-ts"',
      '      dockerfile_inline: |',
      '        FROM node:22-slim',
      '        COPY package.json /opt/upnp-ts/',
      '        COPY bin /opt/upnp-ts/bin/',
      '        COPY dist /opt/upnp-ts/dist/',
      '        RUN install --directory --owner=node --mode=0700 /var/lib/upnp-ts',
      '        USER node',
      '        ENTRYPOINT ["node", "/opt/upnp-ts/bin/upnp-ts.js"]',
      '    command: ["-r", "22", "TCP", "--keep"]',
      '    network_mode: host',
      '    init: true',
      '    restart: unless-stopped',
      '    stop_grace_period: 30s',
      '    environment:',
      '      XDG_STATE_HOME: /var/lib',
      '    volumes:',
      '      - state:/var/lib/upnp-ts',
      '    read_only: true',
      '    tmpfs: /tmp',
      '    cap_drop: [ALL]',
      '    security_opt: ["no-new-privileges:true"]',
      'volumes:',
      '  state:',
    ])
  })

  it('mounts the files that the command line names', () => {
    const text = compose([
      ...KEPT,
      '--via',
      'pcp',
      '--nonce',
      '@/etc/nonce',
      '--state',
      '/run/my$x/p.json',
      '-p',
      '/run/m.sock',
    ])
    expect(text.match(/source: .*\n.*target: .*\n.*read_only: .*/g)).toEqual(
      [
        ['"/etc/nonce"', true],
        ['"/run/m.sock"', false],
        ['"/run/my$$x"', false],
      ].map(([path, isReadOnly]) => `source: ${path}\n        target: ${path}\n        read_only: ${isReadOnly}`),
    )
    expect(commandOf(text)).toContain('@/etc/nonce')
    expect(text).toContain('# User 1000 reads it: sudo chown 1000 /etc/nonce\n')
  })

  it('lets a program listen on a low port', () => {
    const text = compose(['-r', '80', 'TCP', '--keep', '--', 'node', 'server.js'])
    expect(text).toContain('    cap_add: [NET_BIND_SERVICE]\n')
    expect(text).toContain('        USER root\n')
  })
})

describe('hints', () => {
  const open = (): undefined => undefined
  it('are not there if nothing is to be done', () => {
    expect(serviceHints(planOf('systemd', KEPT), open, 'linux')).toEqual([])
    expect(serviceHints(planOf('compose', KEPT), (path) => path, 'darwin')).toEqual([])
  })

  it.each<[string, ServicePlan, (path: string) => string | undefined, string, string]>([
    [
      'a temporary folder',
      planOf('compose', KEPT, { isTemporary: true }),
      open,
      'linux',
      'npm install --global ./upnp-ts-*.tgz',
    ],
    [
      'a home that is closed',
      planOf('systemd', KEPT),
      (path) => (path.includes('node') ? '/home/ann' : undefined),
      'linux',
      'who cannot use /home/ann',
    ],
    [
      'a program that is closed',
      planOf('systemd', [...KEPT, '--', '/root/x']),
      (path) => (path === '/root/x' ? '/root' : undefined),
      'linux',
      'who cannot use /root',
    ],
    ['a Mac', planOf('systemd', KEPT), open, 'darwin', 'systemd is on Linux only'],
    [
      'a folder of others',
      planOf('systemd', [...KEPT, '--state', '/srv/p']),
      open,
      'linux',
      'may not be allowed to write /srv/p',
    ],
  ])('tell of %s', (_, plan, closed, platform, text) => {
    const hints = serviceHints(plan, closed, platform)
    expect(hints).toHaveLength(1)
    expect(hints[0]).toMatch(/^hint: .*\n$/)
    expect(hints[0]).toContain(text)
  })
})

/** Since 250 it rates a file without a running systemd. */
const version = Number(
  /^systemd (\d+)/.exec(spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout)?.[1],
)
const isNeeded = process.platform === 'linux' && process.env.CI === 'true'
/** The packages of .ci/run bring it, and nothing is skipped there. */
describe.skipIf(!(version >= 250) && !isNeeded)('systemd-analyze', () => {
  let folder = ''
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** These two commands read the file, and start nothing. */
  function analyzed(text: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    folder = mkdtempSync(join(tmpdir(), 'upnp-ts-service-'))
    const path = join(folder, 'upnp-ts.service')
    writeFileSync(path, text)
    const [command = '', ...options] = args
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [command, ...options, path], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })
    return { status, stdout, stderr }
  }

  const REAL = { node: process.execPath, script: join(import.meta.dirname, '../../../../bin/upnp-ts.js') }
  const LINES: readonly (readonly string[])[] = [
    KEPT,
    [...KEPT, '--state', '/run/upnp-ts/ports.json', '--on-change', 'echo "$UPNP_EXTERNAL_PORT"'],
    ['-r', '80', 'TCP', '--keep', '--', 'node', 'server.js'],
    [...KEPT, '--via', 'pcp', '--nonce', '@/etc/nonce', '--state', '/srv/my 50% files/p'],
  ]

  it.each(LINES)('finds nothing wrong with the unit, and rates it under 3: %s %s %s %s %s', (...line) => {
    const text = unit(
      line.filter((word) => word !== undefined),
      REAL,
    )
    expect(analyzed(text, ['verify', '--man=no'])).toEqual({ status: 0, stdout: '', stderr: '' })
    const { stdout } = analyzed(text, ['security', '--offline=true', '--no-pager'])
    const level = Number(/Overall exposure level for .*: ([\d.]+)/.exec(stdout)?.[1])
    expect(level).toBeLessThan(3)
  })

  it('reads the words that were given', () => {
    const words = HOSTILE.filter((word) => !/[#\p{Cc}\u2028\ufeff]/u.test(word)) // shown in another way
    const text = unit([...KEPT, '--', 'node', ...words], REAL)
    const { stdout } = analyzed(text, ['verify', '--man=no'], { SYSTEMD_LOG_LEVEL: 'debug', LC_ALL: 'C.UTF-8' })
    const shown = /Command Line: (.*)/.exec(stdout)?.[1] ?? ''
    const { stdout: read } = spawnSync('sh', ['-c', `printf '%s\\0' ${shown}`], { encoding: 'utf8' })
    const doubled = words.map((word) => word.replaceAll('$', '$$$$')) // variables are for the start of the service
    expect(read.split('\0').slice(2, -1)).toEqual([...KEPT, '--', 'node', ...doubled])
  })
})
