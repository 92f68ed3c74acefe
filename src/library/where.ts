/** Where a gateway is looked for, and how long one call may take: the options that all calls of the library share. */
import type { Via } from '../domain/port-mapping.js'
import type { Clock } from '../net/clock.js'

/** Both bound the one promise that they are given to, and never what it gave. */
export interface Call {
  /**
   * Ends the call. Its promise is rejected with the reason of the signal, and nothing more is sent. What was asked just
   * before may have been done all the same. Default: none.
   */
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds that the call may take; then its promise is rejected with a NoReplyError. Default: as long as its
   * requests take. Each of them has a limit of its own: 30 s to an IGD, 7.75 s over PCP and NAT-PMP.
   */
  readonly timeoutMs?: number | undefined
}

/**
 * A network and a clock in place of those of this computer: `net` of an emulated gateway, from `upnp-ts/emulator`. What
 * else is in it is for this library only.
 *
 * @example
 * const emulator = await startEmulator()
 * const gateway = await findGateway({ net: emulator.net })
 */
export interface Net {
  readonly clock: Clock
}

/** Where to look for the gateway. Without any of it, it is the router of this computer, as on the command line. */
export interface Where extends Call {
  /**
   * The protocol to ask in. 'igd' is UPnP's InternetGatewayDevice:1 and :2, 'pcp' RFC 6887 and 'nat-pmp' RFC 6886. The
   * default, 'auto', asks in all three at the same moment, and prefers the router's IGD, then its PCP, then its NAT-PMP.
   * The same router gets the same protocol every time: one without UPnP is found after 1.6 s.
   */
  readonly via?: Via | undefined
  /**
   * The address of the router, as `--gateway` takes it: `192.168.1.1`, `192.168.1.1:5351` with the port for PCP and
   * NAT-PMP (RFC 6887 19.1), `fe80::1%eth0`, `[fe80::1%eth0]:5351`. Only this host is asked. Default: the default
   * gateway of the interface by which this computer's traffic leaves.
   */
  readonly router?: string | undefined
  /**
   * The URL of an IGD's root description (UDA 1.1 2.1). No search is made. Its host is trusted, and may be a name. A
   * link-local IPv6 host needs its zone, as in `http://[fe80::1%25eth0]:5000/`. Default: none.
   */
  readonly url?: string | undefined
  /** One interface to search on: its name, or one of its addresses. Default: all but loopback. */
  readonly networkInterface?: string | undefined
  /** The network to use. Default: that of this computer. */
  readonly net?: Net | undefined
  /**
   * The directory in which the key of PCP's nonces (RFC 6887 11.1) is stored, and what is remembered of routers,
   * mappings and running keepers. `false` stores nothing on disk, and all such calls of one program share one memory:
   * then no other program can close a mapping of PCP before its lease ends. Default: the one of the command line, or none for a `net`.
   */
  readonly state?: string | false | undefined
}
