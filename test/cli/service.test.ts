/** `upnp-ts service`, whole: the file is all of stdout, and what has to be done first is on stderr. */
import { describe, expect, it } from 'vitest'
import { installedProgram } from '../../src/net/files/installed-program.ts'
import { runCli } from '../support/run-cli.ts'

describe('service', () => {
  it('prints a unit that runs the installed upnp-ts, and nothing else', async () => {
    const { stdout, exitCode } = await runCli(['service', 'systemd', '--', '-r', '22', 'TCP', '--keep', '--quiet'])
    expect(exitCode).toBe(0)
    const { node, script } = installedProgram()
    expect(stdout.split('\n').find((line) => line.startsWith('ExecStart='))).toBe(
      `ExecStart=${node} ${script} -r 22 TCP --keep --quiet`,
    )
    expect(stdout).toMatch(/^# Keeps port 22 TCP open on the router, as a service of systemd\./)
    expect(stdout).toMatch(/\n\[Install\]\nWantedBy=multi-user\.target\n$/)
  })

  it('prints a compose file', async () => {
    const { stdout, exitCode } = await runCli(['service', 'compose', '--', '-r', '22', 'TCP', '--keep', '--json'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('    command: ["-r", "22", "TCP", "--keep", "--json"]\n')
  })

  it('refuses in one line, below its form', async () => {
    const { stdout, stderr, exitCode } = await runCli(['service', 'systemd', '--', '-r', '22', 'TCP'])
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 }) // a pipe would put a banner into the file
    expect(stderr).toBe(
      'usage: upnp-ts service systemd|compose -- COMMAND\n' +
        'a service keeps ports open, so it needs --keep; try: upnp-ts service systemd -- -r 22 TCP --keep\n',
    )
  })
})
