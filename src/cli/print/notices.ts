/** Facts worth knowing beside a command's own output, and facts that keep it from being done -> a sentence each. Pure. */
import { PROTOCOL_TITLES } from '../../domain/port-mapping.js'
import type { HookFailure, Notice, Obstacle, ReportedError, ReportOf } from '../report.js'

export function noticeText(notice: Notice): string {
  switch (notice.kind) {
    case 'still-open': {
      const { externalPort, protocol } = notice.key
      return `external ${externalPort} ${protocol} is still open: no time is left to close it`
    }
    case 'pinhole-still-open':
      return `pinhole ${notice.id} for UDP is still open: no time is left to close it`
    case 'pinhole-taken-back': {
      const is = notice.closed ? 'is closed again' : 'could not be closed again'
      return `the pinhole for UDP ${is}: TCP+UDP is both or none`
    }
    case 'address-not-public':
      if (notice.address === '')
        return 'the router has no address of the internet: it is not connected, or behind another router'
      return (
        `${notice.address}, the address of the router, is not one of the internet: another router or the NAT of the ` +
        'provider is in front of it, and the port has to be opened there too'
      )
    case 'port-not-chosen':
      return `the router does not choose a port itself (${notice.error.message}); asked it for one after the other`
    case 'deleted-unknown': {
      const { externalPort, protocol } = notice.key
      return (
        `${PROTOCOL_TITLES[notice.via]} says done also where nothing was open, and upnp-ts does not know of having opened external ${externalPort} ${protocol} ` +
        'that way; if it is still open, close it with what opened it'
      )
    }
    case 'not-listed-at-once':
      return 'the router cannot list all at once; asking for one entry after the other'
    case 'listing-full':
      return `the router was asked for ${notice.count} entries and may have more; -l lists all`
    case 'no-presentation-url':
      return 'the router does not tell the address of its web page'
    case 'nonce-key-not-kept':
      return (
        `the key of this computer for PCP cannot be kept (${notice.error.message}): ` +
        'another run of upnp-ts will not be able to close what this one opened; it runs out by itself'
      )
    case 'started-without-ports':
      return `${notOpen(notice)}: the command starts all the same`
    case 'hook-failed':
      return `--on-change: ${hookFailure(notice)}`
    case 'state-not-written':
      return notice.error.message
  }
}

function hookFailure(failure: HookFailure): string {
  switch (failure.reason) {
    case 'not-started':
      return failure.error.message
    case 'timeout':
      return 'the command took too long, and was ended'
    case 'signal':
      return `the command was ended by ${failure.signal}`
    case 'exit':
      return `the command failed with exit status ${failure.exitStatus}`
  }
}

/** An error has its message already; what is an obstacle gets one. */
export function errorOf(error: ReportedError | Obstacle): ReportedError {
  if (!('kind' in error)) return error
  switch (error.kind) {
    case 'no-ipv4-address':
      return {
        code: 'INVALID_ARGUMENT',
        message:
          "ports are mapped over IPv4: give -u or --gateway the router's IPv4 address, or -a the IPv4 address of this computer",
      }
    case 'program-not-started':
      return {
        code: 'NO_GATEWAY',
        message: `${notOpen(error)}, and --require was given: the command is not started`,
      }
  }
}

function notOpen({ someOpen, afterMs }: { readonly someOpen: boolean; readonly afterMs: number }): string {
  return `${someOpen ? 'not every' : 'no'} port was open within ${afterMs / 1000} s`
}

/** What the emulated gateway listens to, and how it is ended. */
export function emulatorText(report: ReportOf<'emulator'>): string {
  const { address, searchError, portControl, portControlError } = report
  const search =
    searchError === undefined
      ? `It answers searches on ${address}; stop it with Ctrl-C.`
      : `It does not answer searches (${searchError.message}): name it with -u. Stop it with Ctrl-C.`
  const why = portControlError === undefined ? '' : ` (${portControlError.message})`
  const other =
    portControl === undefined
      ? `It does not speak PCP and NAT-PMP${why}.`
      : `It speaks PCP and NAT-PMP on UDP port ${portControl.port}.`
  return `${other} ${search}`
}
