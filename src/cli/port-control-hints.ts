/** What the result codes of PCP and NAT-PMP mean and what to do, in words for a person who has heard of neither. */

const NOT_AUTHORIZED =
  'the router does not let this computer open ports, or the port is not one that this user of this computer opened; look in its settings under PCP or NAT-PMP'
const NO_ADDRESS = 'the router has no address of the internet now; it may not be connected'
const NO_ROOM =
  'the router has no room for another port now, or it has no address of the internet, or there is nothing to close; try again in a while'

/** RFC 6887 7.4. */
export const PCP_HINTS: ReadonlyMap<number, string> = new Map([
  [1, 'the router speaks another version of it; try --via nat-pmp'],
  [2, NOT_AUTHORIZED],
  [3, 'the router did not understand that'],
  [4, 'the router cannot do that over PCP; try --via igd or --via nat-pmp'],
  [5, 'the router opens ports only for the computer that asks, and not for one remote host only; try --via igd'],
  [6, 'the router did not understand that'],
  [7, NO_ADDRESS],
  [8, NO_ROOM],
  [9, 'the router opens ports for other protocols only; try TCP or UDP'],
  [10, 'this computer has as many ports open as the router allows it; close one with -d'],
  [11, 'that external port is taken, or not to be had; -n takes another one'],
  [
    12,
    'there is another NAT between this computer and the gateway (a container, a second router): run this in front of it',
  ],
  [13, 'the router takes fewer remote hosts than that for one port'],
  [15, 'the router wants PCP to be authenticated (RFC 7652), which upnp-ts does not do'],
])

/** RFC 6886 3.5. */
export const NAT_PMP_HINTS: ReadonlyMap<number, string> = new Map([
  [1, 'the router speaks another version of it; try --via pcp'],
  [2, NOT_AUTHORIZED],
  [3, NO_ADDRESS],
  [4, NO_ROOM],
  [5, 'the router cannot do that over NAT-PMP; try --via pcp or --via igd'],
])
