/** The package, imported. */
import * as library from 'upnp-ts'
import * as emulation from 'upnp-ts/emulator'
import { decodeNatPmpRequest, encodeNatPmpRequest } from 'upnp-ts/wire'
import { openAndClose } from './open-and-close.mjs'

const { kind } = decodeNatPmpRequest(encodeNatPmpRequest({ kind: 'external-address-request' }))
console.log(JSON.stringify([kind, ...(await openAndClose(library, emulation))]))
