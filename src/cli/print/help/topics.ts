/** TOPICS: what `help` explains beside commands and options, one row for each. */
import type { Tables } from '../../parse/output-options.js'
import { EXIT_CODES, GIVEN_VARIABLES, PROGRAM_EXIT_CODES, READ_VARIABLES, SEVERAL_PORTS } from './facts.js'
import type { Block } from './layout.js'
import { lettersText } from './letters.js'
import { optionsText } from './options.js'

export interface Topic {
  readonly name: string
  readonly line: string
  readonly text: (tables: Tables) => readonly Block[]
}

export const TOPICS: readonly Topic[] = [
  { name: 'letters', line: 'the commands -l, -r, -d and so on, which scripts for upnpc use', text: lettersText },
  { name: 'options', line: 'all options', text: optionsText },
  {
    name: 'protocols',
    line: 'how upnp-ts talks to a router: UPnP, PCP and NAT-PMP',
    text: () => [
      'A router may speak up to three languages. upnp-ts asks in all of them at once and takes the best answer; --via asks in one only.',
      [
        ['igd', 'UPnP, which most routers at home speak: every command works'],
        ['pcp', 'on newer routers, and at some providers'],
        ['nat-pmp', 'on older routers of Apple, and at VPNs'],
      ],
      'open, close, list and status work in all three, and of the letters -r -a -n -d -f -s. PCP and NAT-PMP have no list: there, list shows what this computer has opened. A port that is asked for without an end stays open for 7200 seconds, unless --keep renews it. With --via pcp or --via nat-pmp, external port 0 lets the router choose.',
      'Over IPv6 there is nothing to forward. The router has a firewall, and open asks it to let the port through (UPnP IGD:2 or PCP); of the letters, -A -U and -D. Over PCP, such a hole is named by where it leads: TCP:[2001:db8::5]:8333.',
    ],
  },
  {
    name: 'json',
    line: '--json, for programs',
    text: () => [
      'With --json, every line of stdout is one JSON object with a type, and there is nothing else. The first one has the version of the format: within a version, fields are only added. Errors are objects too:',
      '  upnp-ts list --json\n  upnp-ts open 25565 --json\n  upnp-ts help --json',
      'The last one prints all commands, options and topics. Decide by type, code and number; sentences may change. With --keep and a program after --, the objects go to stderr, because stdout belongs to the program. docs/json.md lists every type.',
    ],
  },
  {
    name: 'exit-codes',
    line: 'what the exit status says',
    text: () => [EXIT_CODES, 'With --keep and a program after --:', PROGRAM_EXIT_CODES],
  },
  {
    name: 'environment',
    line: 'variables that are read, and that programs are given',
    text: () => [
      'What upnp-ts reads:',
      READ_VARIABLES,
      'What a program after --, and the command of --on-change, are given:',
      GIVEN_VARIABLES,
      SEVERAL_PORTS,
    ],
  },
  {
    name: 'docker',
    line: 'containers',
    text: () => [
      'Router and container have to see each other, so the container needs the network of its host:',
      '  docker run --network host --init IMAGE',
      'In the image, upnp-ts starts the server and keeps its port open as long as it runs:',
      '  ENTRYPOINT ["upnp-ts", "open", "25565", "--keep", "--"]\n  CMD ["./server"]',
      'With a volume at /root/.local/state/upnp-ts, the next container takes over what one that was killed has left open. A compose file for a port, beside your containers:',
      '  upnp-ts service compose -- open 25565 --keep',
      'Without the network of the host, run upnp-ts on the host: Docker publishes the port there (docker run -p 25565:25565), and upnp-ts open 25565 --keep opens it at the router.',
    ],
  },
  {
    name: 'vpn',
    line: 'a port from a VPN such as ProtonVPN',
    text: () => [
      'Some VPNs give you one port of their choice, for a minute at a time. --keep asks for it again and again, and --on-change tells your program which one it is:',
      '  upnp-ts -r 0 1 TCP+UDP --via nat-pmp --gateway 10.2.0.1 \\\n    --lease 60 --keep \\\n    --on-change \'transmission-remote --port "$UPNP_EXTERNAL_PORT"\'',
      '10.2.0.1 is the gateway of the VPN; NAT-PMP has to be switched on in your profile there. -r 0 1 means: the same port inside and outside, whichever it is. Nothing can close that one: it ends with its 60 seconds.',
      'To open a port at your router at home while a VPN is on, name the router: --gateway 192.168.1.1.',
    ],
  },
  {
    name: 'troubleshooting',
    line: 'when it does not work',
    text: () => [
      [
        [
          'no router is found',
          'switch on UPnP (or PCP, NAT-PMP) in the settings of the router; with a VPN or several networks, choose one: -m eth0',
        ],
        [
          'the port is open, and nobody comes in',
          'is the server running, and does the firewall of this computer let it through? Try from another network: many routers refuse their own outside address from inside',
        ],
        [
          'another NAT',
          'your provider, or a second router, stands in front of yours: ask the provider for a public address, use IPv6 (open --ipv6), or open the port on both routers',
        ],
        [
          'the port is taken',
          'another computer has it: upnp-ts list shows which; take another port with --external any',
        ],
        ['it is closed after a while', 'the router forgets it: --keep opens it again'],
        [
          'anything else',
          'add --verbose, which shows every message, and --emulate to try the command without a router',
        ],
      ],
      'Start with:',
      '  upnp-ts status\n  upnp-ts list',
    ],
  },
]
