/** WORDS: what the words in capitals mean that stand in the forms of commands. */
export interface WordRow {
  readonly word: string
  /** Labels of the commands; if undefined, all in whose form the word stands. */
  readonly of?: readonly string[]
  readonly text: string
}

const VERBS_WITH_PORTS = ['open', 'close']

export const WORDS: readonly WordRow[] = [
  { word: 'EXTERNAL', text: 'the port on the router, if it is not the same: 2222:22 leads from 2222 there to 22 here' },
  { word: 'PORT', of: VERBS_WITH_PORTS, text: 'a port from 1 to 65535, or a range such as 27015-27030' },
  { word: 'PROTOCOL', of: ['open'], text: 'tcp, udp or both [tcp]' },
  { word: 'PROTOCOL', of: ['close'], text: 'tcp, udp or both [both]' },
  { word: 'IP', text: 'the computer that the port leads to, such as 192.168.1.5; @ is this one' },
  { word: 'PORT', text: 'the port on the computer, or a range such as 27015-27030' },
  { word: 'EXTERNAL_PORT', text: 'the port on the router, or a range' },
  { word: 'FIRST_PORT', text: 'the first port of the range on the router' },
  { word: 'LAST_PORT', text: 'the last port of the range' },
  { word: 'PROTOCOL', text: 'TCP, UDP or TCP+UDP' },
  { word: 'LEASE', text: 'for how many seconds the router keeps it open; 0 is as long as it allows' },
  { word: 'REMOTE_HOST', text: 'remote host: the one address of the internet that may come in; "" is any' },
  { word: 'MANAGE', text: '1 closes ports of other computers too' },
  { word: 'REMOTE_IP', text: 'the one address of the internet that may come in; "" is any' },
  { word: 'REMOTE_PORT', text: 'the port at that address; 0 is any' },
  { word: 'INTERNAL_IP', text: 'the IPv6 address of the computer that it leads to; @ is this one' },
  { word: 'INTERNAL_PORT', text: 'the port on that computer' },
  { word: 'ID', text: 'the number that -A printed; over PCP its destination, such as TCP:[2001:db8::5]:8333' },
  { word: 'COMMAND', text: 'a command line of upnp-ts with --keep' },
  { word: 'WORD', text: 'a command, an option or a topic: open, -r, --keep, troubleshooting' },
  { word: 'SHELL', text: 'bash, zsh or fish' },
]

/** The rows about a command's form. */
export function wordsIn(label: string, form: string): readonly WordRow[] {
  const words = new Set(form.split(/[^A-Z_]/).filter((word) => word.length > 1))
  return [...words].flatMap((word) => {
    const rows = WORDS.filter((row) => row.word === word)
    return rows.find(({ of }) => of?.includes(label)) ?? rows.find(({ of }) => of === undefined) ?? []
  })
}
