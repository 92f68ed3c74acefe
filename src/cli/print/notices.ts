/** A notice, or an obstacle that prevents a command -> its sentence. Pure. */
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
      return `the pinhole for UDP ${is}: TCP+UDP means both or neither`
    }
    case 'address-not-public':
      if (notice.address === '')
        return 'the router has no internet address: it is not connected, or it is behind another router'
      return (
        `${notice.address}, the address of the router, is not an internet address: another router or the NAT of the ` +
        'provider is in front of it, and the port has to be opened there too'
      )
    case 'port-not-chosen':
      return `the router does not choose a port itself (${notice.error.message}); asked it for one port after another`
    case 'deleted-unknown': {
      const { externalPort, protocol } = notice.key
      return (
        `${PROTOCOL_TITLES[notice.via]} says done even if nothing was open, and upnp-ts has no record of opening ` +
        `external ${externalPort} ${protocol} that way; if it is still open, close it with the program that opened it`
      )
    }
    case 'not-listed-at-once':
      return 'the router cannot list everything at once; asking for one entry after another'
    case 'listing-full':
      return `the router was asked for ${notice.count} entries and may have more; -l lists them all`
    case 'no-presentation-url':
      return 'the router does not give the address of its web page'
    case 'nonce-key-not-kept':
      return (
        `the key of this computer for PCP cannot be stored (${notice.error.message}): ` +
        'another run of upnp-ts will not be able to close what this one opened; it closes when its lease ends'
      )
    case 'started-without-ports':
      return `${notOpen(notice)}: the program starts anyway`
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
      return 'the command took too long and was stopped'
    case 'signal':
      return `the command was stopped by ${failure.signal}`
    case 'exit':
      return `the command failed with exit status ${failure.exitStatus}`
  }
}

/** An error has a message already. An obstacle gets one here. */
export function errorOf(error: ReportedError | Obstacle): ReportedError {
  if (!('kind' in error)) return error
  if (error.kind === 'program-not-started')
    return { code: 'NO_GATEWAY', message: `${notOpen(error)}, and --require was given: the program does not start` }
  const message =
    "ports are mapped over IPv4: give -u or --gateway the router's IPv4 address, or -a the IPv4 address of this computer"
  return { code: 'INVALID_ARGUMENT', message }
}

function notOpen({ someOpen, afterMs }: { readonly someOpen: boolean; readonly afterMs: number }): string {
  return `${someOpen ? 'not every' : 'no'} port was open within ${afterMs / 1000} s`
}

/** Where the emulated gateway listens, and how to stop it. */
export function emulatorText(report: ReportOf<'emulator'>): string {
  const { address, searchError, portControl, portControlError } = report
  const search =
    searchError === undefined
      ? `It answers searches on ${address}; stop it with Ctrl-C.`
      : `It does not answer searches (${searchError.message}): name it with -u. Stop it with Ctrl-C.`
  const why = portControlError === undefined ? '' : ` (${portControlError.message})`
  const other =
    portControl === undefined
      ? `It does not speak PCP or NAT-PMP${why}.`
      : `It speaks PCP and NAT-PMP on UDP port ${portControl.port}.`
  return `${other} ${search}`
}
